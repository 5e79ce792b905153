import { existsSync, readFileSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";
import { join } from "node:path";
import { canonicalCidr, canonicalIp } from "../../worker/kinds/validation/ip.ts";

/** What differs between IPv4 and IPv6 in the words of nftables. Each family has tables of its own, which are alike. */
export type Family = {
  /** Of tables, and before addresses in rules. */
  word: "ip" | "ip6";
  /** As Kubernetes calls it. */
  name: "IPv4" | "IPv6";
  /** Of addresses in sets and maps. */
  type: "ipv4_addr" | "ipv6_addr";
  loopback: string;
  /** What stands for every address of a machine. */
  unspecified: string;
  /** nft takes it for any address, and does not take it for a match. */
  everything: string;
  has(address: string): boolean;
  /** An address of the family as the kernel prints it; undefined for all else. What is the same there is the same here. */
  canonical(address: string): string | undefined;
};

export const IPV4: Family = {
  word: "ip",
  name: "IPv4",
  type: "ipv4_addr",
  loopback: "127.0.0.0/8",
  unspecified: "0.0.0.0",
  everything: "0.0.0.0/0",
  has: isIPv4,
  canonical: (address) => (isIPv4(address) ? address : undefined),
};

export const IPV6: Family = {
  word: "ip6",
  name: "IPv6",
  type: "ipv6_addr",
  loopback: "::1",
  unspecified: "::",
  everything: "::/0",
  has: isIPv6,
  canonical: (address) => (isIPv6(address) ? canonicalIp(address) : undefined),
};

export const FAMILIES: readonly Family[] = [IPV4, IPV6];

/** Of an address or a range, if it is one. */
export const familyOf = (text: string): Family => (text.includes(":") ? IPV6 : IPV4);

/** Why interfaces that are made here get no addresses of IPv6; undefined where they do. */
export function whyNoIPv6(sysctls = "/proc/sys/net/ipv6"): string | undefined {
  if (!existsSync(sysctls)) return "the kernel has no IPv6";
  const off = ["all", "default"].find((name) => {
    const path = join(sysctls, "conf", name, "disable_ipv6");
    return existsSync(path) && readFileSync(path, "utf8").trim() === "1";
  });
  return off && `net.ipv6.conf.${off}.disable_ipv6 is 1`;
}

/** Those of the family, each once. */
export const distinct = ({ canonical }: Family, addresses: readonly string[]): string[] => [
  ...new Set(addresses.flatMap((address) => canonical(address) ?? [])),
];

/** An address as a part of a name in nft, which has no colons. */
export const inName = (address: string): string => address.replaceAll(":", "_");

export const withPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** A range of the family as the kernel prints it; undefined for all else. */
export function rangeOf({ has }: Family, cidr: string): string | undefined {
  return has(cidr.split("/")[0] ?? "") ? canonicalCidr(cidr) : undefined;
}
