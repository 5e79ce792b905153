/**
 * Logs that stay in the deployment's bucket, at `/skerry/logs`. The Cluster object says who may, by RBAC of these paths, and
 * nodes what a Namespace wishes, once for each pod; the bytes do not pass through it.
 *
 *     GET   /skerry/logs                        the namespaces of which there are any: `{items: [{namespace}]}`
 *     GET   /skerry/logs/NAMESPACE              what there is of it: `{items: [KeptLog]}`
 *     GET   /skerry/logs/NAMESPACE/POD          the text. Query: that of `kubectl logs`, and `uid`
 *     POST  /skerry/logs/NAMESPACE/POD/grant    by the pod's node, with `?uid=`: `{grant}`, its leave to send
 *     PUT   /skerry/logs/NAMESPACE/POD/UID/CONTAINER/ATTEMPT/N?first=&last=    by whoever shows the grant: a portion, which
 *                                               is lines of a json-file log, gzipped, of the attempt's portions the Nth
 */
import { effects } from "../../effects.ts";
import { boundedBody } from "../../lib/bounded-body.ts";
import { fromBase64Url, toBase64Url } from "../../lib/bytes.ts";
import type { KeptLog } from "../../lib/facts/kept-log.ts";
import { GRANT_HEADER } from "../../lib/internal-headers.ts";
import type { KeepLogs, LogGrant } from "../../lib/kept-logs.ts";
import { isTrue } from "../../lib/query.ts";
import { ApiError, badRequest, methodNotAllowed, notFound, tooLarge, unauthorized } from "../../lib/status.ts";
import type { Bucket } from "../bucket.ts";
import type { Seal } from "../sealed-chunks.ts";
import { folderOf, holdWithin, inOrder, type Kept, keyOf, listKept, NAME, type Portion } from "./portions.ts";
import { keptText, textOptions } from "./text.ts";

const PATH = /^\/skerry\/logs(?:\/([^/]+)(?:\/([^/]+)(?:\/(grant)|\/([^/]+)\/([^/]+)\/(\d{1,9})\/(\d{1,9}))?)?)?$/;
/** What a node sends at most is a sixteenth of that, before it is compressed. */
const MAX_PORTION_BYTES = 8 * 1024 * 1024;
const NO_BUCKET = "this deployment has no bucket: `skerry deploy --bucket NAME` gives one";
const DAY_MS = 86_400_000;
/** A node's clock may be ahead by so much, ms. */
const MAX_AHEAD_MS = 3_600_000;
/** On average the bound is looked after so often while as much is written as it allows. */
const LOOKS_PER_BOUND = 64;

export const isKeptLog = (path: string): boolean => path.startsWith("/skerry/logs") && PATH.test(path);

/** Of what the Cluster object answers: that a pod's node may send. */
export const isGrantOfLogs = ({ method, url }: Request, { headers }: Response): boolean =>
  method === "POST" && headers.has(GRANT_HEADER) && PATH.exec(new URL(url).pathname)?.[3] !== undefined;

export type KeptLogsParts = {
  clusterName: string;
  cluster: { fetch(request: Request): Promise<Response> };
  bucket: Bucket | undefined;
  seal: Seal;
};

