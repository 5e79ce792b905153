/**
 * The Worker: finds the cluster in the URL and passes the request on. It holds clients' streams, so that the Cluster
 * object may sleep while they wait, and it parses nothing: its own CPU allowance is small.
 *
 * `/clusters/NAME/…` is cluster NAME's Kubernetes API, and `/v2/clusters/NAME/…` its registry; without that prefix the
 * cluster is `default`.
 */

import { secretsOf } from "./deployment-secret.ts";
import { readDocument } from "./documents.ts";
import { openAggregated } from "./edge/aggregated.ts";
import { bucketOf } from "./edge/bucket.ts";
import { shownCertificate } from "./edge/client-certificate.ts";
import {
  type ForwardParts,
  forwardHost,
  forwardSource,
  isForwards,
  openForward,
  openForwards,
} from "./edge/forward.ts";
import { compressed } from "./edge/gzip.ts";
import { mayBeForApp, openIngress } from "./edge/ingress.ts";
import { isByLogs, isOfPod, orOfGone } from "./edge/kept-logs/gone-pods.ts";
import { isKeptLog, openKeptLogs } from "./edge/kept-logs/kept-logs.ts";
import { isLogin, type Known, openLogin } from "./edge/login.ts";
import { refusedNode } from "./edge/node-credential.ts";
import { isPage, openPage } from "./edge/page.ts";
import { openPeer, peersOf } from "./edge/peer.ts";
import { isProxy, openProxy, passOn } from "./edge/proxy.ts";
import { isRewind, rewind } from "./edge/rewind.ts";
import { Seal } from "./edge/sealed-chunks.ts";
import { isStream, openStream } from "./edge/stream.ts";
import { isVolumeBackup, openVolumeBackups } from "./edge/volume-backups.ts";
import { isVolumeData, openVolumeData } from "./edge/volume-data.ts";
import { openWatch } from "./edge/watch.ts";
import { effects } from "./effects.ts";
import type { Env } from "./env.ts";
import { BUILTIN_GROUPS, foreignGroupVersion } from "./kinds/groups.ts";
import { errorText } from "./lib/error-text.ts";
import { CERTIFICATE_HEADER, CLUSTER_HEADER, INTERNAL_HEADER } from "./lib/internal-headers.ts";
import { isWatch } from "./lib/is-watch.ts";
import { ApiError } from "./lib/status.ts";
import { asksForSocket, upgradeRequired } from "./lib/websocket.ts";
import { askOver as askMetrics } from "./metrics/ask.ts";
import { isMetrics, openMetrics } from "./metrics/serve.ts";
import { pathOfLogin } from "./registry/access.ts";
import { askOver } from "./registry/ask.ts";
import { isClock, isCollect, openClock, openCollect } from "./registry/collect.ts";
import { folderOf } from "./registry/parts.ts";
import { isQuotas, openQuotas } from "./registry/quota-requests.ts";
import { isRegistry, openRegistry } from "./registry/serve.ts";

export { Cluster } from "./cluster.ts";
export { Metrics } from "./metrics.ts";
export { Registry } from "./registry.ts";
export { Relay } from "./relay.ts";

const CLUSTER_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Said by the Worker alone: what a client says under these names is not heard. */
const OURS = [CLUSTER_HEADER, INTERNAL_HEADER, CERTIFICATE_HEADER];
const speaksForUs = ({ headers }: Request) => OURS.some((name) => headers.has(name));

/** What issuers said of themselves, as long as this isolate lives. */
const KNOWN_ISSUERS = new Map<string, Known>();

const clusterOf = ({ CLUSTER }: Env, name: string) => CLUSTER.get(CLUSTER.idFromName(name));

/** The object that is the cluster, and the request as that cluster sees it: mostly the very same, for a copy costs. */
function route(request: Request, url: URL): { cluster: string; inner: Request } {
  const match = /^(\/v2)?\/clusters\/([^/]+)(\/.*)?$/.exec(pathOfLogin(request, url.pathname));
  const certificate = shownCertificate(request);
  if (!match && !certificate && !speaksForUs(request)) return { cluster: "default", inner: request };
  const [, registry = "", cluster = "default", rest = "/"] = match ?? [];
  if (!CLUSTER_NAME.test(cluster))
    throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  if (match) url.pathname = registry + rest;
  const inner = new Request(url, request);
  inner.headers.set(CLUSTER_HEADER, cluster);
  inner.headers.delete(INTERNAL_HEADER);
  inner.headers.delete(CERTIFICATE_HEADER);
  if (certificate) inner.headers.set(CERTIFICATE_HEADER, certificate);
  return { cluster, inner };
}

/** What may be more than a plain request to the default cluster; most are none, and are passed on at once. */
const OWN = [...BUILTIN_GROUPS].map((group) => group.replaceAll(".", "\\.")).join("|");
const SPECIAL = new RegExp(
  String.raw`^https?://[^/]+/(?:$|\?|(?:ui|v2)\b)|/(?:clusters|relay|rewind|proxy|exec|attach|portforward|log|skerry/(?:volumes|transfers|logs|registry|metrics|forwards))\b|watch|\.\.|[%\\]|/apis/(?!(?:${OWN})[/?])`,
);

