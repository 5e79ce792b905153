import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import type { PolicyPeer, PolicyPeers } from "../../../worker/protocol/policies.ts";
import { type Family, rangeOf } from "../family.ts";
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
  readonly #family: Family;
  readonly #known = new Map<string, Known>();

  constructor(family: Family) {
    this.#family = family;
  }

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
      this.#known.set(id, { parts: all, elements: elementsOf(all, this.#family) });
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

function elementsOf(parts: readonly PolicyPeers[], family: Family): Elements {
  const elements: Elements = new Map();
  for (const { members } of parts)
    for (const member of members) {
      const element = elementOf(member, family);
      if (element) elements.set(element, "");
    }
  return elements;
}

/** undefined for what nft could not read, or is of another family. */
function elementOf(member: string, family: Family): string | undefined {
  const [text = "", protocol, port] = member.split(" ");
  const address = family.canonical(text);
  if (!address) return undefined;
  if (protocol === undefined) return address;
  const word = protocolWord(protocol);
  return word && isPort(Number(port)) ? `${address} . ${word} . ${port}` : undefined;
}

/** What matches a peer at one end of a packet; undefined where that can be nobody. */
export function peerMatch(peer: PolicyPeer, end: "saddr" | "daddr", family: Family): string | undefined {
  switch (peer.kind) {
    case "block":
      return blockMatch(peer, end, family);
    case "everyPod":
      return `${family.word} ${end} @${EVERY_POD} `;
    case "pods":
      return `${family.word} ${end} @${setName(peer.set)} `;
    case "places":
      return `${family.word} ${end} . meta l4proto . th dport @${setName(peer.set)} `;
  }
}

function blockMatch(
  { cidr, except }: Extract<PolicyPeer, { kind: "block" }>,
  end: string,
  family: Family,
): string | undefined {
  const { word: ip, everything } = family;
  const range = rangeOf(family, cidr);
  if (!range) return undefined;
  const others = except.flatMap((other) => rangeOf(family, other) ?? []);
  if (others.some((other) => other === everything)) return undefined;
  const inside = range === everything ? "" : `${ip} ${end} ${range} `;
  return [inside, ...others.map((other) => `${ip} ${end} != ${other} `)].join("");
}

export function isInBlock({ cidr, except }: Extract<PolicyPeer, { kind: "block" }>, address: string): boolean {
  const own = ipaddr.parse(address);
  const isIn = (range: string) => {
    if (!ipaddr.isValidCIDR(range)) return false;
    const [network, length] = ipaddr.parseCIDR(range);
    return network.kind() === own.kind() && own.match(network, length);
  };
  return isIn(cidr) && !except.some(isIn);
}
