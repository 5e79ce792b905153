/** `skerry compose convert`, `ps` and `logs`. */
import { stringify } from "yaml";
import { age } from "../../../worker/lib/duration.ts";
import { objectsOf } from "../../compose/convert/project.ts";
import { linePrinter } from "../printed-lines.ts";
import { table } from "../terminal.ts";
import { type Pod, podSelector } from "./api.ts";
import { apiOf, type ComposeContext, type ComposeOptions, planOf } from "./plan.ts";

export async function convert(context: ComposeContext, options: ComposeOptions): Promise<void> {
  const objects = objectsOf(planOf(context, options));
  const texts = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  process.stdout.write(texts.join("---\n"));
}

export async function ps(context: ComposeContext, options: ComposeOptions): Promise<void> {
  const { api, project } = await apiOf(context, options);
  const rows = (await api.pods(podSelector(project))).map((pod) => row(pod, context.effects.now()));
  process.stdout.write(
    table([
      ["SERVICE", "POD", "READY", "STATUS", "RESTARTS", "AGE", "NODE"],
      ...rows.toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
    ]),
  );
}

function row({ metadata, spec, status }: Pod, now: number): string[] {
  const containers = status.containerStatuses ?? [];
  const waiting = containers.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined);
  return [
    metadata.labels?.["app.kubernetes.io/name"] ?? "",
    metadata.name,
    `${containers.filter(({ ready }) => ready).length}/${spec.containers.length}`,
    metadata.deletionTimestamp ? "Terminating" : (waiting ?? status.phase),
    String(containers.reduce((sum, { restartCount }) => sum + restartCount, 0)),
    age(metadata.creationTimestamp, now),
    spec.nodeName ?? "<none>",
  ];
}

export type LogsOptions = ComposeOptions & { follow?: boolean; tail?: string };

/** Each line with the service that printed it. */
export async function logs(context: ComposeContext, services: readonly string[], options: LogsOptions): Promise<void> {
  const { api, project } = await apiOf(context, options);
  const all = await api.pods(podSelector(project));
  const nameIn = ({ metadata }: Pod) => metadata.labels?.["app.kubernetes.io/name"] ?? "";
  const wanted = all.filter((pod) => services.length === 0 || services.includes(nameIn(pod)));
  const width = Math.max(0, ...wanted.map((pod) => nameIn(pod).length));
  const query = [options.follow && "follow=true", options.tail && `tailLines=${options.tail}`]
    .filter(Boolean)
    .join("&");
  const write = (text: string) => process.stdout.write(text);
  const printer = linePrinter({ write, failed: context.progress, width });
  const print = (pod: Pod) =>
    printer.print({
      name: nameIn(pod),
      open: () => api.logs(pod.metadata.name, pod.spec.containers[0]?.name ?? "", query),
    });
  if (options.follow) await Promise.all(wanted.map(print));
  else for (const pod of wanted) await print(pod);
}
