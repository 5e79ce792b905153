/**
 * `kubectl logs` of a pod that is gone, where its log is kept. It looks for the pod first, and a header says which command it
 * is (https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/859-kubectl-headers): to it alone one is shown, as
 * much as its log tells of it. Whoever may not see pods or logs there has been refused before the API looked for any.
 */
import { effects } from "../../effects.ts";
import { timestamp } from "../../lib/effects.ts";
import { CLUSTER_HEADER, INTERNAL_HEADER } from "../../lib/internal-headers.ts";
import { badRequest } from "../../lib/status.ts";
import { attemptOf, containerOf, containersOf, type KeptLogsParts } from "./kept-logs.ts";
import { folderOf, type Kept, listKept, NAME } from "./portions.ts";

const PATH = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)(\/log)?$/;

export const isByLogs = ({ headers }: Request): boolean => headers.get("kubectl-command") === "kubectl logs";

export const isOfPod = ({ method }: Request, path: string): boolean => method === "GET" && PATH.test(path);

/** The API's answer, or what is kept in place of its 404. */
export async function orOfGone(url: URL, answer: Response, parts: KeptLogsParts): Promise<Response> {
  const [, namespace = "", name = "", log] = PATH.exec(url.pathname) ?? [];
  if (answer.status !== 404 || !NAME.test(namespace) || !NAME.test(name)) return answer;
  const found = await keptOf(parts, namespace, name).catch(() => []);
  const uid = found[0]?.uid;
  if (uid === undefined) return answer;
  const containers = containersOf(found);
  if (!log) return Response.json(podOf(namespace, name, found, containers), { headers: { warning: isGone(name) } });
  const query = url.searchParams;
  const container = containerOf(name, containers, query);
  const text = attemptOf(parts, found, { uid, container, query });
  if (text) return text;
  throw badRequest(
    `previous terminated container ${JSON.stringify(container)} in pod ${JSON.stringify(name)} not found`,
  );
}

/** Of the last pod of the name in this namespace, and of none that was called so before; what was printed last comes first. */
async function keptOf(parts: KeptLogsParts, namespace: string, name: string): Promise<Kept[]> {
  if (!parts.bucket) return [];
  const created = await createdAt(parts, namespace);
  const all = await listKept(parts.bucket, folderOf(parts.clusterName, namespace), effects.now(), name);
  const found = all.filter(({ first }) => first >= created).toSorted((a, b) => b.last - a.last);
  return found.filter(({ uid }) => uid === found[0]?.uid);
}

/** When the namespace was made, ms. Where there is none, those who may see pods there may see them everywhere. */
async function createdAt({ cluster, clusterName }: KeptLogsParts, namespace: string): Promise<number> {
  const headers = { [INTERNAL_HEADER]: "namespace", [CLUSTER_HEADER]: clusterName };
  const answer = await cluster.fetch(new Request(`https://cluster/api/v1/namespaces/${namespace}`, { headers }));
  const { created } = (await answer.json()) as { created?: string };
  return created ? Date.parse(created) : 0;
}

const isGone = (name: string) => `299 - "pod ${name} is gone: this is what is kept of its log"`;

/** As much of it as its log tells. Init containers ended before the others, and come after them. */
const podOf = (namespace: string, name: string, portions: readonly Kept[], containers: readonly string[]) => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    name,
    namespace,
    uid: portions[0]?.uid,
    creationTimestamp: timestamp(Math.min(...portions.map(({ first }) => first))),
    annotations: { "skerry.dev/gone": "true" },
  },
  spec: { containers: containers.map((container) => ({ name: container })) },
  status: { phase: "Unknown", message: "The pod is gone; its log is kept." },
});
