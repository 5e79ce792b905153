/** `skerry logs`: what all pods of a workload print; or what is kept of a pod that is gone. */
import type { Effects } from "../../worker/lib/effects.ts";
import type { Pod } from "../../worker/lib/facts/objects.ts";
import type { Timers } from "../effects.ts";
import { type From, followLogs, type LogSource, type PodEvent } from "./follow-logs.ts";
import type { Home } from "./home.ts";
import { HttpError, openChecked, type Server, sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { linePrinter, linesOf } from "./printed-lines.ts";
import { type Reach, reach } from "./reach.ts";

export type LogsOptions = Reach & {
  namespace?: string;
  container?: string;
  follow?: boolean;
  /** Of the container before its last restart. */
  previous?: boolean;
  timestamps?: boolean;
  /** s back from now. */
  since?: number;
  tail?: string;
};

type Context = { home: Home; progress: Progress; effects: Effects & Timers };

export async function logs(context: Context, workload: string | undefined, options: LogsOptions): Promise<void> {
  const { home, progress, effects } = context;
  if (options.follow && options.previous)
    throw new Error("what was printed before a restart has an end: leave --follow out");
  const server = await reach(home, options);
  const namespace = options.namespace ?? server.namespace ?? "default";
  const selection = workload === undefined ? "" : await selectionOf(server, namespace, workload);
  if (selection === undefined) return printGone(context, server, { namespace, workload: workload ?? "" }, options);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const { body } = await sendChecked(server, "GET", `${path}?${selection}`);
  const pods = (body.items as Pod[]).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const sources = pods.flatMap((pod) => sourcesOf(pod, options.container));
  if (sources.length === 0 && !options.follow) throw new Error(none(workload, namespace, pods, options.container));
  const printer = linePrinter({
    write: (text) => process.stdout.write(text),
    failed: progress,
    width: Math.max(0, ...sources.map(({ name }) => name.length)),
  });
  const reading = { server, path, options };
  if (!options.follow) {
    for (const source of sources)
      await printer.print({ name: source.name, open: () => opened(reading, source, "as asked") });
    return;
  }
  await followLogs(pods, {
    watched: () => watched(reading, selection),
    sourcesOf: (pod) => sourcesOf(pod, options.container),
    open: (source, from) => opened(reading, source, from),
    take: ({ name }, time, line) => printer.line(name, options.timestamps && time ? `${time} ${line}` : line),
    failed: progress,
    sleep: effects.sleep,
  });
}

/** What `skerry.dev/keep-logs` has kept of a pod that the cluster has no more. */
async function printGone(
  { progress }: Context,
  server: Server,
  { namespace, workload }: { namespace: string; workload: string },
  { container, tail, since, timestamps, follow, previous }: LogsOptions,
): Promise<void> {
  const [name = "", kind] = workload.split("/", 2).toReversed();
  const missing = `no ${kind ?? "workload"} ${name} in the namespace ${namespace}: \`kubectl get all -A\` shows which there are, -n names another`;
  const isPod =
    kind === undefined || KINDS.some(({ plural, names }) => plural === "pods" && names.some((n) => n === kind));
  if (!isPod || follow || previous) throw new Error(missing);
  const query = new URLSearchParams({
    ...(container !== undefined && { container }),
    ...(tail !== undefined && { tailLines: tail }),
    ...(since !== undefined && { sinceSeconds: `${since}` }),
    ...(timestamps && { timestamps: "true" }),
  });
  const path = `/skerry/logs/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}?${query}`;
  let kept: AsyncIterable<Uint8Array>;
  try {
    kept = await openChecked(server, "GET", path, { timeoutMs: 0 });
  } catch (error) {
    // Which of a pod's containers is meant is to be said; all else is that there is no such pod.
    if (error instanceof HttpError && error.code === 400) throw error;
    throw new Error(missing);
  }
  const printer = linePrinter({ write: (text) => process.stdout.write(text), failed: progress, width: name.length });
  await printer.print({ name, open: async () => kept });
}

function none(workload: string | undefined, namespace: string, pods: readonly Pod[], container?: string): string {
  if (container !== undefined && pods.length > 0) {
    const names = new Set(pods.flatMap(({ spec }) => spec.containers.map(({ name }) => name)));
    return `no container ${container}: there are ${[...names].join(", ")}`;
  }
  return `${workload ?? "the namespace"} has no pods in ${namespace}: \`kubectl get pods -A\` shows where there are some`;
}

/** A pod's only container needs no name of its own. */
function sourcesOf({ metadata, spec }: Pod, wanted?: string): LogSource[] {
  const all = wanted === undefined ? spec.containers : [...(spec.initContainers ?? []), ...spec.containers];
  return all
    .filter(({ name }) => wanted === undefined || name === wanted)
    .map(({ name }) => ({
      pod: metadata.name,
      container: name,
      name: spec.containers.length > 1 || wanted !== undefined ? `${metadata.name}/${name}` : metadata.name,
    }));
}

type Reading = { server: Server; path: string; options: LogsOptions };

async function opened(reading: Reading, { pod, container }: LogSource, from: From): Promise<AsyncIterable<Uint8Array>> {
  const { server, options } = reading;
  const { follow: isFollowed, previous, timestamps, since, tail } = options;
  const query = new URLSearchParams({ container });
  if (isFollowed) query.set("follow", "true");
  if (previous) query.set("previous", "true");
  if (timestamps || isFollowed) query.set("timestamps", "true");
  if (since !== undefined && from === "as asked") query.set("sinceSeconds", `${since}`);
  if (tail !== undefined && from === "as asked") query.set("tailLines", tail);
  if (typeof from === "object") query.set("sinceTime", from.time);
  const path = `${reading.path}/${encodeURIComponent(pod)}/log?${query}`;
  return openChecked(server, "GET", path, { timeoutMs: 0 });
}

async function* watched({ server, path }: Reading, selection: string): AsyncGenerator<PodEvent> {
  const asked = `${path}?watch=true&${selection}`;
  for await (const line of linesOf(await openChecked(server, "GET", asked, { timeoutMs: 0 }))) {
    const event = JSON.parse(line) as PodEvent;
    if (["ADDED", "MODIFIED", "DELETED"].includes(event.type)) yield event;
  }
}

type Requirement = { key: string; operator: string; values?: string[] };
type Selector = { matchLabels?: Record<string, string>; matchExpressions?: Requirement[] };

/** Kinds by their names and short names; a bare name is looked for in this order. */
const KINDS = [
  { names: ["deployment", "deployments", "deploy"], path: "/apis/apps/v1", plural: "deployments" },
  { names: ["statefulset", "statefulsets", "sts"], path: "/apis/apps/v1", plural: "statefulsets" },
  { names: ["daemonset", "daemonsets", "ds"], path: "/apis/apps/v1", plural: "daemonsets" },
  { names: ["job", "jobs"], path: "/apis/batch/v1", plural: "jobs" },
  { names: ["replicaset", "replicasets", "rs"], path: "/apis/apps/v1", plural: "replicasets" },
  { names: ["pod", "pods", "po"], path: "/api/v1", plural: "pods" },
] as const;

/** Of its pods, as a part of a query; undefined where there is no such workload. */
async function selectionOf(server: Server, namespace: string, workload: string): Promise<string | undefined> {
  const [kind, named] = workload.includes("/") ? workload.split("/", 2) : [undefined, workload];
  const kinds = KINDS.filter(({ names }) => kind === undefined || names.some((name) => name === kind.toLowerCase()));
  if (kinds.length === 0)
    throw new Error(`${kind} is none of ${KINDS.map(({ names: [name] }) => name).join(", ")}, of which logs are read`);
  for (const { path, plural } of kinds) {
    const place = `${path}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(named ?? "")}`;
    try {
      const { body } = await sendChecked(server, "GET", place);
      if (plural === "pods") return `fieldSelector=metadata.name=${encodeURIComponent(named ?? "")}`;
      const { selector } = body.spec as { selector: Selector };
      return `labelSelector=${encodeURIComponent(selectorText(selector))}`;
    } catch (error) {
      if (!(error instanceof HttpError && error.code === 404)) throw error;
    }
  }
  return undefined;
}

/** As a list's labelSelector has it. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: Selector): string {
  const words = ({ key, operator, values = [] }: Requirement) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
  };
  return [...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`), ...matchExpressions.map(words)].join(
    ",",
  );
}
