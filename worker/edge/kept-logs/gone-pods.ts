/**
 * `kubectl logs` of a pod that is gone, where its log is kept. It looks for the pod first, and a header says which command it
 * is (https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/859-kubectl-headers): to it alone one is shown, as
 * much as its log tells of it. Whoever may not see pods or logs there has been refused before the API looked for any.
 */
import { effects } from "../../effects.ts";
import { timestamp } from "../../lib/effects.ts";
import { badRequest } from "../../lib/status.ts";
import { type KeptLogsParts, keptInstead } from "./kept-logs.ts";
import { folderOf, type Kept, listKept, NAME } from "./portions.ts";

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)(\/log)?$/;

export const isByLogs = ({ headers }: Request): boolean => headers.get("kubectl-command") === "kubectl logs";

export const isOfPod = ({ method }: Request, path: string): boolean => method === "GET" && PATH.test(path);

/** The API's answer, or what is kept in place of its 404. */
export async function orOfGone(url: URL, answer: Response, parts: KeptLogsParts): Promise<Response> {
  const [, namespace = "", name = "", log] = PATH.exec(url.pathname) ?? [];
  if (answer.status !== 404 || !parts.bucket || !NAME.test(namespace) || !NAME.test(name)) return answer;
  const folder = folderOf(parts.clusterName, namespace);
  const found = await listKept(parts.bucket, folder, effects.now(), name);
  const last = found.toSorted((a, b) => b.last - a.last)[0];
  if (!last) return answer;
  const ofIt = found.filter(({ uid }) => uid === last.uid);
  if (!log) return Response.json(podOf(namespace, name, ofIt));
  const containers = containersOf(ofIt);
  const container = url.searchParams.get("container") ?? (containers.length === 1 ? (containers[0] ?? "") : "");
  if (!container)
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${containers.join(" ")}]`);
  if (!containers.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  const question = { namespace, pod: name, uid: last.uid, container, query: url.searchParams };
  return (await keptInstead(parts, question)) ?? answer;
}

const containersOf = (portions: readonly Kept[]) => [...new Set(portions.map(({ container }) => container))].toSorted();

/** As much of it as its log tells. */
const podOf = (namespace: string, name: string, portions: readonly Kept[]) => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    name,
    namespace,
    uid: portions[0]?.uid,
    creationTimestamp: timestamp(Math.min(...portions.map(({ first }) => first))),
    annotations: { "skerry.dev/gone": "true" },
  },
  spec: { containers: containersOf(portions).map((container) => ({ name: container })) },
  status: { phase: "Unknown", message: "The pod is gone; its log is kept." },
});
