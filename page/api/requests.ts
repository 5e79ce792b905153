import { type Histogram, latencyQuantile } from "../../worker/lib/facts/latency.ts";
import { REQUESTS_PATH, type RequestsNow, type RequestsOf } from "../../worker/lib/facts/requests.ts";
import type { Client } from "./client.ts";
import { partOf } from "./discovery.ts";

export type { Histogram, RequestsNow, RequestsOf };
export { latencyQuantile };

/** Of a namespace, or of all for an empty one. */
export const askRequests = (client: Client, namespace: string, signal: AbortSignal): Promise<RequestsNow> =>
  client.json(namespace === "" ? REQUESTS_PATH : `${REQUESTS_PATH}/namespaces/${partOf(namespace)}`, { signal });
