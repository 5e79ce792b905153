/** Asks webhooks: those at a URL directly, those behind a Service through the node of one of its pods. */
import type { Caller, CalloutAnswer, ClientConfig } from "./api/callouts/callouts.ts";
import { serviceGrant } from "./api/http/proxy.ts";
import { errorText } from "./lib/error-text.ts";
import { inTime, type Outside, openStream, type Way } from "./outside.ts";
import type { OwnRequest } from "./protocol/proxy.ts";

const DEFAULT_PORT = 443;

/** As far as it goes, an answer; else why there is none. */
export function caller(way: Way): Caller {
  const { outside } = way;
  if (!outside) return async () => ({ failed: "nothing outside can be reached" });
  return async ({ client, body, timeoutMs }) => {
    const { signal, end } = outside.deadline(timeoutMs);
    const target = urlOf(client);
    // Go says which question it was that failed.
    const failed = (why: string): CalloutAnswer => ({
      failed: `Post "${target}?timeout=${timeoutMs / 1000}s": ${why}`,
    });
    try {
      const response = await inTime(
        client.service ? service(way, outside, client, body, signal) : url(client, body, signal),
        signal,
      );
      return { status: response.status, body: await inTime(response.text(), signal) };
    } catch (error) {
      if (signal.aborted) return failed("context deadline exceeded");
      return failed(errorText(error));
    } finally {
      end();
    }
  };
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
  way: Way,
  outside: Outside,
  client: ClientConfig,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  const { name, namespace, port = DEFAULT_PORT } = client.service ?? { name: "", namespace: "" };
  const ca = client.caBundle ? atob(client.caBundle) : "";
  const grant = serviceGrant({ service: { name, namespace, port }, ca }, way.view, way.effects);
  openStream(way, grant);
  const { pathname } = new URL(urlOf(client));
  const headers: OwnRequest["headers"] = [
    ["host", `${name}.${namespace}.svc:${port}`],
    ["content-type", "application/json"],
    ["accept", "application/json"],
  ];
  return outside.exchange(way.clusterName, grant, { method: "POST", path: pathname, headers, body, signal });
}
