/** `/containerLogs/NAMESPACE/POD/CONTAINER`, with the query that `kubectl logs` makes. */
import { Readable } from "node:stream";
import { isTrue } from "../../worker/lib/query.ts";
import type { FoundContainer } from "../pods/found.ts";
import { logOptions, readLog } from "../streams/logs.ts";
import { type Answer, text } from "./answer.ts";
import type { KubeletNode } from "./node.ts";

export type Find = (namespace: string, name: string, uid: string, container: string) => FoundContainer | undefined;

const NUMBERS = ["tailLines", "limitBytes", "sinceSeconds"];

export function containerLogs(
  { pods, effects }: Pick<KubeletNode, "pods" | "effects">,
  find: Find,
  [namespace = "", name = "", container = ""]: readonly string[],
  query: URLSearchParams,
): Answer {
  const pod = pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (!pod) return text(404, `pod ${JSON.stringify(name)} does not exist`);
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  if (![...containers, ...initContainers, ...ephemeralContainers].some((known) => known.name === container))
    return text(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`);
  const tail = query.get("tail");
  if (tail === "all") query.delete("tailLines");
  else if (tail) query.set("tailLines", tail);
  if (NUMBERS.some((field) => query.get(field) && !/^\d+$/.test(query.get(field) ?? "")))
    return text(400, '{"message": "Unable to decode query."}');
  const found = find(namespace, name, pod.metadata.uid ?? "", container);
  const previous = isTrue(query.get("previous"));
  const path = previous ? found?.previousLogPath : found?.logPath;
  if (!path) {
    const what = `container "${container}" in pod "${name}"`;
    return text(400, previous ? `previous terminated ${what} not found` : `${what} is waiting to start`);
  }
  const gone = new AbortController();
  const running = () => {
    const now = find(namespace, name, pod.metadata.uid ?? "", container);
    return !previous && now?.containerId === found?.containerId && now?.running === true;
  };
  const options = logOptions(query, effects.now());
  const body = Readable.from(readLog(path, options, { running, timers: effects, signal: gone.signal }));
  body.once("close", () => gone.abort());
  return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}
