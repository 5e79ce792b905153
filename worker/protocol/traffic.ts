/** Figures of requests that several have counted. */
import { addHistograms } from "../lib/facts/latency.ts";
import type { Connections, NodeTraffic, Traffic } from "./link.ts";

export const NO_TRAFFIC: Traffic = { perSecond: 0, pending: 0, idleMs: Number.MAX_SAFE_INTEGER };

/** Of requests that were counted by two, none by both. */
export const together = (a: Traffic, b: Traffic): Traffic => ({
  perSecond: a.perSecond + b.perSecond,
  pending: a.pending + b.pending,
  idleMs: Math.min(a.idleMs, b.idleMs),
  ...((a.failedPerSecond || b.failedPerSecond) && {
    failedPerSecond: (a.failedPerSecond ?? 0) + (b.failedPerSecond ?? 0),
  }),
  ...((a.took || b.took) && { took: addHistograms(a.took ?? [], b.took ?? []) }),
});

function merged(a: Record<string, Traffic>, b: Record<string, Traffic>): Record<string, Traffic> {
  const sum = { ...a };
  for (const [key, traffic] of Object.entries(b)) sum[key] = together(sum[key] ?? NO_TRAFFIC, traffic);
  return sum;
}

/** Not known where one of both does not say. */
export function bothConnections(a: Connections | undefined, b: Connections | undefined): Connections | undefined {
  if (!a || !b) return undefined;
  return { countedMs: Math.min(a.countedMs, b.countedMs), services: merged(a.services, b.services) };
}

export function addTraffic(a: NodeTraffic, b: NodeTraffic): NodeTraffic {
  const connections = bothConnections(a.connections, b.connections);
  return {
    countedMs: Math.min(a.countedMs, b.countedMs),
    services: merged(a.services, b.services),
    ingresses: merged(a.ingresses, b.ingresses),
    httproutes: merged(a.httproutes ?? {}, b.httproutes ?? {}),
    pods: merged(a.pods, b.pods),
    ...(connections && { connections }),
  };
}
