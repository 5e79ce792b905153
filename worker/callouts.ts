/** Asks webhooks: those at a URL directly, those behind a Service through the node of one of its pods. */
import type { Caller, CalloutAnswer, ClientConfig } from "./api/callouts/callouts.ts";
import { serviceGrant } from "./api/http/proxy.ts";
import { notConnected, type StreamGrant } from "./api/http/streams.ts";
import type { StoreView } from "./api/view.ts";
import type { OwnRequest } from "./protocol/proxy.ts";

/** What the platform has to give for it. */
export type Outside = {
  /** Carries one request over a granted stream of the cluster's; rejects when there is no answer. */
  exchange(clusterName: string, grant: StreamGrant, request: OwnRequest): Promise<Response>;
  /** Aborts after so many ms; `end` ends the wait. */
  deadline(ms: number): { signal: AbortSignal; end(): void };
};

export type CalloutParts = {
  clusterName: string;
  outside: Outside;
  view: StoreView;
  effects: { random(): number; uid(): string };
  /** Whether the node can be told of the stream, and its end dialled. */
  connected(node: string): boolean;
  stream(grant: StreamGrant): void;
};

const DEFAULT_PORT = 443;

/** As far as it goes, an answer; else why there is none. */
export function caller(parts: CalloutParts): Caller {
  return async ({ client, body, timeoutMs }) => {
    const { signal, end } = parts.outside.deadline(timeoutMs);
    const target = urlOf(client);
    // Go says which question it was that failed.
    const failed = (why: string): CalloutAnswer => ({
      failed: `Post "${target}?timeout=${timeoutMs / 1000}s": ${why}`,
    });
    try {
      const response = await inTime(
        client.service ? service(parts, client, body, signal) : url(client, body, signal),
        signal,
      );
      return { status: response.status, body: await inTime(response.text(), signal) };
    } catch (error) {
      if (signal.aborted) return failed("context deadline exceeded");
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      end();
    }
  };
}

/** Rejects when the signal aborts before the work is done. */
export function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function urlOf({ url: given, service: named }: ClientConfig): string {
  if (given) return given;
  const { name, namespace, port = DEFAULT_PORT, path = "" } = named ?? { name: "", namespace: "" };
  return `https://${name}.${namespace}.svc:${port}${path.startsWith("/") || path === "" ? path : `/${path}`}`;
}

function url({ url: address = "" }: ClientConfig, body: string, signal: AbortSignal): Promise<Response> {
  return fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body, signal });
}

function service(
  { view, effects, connected, stream, clusterName, outside }: CalloutParts,
  client: ClientConfig,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  const { name, namespace, port = DEFAULT_PORT } = client.service ?? { name: "", namespace: "" };
  const ca = client.caBundle ? atob(client.caBundle) : "";
  const grant = serviceGrant({ service: { name, namespace, port }, ca }, view, effects);
  if (!connected(grant.node)) throw notConnected(grant.node);
  stream(grant);
  const { pathname } = new URL(urlOf(client));
  const headers: OwnRequest["headers"] = [
    ["host", `${name}.${namespace}.svc:${port}`],
    ["content-type", "application/json"],
    ["accept", "application/json"],
  ];
  return outside.exchange(clusterName, grant, { method: "POST", path: pathname, headers, body, signal });
}