export async function openKeptLogs(request: Request, parts: KeptLogsParts): Promise<Response> {
  const url = new URL(request.url);
  const [, namespace, pod, grant, uid, container = "", attempt, number] = PATH.exec(url.pathname) ?? [];
  if (uid !== undefined) {
    if (request.method !== "PUT") throw methodNotAllowed();
    return put(request, url, parts, { uid, container, attempt: Number(attempt), number: Number(number) });
  }
  const { method } = request;
  const answer = await parts.cluster.fetch(new Request(request.url, { method, headers: withoutBody(request.headers) }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (grant && !parts.bucket) throw badRequest(NO_BUCKET); // it is not to be tried again soon
  const bucket = bucketOf(parts);
  if (grant) return Response.json({ grant: await signed(parts, url, (await answer.json()) as KeepLogs) });
  if (namespace === undefined) {
    const { folders } = await bucket.list(`${parts.clusterName}/logs`);
    return Response.json({ items: folders.toSorted().map((name) => ({ namespace: name })) });
  }
  if (pod !== undefined) return textOf(parts, url, namespace, pod);
  const found = NAME.test(namespace)
    ? await listKept(bucket, folderOf(parts.clusterName, namespace), effects.now())
    : [];
  return Response.json({ items: summed(inOrder(found)) });
}

function bucketOf({ bucket }: KeptLogsParts): Bucket {
  if (bucket) return bucket;
  throw new ApiError(503, "ServiceUnavailable", NO_BUCKET);
}

function withoutBody(given: Headers): Headers {
  const headers = new Headers(given);
  for (const name of ["content-length", "content-type", "transfer-encoding"]) headers.delete(name);
  return headers;
}

/** The leave to send what one pod prints. It lasts as long as what is sent does, so that a pod that has gone can still be told of. */
async function signed({ clusterName, seal }: KeptLogsParts, url: URL, keep: KeepLogs): Promise<string> {
  const [, namespace = "", pod = ""] = PATH.exec(url.pathname) ?? [];
  const uid = url.searchParams.get("uid") ?? "";
  const until = effects.now() + keep.days * DAY_MS;
  const said: LogGrant = { cluster: clusterName, namespace, pod, uid, ...keep, until };
  const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(said)));
  return `${payload}.${await macOf(seal, payload)}`;
}

const macOf = (seal: Seal, payload: string) => seal.digest(`a grant of logs ${payload}`);

/** Throws the 401 for one that was not given, is over, or is of another pod. */
async function shown(request: Request, { clusterName, seal }: KeptLogsParts, url: URL, uid: string): Promise<LogGrant> {
  const [, namespace, pod] = PATH.exec(url.pathname) ?? [];
  const [payload = "", mac = ""] = (request.headers.get("authorization") ?? "").replace(/^Bearer /, "").split(".");
  if (mac !== (await macOf(seal, payload))) throw unauthorized();
  const grant = JSON.parse(new TextDecoder().decode(fromBase64Url(payload))) as LogGrant;
  const isFor =
    grant.cluster === clusterName && grant.namespace === namespace && grant.pod === pod && grant.uid === uid;
  if (!isFor || grant.until < effects.now()) throw unauthorized();
  return grant;
}

type Position = Pick<Portion, "uid" | "container" | "attempt" | "number">;

async function put(request: Request, url: URL, parts: KeptLogsParts, position: Position): Promise<Response> {
  const grant = await shown(request, parts, url, position.uid);
  const bucket = bucketOf(parts);
  if (!NAME.test(position.container)) throw badRequest(`${JSON.stringify(position.container)} is no container's name`);
  const body = await bodyOf(request);
  const now = effects.now();
  const time = (name: string) => {
    const ms = Number(url.searchParams.get(name));
    if (Number.isInteger(ms) && ms > 0) return Math.min(ms, now + MAX_AHEAD_MS);
    throw badRequest(`${name} must be a time in ms since the epoch`);
  };
  const portion = { ...position, pod: grant.pod, first: time("first"), last: time("last"), bytes: body.length };
  const folder = folderOf(parts.clusterName, grant.namespace);
  const key = keyOf(folder, grant.days, portion);
  await bucket.put(key, parts.seal.close(body, key));
  // By chance, so that no count has to be kept: on a busy node it is often, and of little it is seldom.
  if (effects.random() < (LOOKS_PER_BOUND * body.length) / grant.bytes)
    await holdWithin(bucket, folder, grant.bytes, now);
  return Response.json({});
}

