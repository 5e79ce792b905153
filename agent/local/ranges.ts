/** Address ranges of a cluster on this machine: several may live side by side, so each home has its own. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { DEFAULT_CONFIG, type IPv6Ranges, nthAddress } from "../../worker/lib/config.ts";
import { files, writeFile } from "./home.ts";

export type Ranges = { podCIDR: string; serviceCIDR: string; ipv6?: IPv6Ranges };

const DEFAULT_HOME = "/var/lib/skerry";
/** Second octets of 10.0.0.0/8 for homes other than the default one. */
const POD_OCTETS = { first: 160, count: 80 };
const SERVICE_OCTETS = { first: 97, count: 30 };

/** The n-th choice of a home; the default home's first choice is what Kubernetes users know. */
function choice(home: string, n: number): Ranges {
  if (home === DEFAULT_HOME && n === 0)
    return { podCIDR: DEFAULT_CONFIG.podCIDR, serviceCIDR: DEFAULT_CONFIG.serviceCIDR };
  const start = sha256(home).readUInt32BE(0) + n;
  return {
    podCIDR: `10.${POD_OCTETS.first + (start % POD_OCTETS.count)}.0.0/16`,
    serviceCIDR: `10.${SERVICE_OCTETS.first + (start % SERVICE_OCTETS.count)}.0.0/16`,
  };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

/** Unique local addresses (RFC 4193), as they are printed: 256 nodes, each with a /64. */
function ipv6Of(home: string): IPv6Ranges {
  const [first, second, third] = sha256(`ipv6 ${home}`).toString("hex").match(/.{4}/g) ?? [];
  const site = `fd${first?.slice(2)}:${second}:${third}`;
  return {
    podCIDR: `${nthAddress(`${site}::/56`, 0)}/56`,
    serviceCIDR: `${nthAddress(`${site}:ffff::/112`, 0)}/112`,
    nodeMask: 64,
  };
}

const prefix = (cidr: string) => cidr.split(".").slice(0, 2).join(".");

/**
 * Chosen once, at the cluster's first start, and kept: pods and Services have these addresses from then on. `dualStack`:
 * with IPv6 beside IPv4.
 */
export function ensureRanges(home: string, dualStack = false): Ranges {
  const path = files(home).ranges;
  if (existsSync(path)) {
    const ranges: Ranges = JSON.parse(readFileSync(path, "utf8"));
    if (dualStack && !ranges.ipv6) throw new Error("this cluster has IPv4 alone: --dual-stack is for its first start");
    return ranges;
  }
  const used = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => prefix(address)));
  for (let n = 0; n < POD_OCTETS.count; n++) {
    const ranges = choice(home, n);
    if (used.includes(prefix(ranges.podCIDR)) || used.includes(prefix(ranges.serviceCIDR))) continue;
    const chosen = { ...ranges, ...(dualStack && { ipv6: ipv6Of(home) }) };
    writeFile(path, `${JSON.stringify(chosen)}\n`);
    return chosen;
  }
  throw new Error("no free range of addresses for pods in 10.0.0.0/8 on this machine");
}