const forwardParts = (env: Env): ForwardParts => ({
  clusterOf: (name) => clusterOf(env, name),
  toPod: (...asked) => passOn(env.RELAY, ...asked),
  seal: new Seal(secretsOf(env)),
  domain: env.SKERRY_FORWARD_DOMAIN,
  now: effects.now,
});

async function serve(request: Request, env: Env): Promise<Response> {
  // Before all else, so that such a host is never an app's or the API's.
  const host = forwardHost(request.url, env.SKERRY_FORWARD_DOMAIN);
  if (host !== undefined) return openForward(request, host, forwardParts(env));
  if (mayBeForApp(request, env.SKERRY_API_HOSTS)) {
    const answer = await openIngress(request, "default", clusterOf(env, "default"), env.RELAY);
    if (answer) return answer;
  }
  if (!SPECIAL.test(request.url) && !isByLogs(request) && !speaksForUs(request) && !shownCertificate(request))
    return compressed(request, await clusterOf(env, "default").fetch(request));
  const url = new URL(request.url);
  const outside = url.pathname;
  const { cluster, inner } = route(request, url);
  const stub = clusterOf(env, cluster);
  const path = url.pathname;
  if (isLogin(path))
    return openLogin(inner, {
      authentication: env.SKERRY_AUTHENTICATION,
      clients: env.SKERRY_LOGIN_CLIENTS,
      ask: (...asked) => readDocument(env.ISSUERS, ...asked),
      now: effects.now,
      known: KNOWN_ISSUERS,
    });
  if (isPage(inner, path)) return openPage(inner, outside, env.PAGE, forwardSource(url, env.SKERRY_FORWARD_DOMAIN));
  if (isForwards(path)) return openForwards(inner, cluster, forwardParts(env));
  if (isRegistry(path) || isCollect(path) || isClock(path) || isQuotas(path)) {
    const id = env.REGISTRY.idFromName(cluster);
    const parts = {
      clusterName: cluster,
      cluster: stub,
      bucket: bucketOf(env),
      folder: folderOf(cluster, id),
      ask: askOver(env.REGISTRY.get(id), cluster),
      now: effects.now,
      uid: effects.uid,
    };
    if (isRegistry(path)) return openRegistry(inner, parts);
    if (isClock(path)) return openClock(inner, parts);
    return isQuotas(path) ? openQuotas(inner, parts) : openCollect(inner, parts);
  }
  const peers = peersOf(path);
  if (peers) {
    if (!asksForSocket(request)) return upgradeRequired();
    return (await refusedNode(inner, cluster, peers.node, stub)) ?? openPeer(peers, cluster, stub, env.RELAY);
  }
  const relay = /^\/relay\/([^/]+)\/([^/]+)$/.exec(path);
  if (relay) {
    if (!asksForSocket(request)) return upgradeRequired();
    const refused = await refusedNode(inner, cluster, relay[1] ?? "", stub);
    if (refused) return refused;
    const object = env.RELAY.get(env.RELAY.idFromName(`${cluster}/${relay[1]}`));
    return object.fetch(new Request(`https://relay/agent/${relay[2]}`, inner));
  }
  if (isRewind(inner, path)) return rewind(inner, () => clusterOf(env, cluster));
  if (isProxy(path)) return openProxy(inner, outside, cluster, stub, env.RELAY);
  const kept = () => ({ clusterName: cluster, cluster: stub, bucket: bucketOf(env), seal: new Seal(secretsOf(env)) });
  const orKept = async (answer: Response) =>
    isByLogs(inner) && isOfPod(inner, path) ? orOfGone(url, answer, kept()) : answer;
  if (isStream(inner, path)) return orKept(await openStream(inner, cluster, stub, env.RELAY, kept));
  if (isVolumeBackup(path)) return openVolumeBackups(inner, kept());
  if (isKeptLog(path)) return openKeptLogs(inner, kept());
  if (isMetrics(path)) {
    const ask = askMetrics(env.METRICS.get(env.METRICS.idFromName(cluster)));
    const mac = (text: string) => new Seal(secretsOf(env)).digest(text);
    return openMetrics(inner, { clusterName: cluster, cluster: stub, ask, mac, now: effects.now });
  }
  if (isVolumeData(path)) return openVolumeData(inner, cluster, stub, env.RELAY);
  const ask = (asked: Request) =>
    isWatch(asked, url) ? openWatch(asked, stub) : stub.fetch(asked).then((answer) => compressed(asked, answer));
  return foreignGroupVersion(path) ? openAggregated(inner, ask, cluster, env.RELAY) : orKept(await ask(inner));
}

export default {
  async fetch(request, env): Promise<Response> {
    try {
      return await serve(request, env);
    } catch (error) {
      const why = errorText(error);
      const known =
        error instanceof ApiError
          ? error
          : new ApiError(503, "ServiceUnavailable", `the cluster did not answer: ${why}`);
      return Response.json(known.status(), { status: known.code });
    }
  },
} satisfies ExportedHandler<Env>;
