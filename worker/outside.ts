/** The way to programs in the cluster and to servers elsewhere, as webhooks and extension servers are asked. */
import { notConnected, type StreamGrant } from "./api/http/streams.ts";
import type { StoreView } from "./api/view.ts";
import type { StreamRequest } from "./protocol/link.ts";
import type { OwnRequest } from "./protocol/proxy.ts";

/** What the platform has to give for it. */
export type Outside = {
  /** Carries one request over a granted stream of the cluster's; rejects when there is no answer. */
  exchange(clusterName: string, grant: StreamGrant, request: OwnRequest): Promise<Response>;
  /** Asks a server elsewhere, which may be near where the control plane runs on a machine of one's own. */
  fetch(url: string, request: RequestInit): Promise<Response>;
  /** Aborts after so many ms; `end` ends the wait. */
  deadline(ms: number): { signal: AbortSignal; end(): void };
};

export type Way = {
  clusterName: string;
  /** Absent where nothing outside can be reached. */
  outside: Outside | undefined;
  view: StoreView;
  effects: { now(): number; random(): number; uid(): string };
  /** Asks the node's agent to dial its Relay; false when the node is not connected. */
  stream(node: string, request: StreamRequest): boolean;
};

/** Has the node's agent come to the stream. Throws the 503 where it cannot be told. */
export function openStream({ stream: ask }: Pick<Way, "stream">, { node, stream }: StreamGrant): void {
  if (!ask(node, stream)) throw notConnected(node);
}

/** Rejects when the signal aborts before the work is done. */
export function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
