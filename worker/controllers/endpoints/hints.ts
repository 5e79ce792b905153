/**
 * Which endpoints are meant for the clients of which zone or node; what leads to a Service's pods goes by it.
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/ and, for `trafficDistribution`,
 * https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-distribution
 */
import { Node } from "../../kinds/core/node.ts";
import type { Service } from "../../kinds/core/service.ts";
import type { EndpointSlice } from "../../kinds/discovery/endpoint-slice.ts";
import { parseQuantity } from "../../lib/quantity.ts";
import { conditionOf } from "../conditions.ts";
import type { Digest, View } from "../controller.ts";
import { type Backend, ZONE } from "./backends.ts";

export type Hints = NonNullable<NonNullable<EndpointSlice["endpoints"]>[number]["hints"]>;
/** By the pod's uid; `refused` tells why there are none, where they are wanted in proportion to the zones' processors. */
export type Hinted = { hints: ReadonlyMap<string, Hints>; refused?: string };

const MODE = "service.kubernetes.io/topology-mode";
/** Its former name, which still goes first. */
const FORMER_MODE = "service.kubernetes.io/topology-aware-hints";
const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
const CLOSE = new Set(["PreferClose", "PreferSameZone", "PreferSameNode"]);
/** More than its share by so much is the most that an endpoint is to bear. */
const OVERLOAD = 0.2;

/** A node's part in what its zone can bear; `""` for a node that takes no part. */
type Share = { zone: string | undefined; nanoCpu: number } | "";

export const SHARES: Digest<Node, Share> = {
  kind: Node,
  of: ({ metadata, status }) => {
    if (CONTROL_PLANE.some((label) => metadata.labels?.[label] !== undefined)) return "";
    if (conditionOf(status?.conditions, "Ready")?.status !== "True") return "";
    return { zone: metadata.labels?.[ZONE], nanoCpu: Number(parseQuantity(status?.allocatable?.cpu ?? "0").nano) };
  },
};

export function isProportional({ metadata: { annotations } }: Readonly<Service>): boolean {
  const mode = annotations?.[FORMER_MODE] ?? annotations?.[MODE];
  return mode === "Auto" || mode === "auto";
}

export function hintsFor(view: View, service: Readonly<Service>, backends: readonly Backend[]): Hinted {
  if (isProportional(service)) return proportional([...view.digest(SHARES).values()], backends);
  const distribution = service.spec.trafficDistribution ?? "";
  if (!CLOSE.has(distribution)) return { hints: new Map() };
  const hints = new Map<string, Hints>();
  for (const { pod, ready, zone } of backends) {
    const node = distribution === "PreferSameNode" ? pod.spec.nodeName : undefined;
    if (!ready || (!zone && !node)) continue;
    hints.set(pod.metadata.uid ?? "", { ...(zone && forZone(zone)), ...(node && { forNodes: [{ name: node }] }) });
  }
  return { hints };
}

const forZone = (name: string): Hints => ({ forZones: [{ name }] });

/** Each zone has endpoints in proportion to its processors; where it lacks some, other zones' are meant for it. */
function proportional(shares: readonly Share[], backends: readonly Backend[]): Hinted {
  const none = (refused: string) => ({ hints: new Map<string, Hints>(), refused });
  const ratios = ratiosOf(shares);
  if (!ratios) return none("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes");
  const ready = backends.filter((backend) => backend.ready);
  const sizes = `(${ready.length} endpoints, ${ratios.size} zones)`;
  if (ratios.size > ready.length) return none(`Insufficient number of endpoints ${sizes}`);
  const wanted = allocate(ratios, ready.length);
  if (!wanted)
    return none(
      `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${sizes}`,
    );
  const zones = new Map<string, string>();
  for (const { pod, zone } of ready) {
    if (!zone) return none("One or more endpoints do not have a zone specified");
    zones.set(pod.metadata.uid ?? "", zone);
  }
  redistribute(zones, wanted);
  return { hints: new Map([...zones].map(([uid, zone]) => [uid, forZone(zone)])) };
}

/** Of each zone its part of all processors; undefined unless two zones or more are known of all nodes. */
function ratiosOf(shares: readonly Share[]): Map<string, number> | undefined {
  const byZone = new Map<string, number>();
  let total = 0;
  for (const share of shares) {
    if (share === "") continue;
    if (!share.zone || share.nanoCpu === 0) return undefined;
    byZone.set(share.zone, (byZone.get(share.zone) ?? 0) + share.nanoCpu);
    total += share.nanoCpu;
  }
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].toSorted().map(([zone, cpu]) => [zone, cpu / total]));
}

/** How many endpoints each zone should have; undefined where some endpoint would bear too much. */
function allocate(ratios: ReadonlyMap<string, number>, count: number): Map<string, number> | undefined {
  const wanted = new Map<string, number>();
  let left = count;
  for (const [zone, ratio] of ratios) {
    const least = Math.ceil((ratio * count) / (1 + OVERLOAD));
    wanted.set(zone, Math.max(ratio * count, least));
    left -= least;
  }
  return left < 0 ? undefined : wanted;
}

/** Zones that have more than they should give to those that have less, one endpoint at a time. */
function redistribute(zones: Map<string, string>, wanted: ReadonlyMap<string, number>): void {
  const has = new Map<string, number>();
  for (const zone of zones.values()) has.set(zone, (has.get(zone) ?? 0) + 1);
  const spare = new Map(
    [...new Set([...wanted.keys(), ...has.keys()])].map((zone) => [
      zone,
      (has.get(zone) ?? 0) - (wanted.get(zone) ?? 0),
    ]),
  );
  for (;;) {
    const [giving, given] = most(spare, 1);
    const [taking, taken] = most(spare, -1);
    if (given < 0.5 || taken < 0.5 || (given < 1 && taken < 1)) return;
    const uid = [...zones].find(([, zone]) => zone === giving)?.[0];
    if (uid === undefined) return;
    zones.set(uid, taking);
    spare.set(giving, given - 1);
    spare.set(taking, 1 - taken);
  }
}

/** The zone with the most to give (1) or to take (-1), and how much. */
function most(spare: ReadonlyMap<string, number>, sign: 1 | -1): [zone: string, amount: number] {
  let best: [string, number] = ["", 0];
  for (const [zone, amount] of spare) if (amount * sign > best[1]) best = [zone, amount * sign];
  return best;
}
