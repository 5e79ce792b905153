import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import type { Service } from "../../kinds/core/service.ts";
import { isCidr, isIp } from "../../kinds/validation/ip.ts";
import { fnv32 } from "../../lib/fnv.ts";
import { ANNOUNCED_BY, POOL } from "../../lib/load-balancers.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { matchesRequirements, type Requirement } from "../../lib/selectors.ts";
import type { View } from "../controller.ts";
import { addressesOf, others, type Plan, serving } from "./balanced.ts";

/** Addresses as numbers, both ends included. */
type Range = { first: number; last: number };
export type Pool = { ranges: readonly Range[]; nodes: readonly Requirement[]; problem?: string };

export function poolOf(view: View): Pool | undefined {
  const map = view.get(ConfigMap, POOL.namespace, POOL.name);
  return map && readPool(map.data ?? {});
}

/** Never throws: what cannot be read is the pool's problem, which its Services tell. */
export function readPool(data: Readonly<Record<string, string>>): Pool {
  const words = (data.addresses ?? "").split(/[\s,]+/).filter(Boolean);
  const ranges = words.map((word) => ({ word, range: rangeOf(word) }));
  const strange = ranges.find(({ range }) => !range);
  const about = `ConfigMap "${POOL.namespace}/${POOL.name}"`;
  const none = { ranges: [], nodes: [] };
  if (strange) return { ...none, problem: `${about}: "${strange.word}" is no IPv4 address, range or CIDR` };
  try {
    return { ranges: ranges.flatMap(({ range }) => range ?? []), nodes: parseLabelSelector(data.nodeSelector ?? "") };
  } catch {
    return { ...none, problem: `${about}: nodeSelector "${data.nodeSelector}" is no label selector` };
  }
}

function rangeOf(word: string): Range | undefined {
  const [from = "", to = from, ...more] = word.split("-");
  if (isV4(from) && isV4(to) && more.length === 0) {
    const range = { first: numberOf(from), last: numberOf(to) };
    return range.first <= range.last ? range : undefined;
  }
  if (!isCidr(word) || word.includes(":")) return undefined;
  const [address = "", bits] = word.split("/");
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(numberOf(address) / size) * size;
  return { first, last: first + size - 1 };
}

const isV4 = (text: string) => isIp(text) && !text.includes(":");
const numberOf = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const textOf = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

const has = ({ ranges }: Pool, address: string) =>
  isV4(address) && ranges.some(({ first, last }) => first <= numberOf(address) && numberOf(address) <= last);

/**
 * One of the pool's addresses for itself alone, which one node answers for in its network. It stays the Service's while no
 * node can, so that all have theirs again when nodes come back.
 */
export function fromPool(view: View, key: string, service: Readonly<Service>, pool: Pool): Plan {
  if (pool.problem) return { addresses: [], problem: pool.problem };
  const { address, problem } = choose(view, key, service, pool);
  if (!address) return { addresses: [], problem };
  const by = announcer(view, key, service, pool);
  if (by) return { addresses: [address], by };
  return {
    addresses: addressesOf(service).filter((known) => known === address),
    problem: "no node that could answer for it is ready",
  };
}

type Choice = { address?: string; problem?: string };

function choose(view: View, key: string, service: Readonly<Service>, pool: Pool): Choice {
  const created = `${service.metadata.creationTimestamp} ${key}`;
  const taken = new Map(
    [...others(view, key)].flatMap(([other, held]) => held.addresses.map((ip) => [ip, { other, ...held }])),
  );
  const requested = service.spec.loadBalancerIP;
  if (requested) {
    if (!has(pool, requested)) return { problem: `address ${requested} is not in the pool` };
    const holder = taken.get(requested);
    return holder ? { problem: `address ${requested} is in use by service "${holder.other}"` } : { address: requested };
  }
  const [known = ""] = addressesOf(service);
  const holder = taken.get(known);
  if (has(pool, known) && !(holder && holder.since < created)) return { address: known };
  for (const { first, last } of pool.ranges)
    for (let value = first; value <= last; value++) if (!taken.has(textOf(value))) return { address: textOf(value) };
  return { problem: "no address of the pool is free" };
}

/** The node that has it, as long as that can serve; then any, but always the same one of the same nodes. */
function announcer(view: View, key: string, service: Readonly<Service>, { nodes }: Pool): string | undefined {
  const able = serving(view, service)
    .map(([node]) => node)
    .filter((node) => nodes.length === 0 || matchesRequirements(nodes, view.get(Node, "", node)?.metadata.labels));
  const known = service.metadata.annotations?.[ANNOUNCED_BY] ?? "";
  if (able.includes(known)) return known;
  const weight = (node: string) => fnv32(`${key} ${node}`);
  return able.toSorted((a, b) => weight(a) - weight(b))[0];
}
