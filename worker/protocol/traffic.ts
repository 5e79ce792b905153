/**
 * Figures of requests that several have counted, as far as they can be true: of what is no figure, or no table of them, there
 * is none, since one node's word is part of what all are told.
 */
import { addHistograms } from "../lib/facts/latency.ts";
import type { Connections, NodeTraffic, Traffic } from "./link.ts";

export const NO_TRAFFIC: Traffic = { perSecond: 0, pending: 0, idleMs: Number.MAX_SAFE_INTEGER };

/** More than there ever is; what is added up stays a number that can be written. */
const MAX_AMOUNT = 1e18;
const amount = (given: unknown): number => (typeof given === "number" && given >= 0 && given <= MAX_AMOUNT ? given : 0);
const histogram = (given: unknown): number[] => (Array.isArray(given) ? given.map(amount) : []);
const table = (given: Record<string, Traffic>): [string, Traffic][] =>
  typeof given === "object" && given !== null ? Object.entries(given) : [];

/** Of requests that were counted by two, none by both. */
export const together = (a: Traffic, b: Traffic): Traffic => ({
  perSecond: amount(a.perSecond) + amount(b.perSecond),
  pending: amount(a.pending) + amount(b.pending),
  idleMs: Math.min(amount(a.idleMs), amount(b.idleMs)),
  ...((a.failedPerSecond || b.failedPerSecond) && {
    failedPerSecond: amount(a.failedPerSecond) + amount(b.failedPerSecond),
  }),
  ...((a.took || b.took) && { took: addHistograms(histogram(a.took), histogram(b.took)) }),
});

function merged(a: Record<string, Traffic>, b: Record<string, Traffic>): Record<string, Traffic> {
  const sum = { ...a };
  for (const [key, traffic] of table(b)) if (traffic) sum[key] = together(sum[key] ?? NO_TRAFFIC, traffic);
  return sum;
}

/** Not known where one of both does not say. */
export function bothConnections(a: Connections | undefined, b: Connections | undefined): Connections | undefined {
  if (!a || !b) return undefined;
  return { countedMs: Math.min(amount(a.countedMs), amount(b.countedMs)), services: merged(a.services, b.services) };
}

export function addTraffic(a: NodeTraffic, b: NodeTraffic): NodeTraffic {
  const connections = bothConnections(a.connections, b.connections);
  return {
    countedMs: Math.min(amount(a.countedMs), amount(b.countedMs)),
    services: merged(a.services, b.services),
    ingresses: merged(a.ingresses, b.ingresses),
    httproutes: merged(a.httproutes ?? {}, b.httproutes ?? {}),
    pods: merged(a.pods, b.pods),
    ...(connections && { connections }),
  };
}
