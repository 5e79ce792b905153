/** `skerry compose convert`, `ps` and `logs`. */
import { stringify } from "yaml";
import { age } from "../../../worker/lib/duration.ts";
import { objectsOf } from "../../compose/convert/project.ts";
import type { Printed } from "../command-options.ts";
import { linePrinter } from "../printed-lines.ts";
import { printJson, table } from "../terminal.ts";
import { type Pod, podSelector } from "./api.ts";
import { apiOf, type ComposeContext, type ComposeOptions, planOf } from "./plan.ts";

export async function convert(context: ComposeContext, options: ComposeOptions): Promise<void> {
  const objects = objectsOf(planOf(context, options));
  const texts = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  process.stdout.write(texts.join("---\n"));
}

export type PsOptions = ComposeOptions & Printed;

export async function ps(context: ComposeContext, options: PsOptions): Promise<void> {
  const { api, project } = await apiOf(context, options);
  const pods = (await api.pods(podSelector(project))).map(inShort);
  pods.sort((a, b) => (`${a.service} ${a.pod}` < `${b.service} ${b.pod}` ? -1 : 1));
  if (options.json) return printJson(pods);
  const now = context.effects.now();
  const rows = pods.map(({ service, pod, ready, containers, status, restarts, created, node = "<none>" }) =>
    [service, pod, `${ready}/${containers}`, status, restarts, age(created, now), node].map(String),
  );
  process.stdout.write(table([["SERVICE", "POD", "READY", "STATUS", "RESTARTS", "AGE", "NODE"], ...rows]));
}

/** `ready` of so many `containers`. */
function inShort({ metadata, spec, status }: Pod) {
  const containers = status.containerStatuses ?? [];
  const waiting = containers.map(({ state }) => state?.waiting?.reason).find((reason) => reason !== undefined);
  return {
    service: metadata.labels?.["app.kubernetes.io/name"] ?? "",
    pod: metadata.name,
    ready: containers.filter(({ ready }) => ready).length,
    containers: spec.containers.length,
    status: metadata.deletionTimestamp ? "Terminating" : (waiting ?? status.phase),
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    created: metadata.creationTimestamp,
    node: spec.nodeName,
  };
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