async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const tooMuch = () => tooLarge(`a portion is limited to ${MAX_PORTION_BYTES} bytes`);
  const body = await boundedBody(request, MAX_PORTION_BYTES, tooMuch);
  if (body.length === 0) throw badRequest("a portion has lines");
  return body;
}

function summed(portions: readonly Kept[]): KeptLog[] {
  const logs = new Map<string, KeptLog>();
  const time = (ms: number) => new Date(ms).toISOString();
  for (const { pod, uid, container, attempt, first, last, bytes } of portions) {
    const key = `${uid}/${container}/${attempt}`;
    const log = logs.get(key) ?? { pod, uid, container, attempt, first: time(first), last: "", bytes: 0 };
    logs.set(key, { ...log, last: time(last), bytes: log.bytes + bytes });
  }
  return [...logs.values()];
}

async function textOf(parts: KeptLogsParts, url: URL, namespace: string, pod: string): Promise<Response> {
  const query = url.searchParams;
  const options = textOptions(query, effects.now());
  const uid = query.get("uid");
  const isNamed = NAME.test(namespace) && NAME.test(pod);
  const all = isNamed
    ? await listKept(bucketOf(parts), folderOf(parts.clusterName, namespace), effects.now(), pod)
    : [];
  const found = all.filter((portion) => !uid || portion.uid === uid);
  const names = containersOf(found).toSorted();
  if (found.length === 0) throw notFound({ group: "", resource: "kept logs", name: `${namespace}/${pod}` });
  const container = containerOf(pod, names, query);
  const wanted = found.filter((portion) => portion.container === container);
  return answered(keptText(inOrder(wanted), bringing(parts), options));
}

export const containersOf = (portions: readonly Portion[]): string[] => [
  ...new Set(portions.map(({ container }) => container)),
];

/** The one that is asked for, or the only one. Throws the 400, in the API's words. */
export function containerOf(pod: string, names: readonly string[], query: URLSearchParams): string {
  const container = query.get("container") || (names.length === 1 ? names[0] : undefined);
  if (!container)
    throw badRequest(`a container name must be specified for pod ${pod}, choose one of: [${names.join(" ")}]`);
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${pod}`);
  return container;
}

const bringing = (parts: KeptLogsParts) => async (portion: Kept) => {
  const sealed = await bucketOf(parts).get(portion.key);
  return sealed && (parts.seal.open(sealed, portion.key) as Uint8Array<ArrayBuffer>);
};

/** Which log of a pod that exists is asked for, whose node does not answer. */
export type LogQuestion = { namespace: string; pod: string; uid: string; container: string; query: URLSearchParams };

/** What is kept of it: of its last attempt, or of the one before; undefined where that is nothing. */
export async function keptInstead(parts: KeptLogsParts, question: LogQuestion): Promise<Response | undefined> {
  const { namespace, pod } = question;
  if (!parts.bucket) return undefined;
  const all = await listKept(parts.bucket, folderOf(parts.clusterName, namespace), effects.now(), pod);
  return attemptOf(parts, all, question);
}

/** The same, of what was found in the bucket. */
export function attemptOf(
  parts: KeptLogsParts,
  all: readonly Kept[],
  { uid, container, query }: Omit<LogQuestion, "namespace" | "pod">,
): Response | undefined {
  const own = all.filter((portion) => portion.uid === uid && portion.container === container);
  const attempts = [...new Set(own.map(({ attempt }) => attempt))].toSorted((a, b) => b - a);
  const attempt = attempts[isTrue(query.get("previous")) ? 1 : 0];
  if (attempt === undefined) return undefined;
  const wanted = inOrder(own.filter((portion) => portion.attempt === attempt));
  return answered(keptText(wanted, bringing(parts), textOptions(query, effects.now())));
}

function answered(text: AsyncGenerator<Uint8Array>): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await text.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await text.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const headers = {
    "content-type": "text/plain",
    "cache-control": "no-cache, private",
    "x-content-type-options": "nosniff", // a program's words are no page
  };
  return new Response(body, { headers });
}
