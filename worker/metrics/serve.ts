/**
 * Figures over time, at `/skerry/metrics`. The Cluster object says who may, and nodes of which series they may tell; what
 * they tell passes it by, so that it sleeps on, and lies in a Metrics object, one a cluster.
 *
 *     GET   /skerry/metrics/nodes?range=1h                             nodes' own. Who may list nodes of metrics.k8s.io
 *     GET   /skerry/metrics/nodes/NODE?range=                          one node's
 *     GET   /skerry/metrics/namespaces/NAMESPACE?range=&workload=      its workloads', or one's, as `KIND/NAME`. Who may list
 *                                                                      pods of metrics.k8s.io there
 *     GET   /skerry/metrics/namespaces/NAMESPACE?range=&requests=      of one Service's requests, or an Ingress' or HTTPRoute's, as
 *                                                                      `services/NAME`. Who may get its `requests_per_second`
 *                                                                      of custom.metrics.k8s.io
 *     POST  /skerry/metrics/grant                                      by a node: `SeriesGrant`
 *     PUT   /skerry/metrics                                            by whoever shows the grant: `SentSeries`
 */
import { boundedBody } from "../lib/bounded-body.ts";
import { fromBase64Url, toBase64Url } from "../lib/bytes.ts";
import { isAskedKey, isRange, RANGES, type Range, type SeriesGrant } from "../lib/facts/metric-series.ts";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import { jsonObject } from "../lib/json-object.ts";
import { badRequest, methodNotAllowed, tooLarge, unauthorized } from "../lib/status.ts";
import type { AskChunks } from "./ask.ts";
import { sentSeries } from "./sent.ts";

const PATH = /^\/skerry\/metrics(?:\/(grant)|\/(nodes|namespaces)(?:\/([-.a-z0-9]+))?)?$/;
/** Two hours of all series that a node may have take half of that. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Pods that come meanwhile are a reason to ask for another. */
const GRANT_MS = 6 * 3_600_000;

export const isMetrics = (path: string): boolean => path.startsWith("/skerry/metrics") && PATH.test(path);

export type MetricsParts = {
  clusterName: string;
  cluster: { fetch(request: Request): Promise<Response> };
  ask: AskChunks;
  /** Says of a text that it is this deployment's. */
  mac(text: string): Promise<string>;
  now(): number;
};

/** What the Cluster object says of a node that asks: see `api/http/metric-series.ts`. */
export type SeriesOfNode = Pick<SeriesGrant, "pods" | "everyMs"> & { node: string; series: readonly string[] };
type Granted = Pick<SeriesOfNode, "node" | "series"> & { cluster: string; until: number };

export async function openMetrics(request: Request, parts: MetricsParts): Promise<Response> {
  const url = new URL(request.url);
  const [, grant, group, name = ""] = PATH.exec(url.pathname) ?? [];
  if (!grant && !group) {
    if (request.method !== "PUT") throw methodNotAllowed();
    return put(request, parts);
  }
  const { method } = request;
  const headers = new Headers(request.headers);
  for (const header of ["content-length", "content-type", "transfer-encoding"]) headers.delete(header);
  const answer = await parts.cluster.fetch(new Request(request.url, { method, headers }));
  if (!answer.headers.has(GRANT_HEADER)) return answer;
  if (grant) return Response.json(await granted((await answer.json()) as SeriesOfNode, parts));
  return Response.json(await told(parts, url.searchParams, group, name));
}

function told({ ask }: MetricsParts, query: URLSearchParams, group: string | undefined, name: string) {
  const range = rangeOf(query.get("range") ?? "1h");
  if (group === "nodes") return ask("nodes", range, name);
  const [requests, workload] = [query.get("requests"), query.get("workload") ?? ""];
  // Who may see requests was asked for these alone.
  if (requests === null && isAskedKey(`${name}/${workload}`))
    throw badRequest("workload must be KIND/NAME: what is asked for is told of as requests");
  return ask("namespace", range, name, requests ?? workload);
}

function rangeOf(given: string): Range {
  if (isRange(given)) return given;
  throw badRequest(`range must be one of ${RANGES.join(", ")}`);
}

async function granted({ node, series, pods, everyMs }: SeriesOfNode, parts: MetricsParts): Promise<SeriesGrant> {
  const said: Granted = { cluster: parts.clusterName, node, series, until: parts.now() + GRANT_MS };
  const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(said)));
  return { grant: `${payload}.${await macOf(parts, payload)}`, pods, everyMs, requests: true };
}

const macOf = ({ mac }: MetricsParts, payload: string) => mac(`a grant of figures ${payload}`);

/** Throws the 401 for one that was not given, or is over. */
async function shown(grant: unknown, parts: MetricsParts): Promise<Granted> {
  const [payload = "", mac = ""] = typeof grant === "string" ? grant.split(".") : [];
  if (mac !== (await macOf(parts, payload))) throw unauthorized();
  const text = new TextDecoder().decode(fromBase64Url(payload));
  const granted = JSON.parse(text) as Granted;
  if (granted.cluster !== parts.clusterName || granted.until < parts.now()) throw unauthorized();
  return granted;
}

async function put(request: Request, parts: MetricsParts): Promise<Response> {
  const tooMuch = () => tooLarge(`what a node sends at once is limited to ${MAX_BODY_BYTES} bytes`);
  const body = jsonObject(await boundedBody(request, MAX_BODY_BYTES, tooMuch));
  const { node, series } = await shown(body.grant, parts);
  await parts.ask("store", node, sentSeries(body, new Set(series), parts.now()));
  return Response.json({});
}
