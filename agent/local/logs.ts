/** `skerry logs`: what all pods of a workload print. */
import type { Effects } from "../../worker/lib/effects.ts";
import type { Pod } from "../../worker/lib/facts/objects.ts";
import type { Timers } from "../effects.ts";
import type { Home } from "./home.ts";
import { checked, HttpError, open, read, type Server, sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type LinePrinter, linePrinter, linesOf } from "./printed-lines.ts";
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

/** A moment between two watches: each is ended by the server now and then. */
const PAUSE_MS = 1_000;

export async function logs(context: Context, workload: string | undefined, options: LogsOptions): Promise<void> {
  const { home, progress } = context;
  const server = await reach(home, options);
  const namespace = options.namespace ?? server.namespace ?? "default";
  const selection = workload === undefined ? "" : await selectionOf(server, namespace, workload);
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
  const reading = { server, path, printer, options };
  if (options.follow) await follow(context, reading, selection);
  else for (const source of sources) await printer.print({ name: source.name, open: () => opened(reading, source) });
}

function none(workload: string | undefined, namespace: string, pods: readonly Pod[], container?: string): string {
  if (container !== undefined && pods.length > 0) {
    const names = new Set(pods.flatMap(({ spec }) => spec.containers.map(({ name }) => name)));
    return `no container ${container}: there are ${[...names].join(", ")}`;
  }
  return `${workload ?? "the namespace"} has no pods in ${namespace}: \`kubectl get pods -A\` shows where there are some`;
}

type LogSource = { pod: string; container: string; name: string };

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

type Reading = { server: Server; path: string; printer: LinePrinter; options: LogsOptions };

/** `whole`: what a container that started meanwhile printed is of interest from its first line on. */
async function opened(
  reading: Reading,
  { pod, container }: LogSource,
  whole = false,
): Promise<AsyncIterable<Uint8Array>> {
  const { server, options } = reading;
  const { follow: isFollowed, previous, timestamps, since, tail } = options;
  const query = new URLSearchParams({ container });
  if (isFollowed) query.set("follow", "true");
  if (previous) query.set("previous", "true");
  if (timestamps) query.set("timestamps", "true");
  if (since !== undefined && !whole) query.set("sinceSeconds", `${since}`);
  if (tail !== undefined && !whole) query.set("tailLines", tail);
  const path = `${reading.path}/${encodeURIComponent(pod)}/log?${query}`;
  const response = await open(server, "GET", path, { timeoutMs: 0 });
  if (response.statusCode !== 200) checked("GET", path, await read(response));
  return response;
}

/** Goes on until it is ended: each container is followed once it runs, and anew when it was started again. */
async function follow({ effects }: Context, reading: Reading, selection: string): Promise<void> {
  const followed = new Set<string>();
  for (let isFirst = true; ; isFirst = false) {
    for await (const pod of watched(reading, selection))
      for (const source of sourcesOf(pod, reading.options.container)) {
        const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
        const status = [...initContainerStatuses, ...containerStatuses].find(({ name }) => name === source.container);
        const key = `${pod.metadata.uid}/${source.container}/${status?.restartCount}`;
        if (!(status?.state?.running ?? status?.state?.terminated) || followed.has(key)) continue;
        followed.add(key);
        const whole = !isFirst || (status?.restartCount ?? 0) > 0;
        void reading.printer.print({ name: source.name, open: () => opened(reading, source, whole) });
      }
    await effects.sleep(PAUSE_MS);
  }
}

async function* watched({ server, path }: Reading, selection: string): AsyncGenerator<Pod> {
  const asked = `${path}?watch=true&${selection}`;
  const response = await open(server, "GET", asked, { timeoutMs: 0 });
  if (response.statusCode !== 200) checked("GET", asked, await read(response));
  for await (const line of linesOf(response)) {
    const { type, object } = JSON.parse(line) as { type: string; object: Pod };
    if (type === "ADDED" || type === "MODIFIED") yield object;
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

/** Of its pods, as a part of a query. */
async function selectionOf(server: Server, namespace: string, workload: string): Promise<string> {
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
  throw new Error(
    `no ${kind ?? "workload"} ${named} in the namespace ${namespace}: \`kubectl get all -A\` shows which there are, -n names another`,
  );
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
