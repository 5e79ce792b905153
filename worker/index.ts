/**
 * The Worker: finds the cluster in the URL and passes the request on. It holds clients' streams, so that the Cluster
 * object may sleep while they wait, and it parses nothing: its own CPU allowance is small.
 *
 * `/clusters/NAME/…` is cluster NAME's Kubernetes API; without that prefix the cluster is `default`.
 */
import { Hono } from "hono";
import { isProxy, openProxy } from "./edge/proxy.ts";
import { isStream, openStream } from "./edge/stream.ts";
import { openWatch } from "./edge/watch.ts";
import type { Env } from "./env.ts";
import { isWatch } from "./lib/is-watch.ts";
import { ApiError } from "./lib/status.ts";

export { Cluster } from "./cluster.ts";
export { Relay } from "./relay.ts";

const CLUSTER_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** The object that is the cluster, and the request as that cluster sees it. */
function route(request: Request): { cluster: string; inner: Request } {
  const url = new URL(request.url);
  const match = /^\/clusters\/([^/]+)(\/.*)?$/.exec(url.pathname);
  const cluster = match ? (match[1] as string) : "default";
  if (!CLUSTER_NAME.test(cluster))
    throw new ApiError(404, "NotFound", "the server could not find the requested resource");
  if (match) url.pathname = match[2] ?? "/";
  const inner = new Request(url, request);
  inner.headers.set("x-skerry-cluster", cluster);
  inner.headers.delete("x-skerry-internal");
  return { cluster, inner };
}

const app = new Hono<{ Bindings: Env }>();

app.all("*", async (c) => {
  const { cluster, inner } = route(c.req.raw);
  const stub = c.env.CLUSTER.get(c.env.CLUSTER.idFromName(cluster));
  const path = new URL(inner.url).pathname;
  const relay = /^\/relay\/([^/]+)\/([^/]+)$/.exec(path);
  if (relay) {
    const object = c.env.RELAY.get(c.env.RELAY.idFromName(`${cluster}/${relay[1]}`));
    return object.fetch(new Request(`https://relay/agent/${relay[2]}`, inner));
  }
  if (isProxy(path)) return openProxy(inner, new URL(c.req.url).pathname, cluster, stub, c.env.RELAY);
  if (isStream(inner, path)) return openStream(inner, cluster, stub, c.env.RELAY);
  if (isWatch(inner)) return openWatch(inner, stub);
  return stub.fetch(inner);
});

app.onError((error) => {
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(503, "ServiceUnavailable", `the cluster did not answer: ${error.message}`);
  return Response.json(known.status(), { status: known.code });
});

export default app;
