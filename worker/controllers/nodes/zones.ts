/**
 * How many nodes are lost at once, zone by zone, and how fast lost ones may be given up: many at once are more likely a
 * failure of the network to them than of the nodes.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
 */
import { Node } from "../../kinds/core/node.ts";
import type { Digest, View } from "../controller.ts";
import { readyStatus } from "./readiness.ts";

export const NOT_READY = "node.kubernetes.io/not-ready";
export const UNREACHABLE = "node.kubernetes.io/unreachable";
const LOST = new Set([NOT_READY, UNREACHABLE]);

/** kube-controller-manager's defaults: its unhealthy-zone-threshold, node-eviction-rate and what belongs to them. */
const UNHEALTHY_SHARE = 0.55;
const UNHEALTHY_NODES = 3;
const LARGE_ZONE = 50;
const INTERVAL_MS = 10_000;
const SLOW_INTERVAL_MS = 100_000;

const EXCLUDED = "node.kubernetes.io/exclude-disruption";
const REGION = "topology.kubernetes.io/region";
const ZONE = "topology.kubernetes.io/zone";

type Health = {
  zone: string;
  isLost: boolean;
  /** Whether it tells something of its zone. */
  counts: boolean;
  /** When its pods' time began to run, ms since the epoch. */
  evictedAt: number | undefined;
};

const evictionOf = (node: Readonly<Node>) =>
  node.spec?.taints?.find(({ key, effect }) => LOST.has(key) && effect === "NoExecute");

/** Whether the time of its pods runs. */
export const isEvicting = (node: Readonly<Node>): boolean => evictionOf(node) !== undefined;

export const zoneOf = (node: Readonly<Node>): string => node.metadata.labels?.[ZONE] ?? "";

function healthOf(node: Readonly<Node>): Health {
  const eviction = evictionOf(node);
  return {
    zone: `${node.metadata.labels?.[REGION] ?? ""}/${zoneOf(node)}`,
    isLost: readyStatus(node) !== "True",
    counts: node.metadata.labels?.[EXCLUDED] === undefined,
    evictedAt: eviction && (Date.parse(eviction.timeAdded ?? "") || 0),
  };
}

const HEALTH: Digest<Node, Health> = { kind: Node, of: healthOf };

type Extent = "normal" | "partial" | "full";
type Zone = { size: number; lost: number };

const extentOf = ({ size, lost }: Zone): Extent => {
  if (lost === size) return "full";
  return lost >= UNHEALTHY_NODES && lost / size >= UNHEALTHY_SHARE ? "partial" : "normal";
};

function zonesOf(view: View): Map<string, Zone> {
  const zones = new Map<string, Zone>();
  for (const { zone, isLost, counts } of view.digest(HEALTH).values()) {
    if (!counts) continue;
    const sum = zones.get(zone) ?? { size: 0, lost: 0 };
    sum.size += 1;
    if (isLost) sum.lost += 1;
    zones.set(zone, sum);
  }
  return zones;
}

const isAllLost = (zones: ReadonlyMap<string, Zone>): boolean =>
  zones.size > 0 && [...zones.values()].every((zone) => extentOf(zone) === "full");

/** Changes when how many are lost makes a difference to any of them. */
export function disruptionOf(view: View): string {
  const zones = zonesOf(view);
  return [isAllLost(zones), ...[...zones].map(([name, zone]) => `${name} ${extentOf(zone)}`).toSorted()].join("\n");
}

/** Keys of the lost nodes. */
export function* lostNodes(view: View): Iterable<string> {
  for (const [key, { isLost }] of view.digest(HEALTH)) if (isLost) yield key;
}

/**
 * How long this lost node's pods are still left to it, in ms, where the only reason is how many are lost at once: one
 * node of a zone after the other. Infinite while too many of its zone are lost, or all nodes of the cluster.
 */
export function evictionWait(view: View, node: Readonly<Node>, now: number): number {
  const zones = zonesOf(view);
  if (isAllLost(zones)) return Number.POSITIVE_INFINITY;
  if (isEvicting(node)) return 0;
  const { zone } = healthOf(node);
  const sum = zones.get(zone);
  const isPartial = sum !== undefined && extentOf(sum) === "partial";
  if (isPartial && sum.size <= LARGE_ZONE) return Number.POSITIVE_INFINITY;
  const interval = isPartial ? SLOW_INTERVAL_MS : INTERVAL_MS;
  const key = `/${node.metadata.name}`;
  let last = Number.NEGATIVE_INFINITY;
  let before = 0;
  for (const [other, health] of view.digest(HEALTH)) {
    if (health.zone !== zone || !health.isLost) continue;
    if (health.evictedAt !== undefined) last = Math.max(last, health.evictedAt);
    else if (other < key) before += 1;
  }
  const free = last + interval;
  return free <= now ? 0 : free - now + before * interval;
}
