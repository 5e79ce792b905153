import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import type { PolicyPeer, PolicyPeers } from "../../../worker/protocol/policies.ts";
import { isPort } from "../services/endpoints.ts";
import { protocolWord } from "./ports.ts";

type Elements = Map<string, string>;
type Known = { parts: readonly PolicyPeers[]; elements: Elements };

/** The name of something in nft, which is made of what has names of its own. */
export const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

export const EVERY_POD = "every_pod";
export const setName = (id: string): string => `peers-${digest(id)}`;

/** The members of all sets, each as what nft has in it. A set whose parts are the same as before is the same as before. */
export class PeerSets {
  readonly #known = new Map<string, Known>();

  /** By set. */
  update(peers: ReadonlyMap<string, PolicyPeers>): void {
    const parts = new Map<string, PolicyPeers[]>();
    for (const [key, part] of peers) {
      const id = key.slice(key.indexOf("/") + 1);
      const all = parts.get(id) ?? [];
      all.push(part);
      parts.set(id, all);
    }
    for (const id of this.#known.keys()) if (!parts.has(id)) this.#known.delete(id);
    for (const [id, all] of parts) {
      const known = this.#known.get(id);
      if (known?.parts.length === all.length && known.parts.every((part, i) => part === all[i])) continue;
      this.#known.set(id, { parts: all, elements: elementsOf(all) });
    }
  }

  elements(id: string): Elements {
    return this.#known.get(id)?.elements ?? new Map();
  }

  /** Whether a set has this address, or this place, in it. */
  has(id: string, member: string): boolean {
    return this.#known.get(id)?.parts.some(({ members }) => members.includes(member)) ?? false;
  }
}

function elementsOf(parts: readonly PolicyPeers[]): Elements {
  const elements: Elements = new Map();
  for (const { members } of parts)
    for (const member of members) {
      const element = elementOf(member);
      if (element) elements.set(element, "");
    }
  return elements;
}

/** undefined for what nft could not read. */
function elementOf(member: string): string | undefined {
  const [address = "", protocol, port] = member.split(" ");
  if (!isIPv4(address)) return undefined;
  if (protocol === undefined) return address;
  const word = protocolWord(protocol);
  return word && isPort(Number(port)) ? `${address} . ${word} . ${port}` : undefined;
}

/** What matches a peer at one end of a packet; undefined where that can be nobody. */
export function peerMatch(peer: PolicyPeer, end: "saddr" | "daddr"): string | undefined {
  switch (peer.kind) {
    case "block":
      return blockMatch(peer, end);
    case "everyPod":
      return `ip ${end} @${EVERY_POD} `;
    case "pods":
      return `ip ${end} @${setName(peer.set)} `;
    case "places":
      return `ip ${end} . meta l4proto . th dport @${setName(peer.set)} `;
  }
}

function blockMatch({ cidr, except }: Extract<PolicyPeer, { kind: "block" }>, end: string): string | undefined {
  const range = rangeOf(cidr);
  if (!range) return undefined;
  const others = except.flatMap((other) => rangeOf(other) ?? []);
  if (others.some((other) => other === EVERYTHING)) return undefined;
  const inside = range === EVERYTHING ? "" : `ip ${end} ${range} `;
  return [inside, ...others.map((other) => `ip ${end} != ${other} `)].join("");
}

/** What nft takes for any address, and does not take for a match. */
const EVERYTHING = "0.0.0.0/0";

/** A range without bits beyond its length; undefined for what is none of IPv4. */
export function rangeOf(cidr: string): string | undefined {
  if (!ipaddr.IPv4.isValidCIDR(cidr)) return undefined;
  const [, length] = ipaddr.IPv4.parseCIDR(cidr);
  return `${ipaddr.IPv4.networkAddressFromCIDR(cidr)}/${length}`;
}

export function isInBlock({ cidr, except }: Extract<PolicyPeer, { kind: "block" }>, address: string): boolean {
  const isIn = (range: string) =>
    ipaddr.IPv4.isValidCIDR(range) && ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(range));
  return isIn(cidr) && !except.some(isIn);
}
