/** Address ranges of a cluster on this machine: several may live side by side, so each home has its own. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { DEFAULT_CONFIG } from "../../worker/lib/config.ts";
import { files, writeFile } from "./home.ts";

export type Ranges = { podCIDR: string; serviceCIDR: string };

const DEFAULT_HOME = "/var/lib/skerry";
/** Second octets of 10.0.0.0/8 for homes other than the default one. */
const POD_OCTETS = { first: 160, count: 80 };
const SERVICE_OCTETS = { first: 97, count: 30 };

/** The n-th choice of a home; the default home's first choice is what Kubernetes users know. */
function choice(home: string, n: number): Ranges {
  if (home === DEFAULT_HOME && n === 0)
    return { podCIDR: DEFAULT_CONFIG.podCIDR, serviceCIDR: DEFAULT_CONFIG.serviceCIDR };
  const start = createHash("sha256").update(home).digest().readUInt32BE(0) + n;
  return {
    podCIDR: `10.${POD_OCTETS.first + (start % POD_OCTETS.count)}.0.0/16`,
    serviceCIDR: `10.${SERVICE_OCTETS.first + (start % SERVICE_OCTETS.count)}.0.0/16`,
  };
}

const prefix = (cidr: string) => cidr.split(".").slice(0, 2).join(".");

/** Chosen once, at the cluster's first start, and kept: pods and Services have these addresses from then on. */
export function ensureRanges(home: string): Ranges {
  const path = files(home).ranges;
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const used = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => prefix(address)));
  for (let n = 0; n < POD_OCTETS.count; n++) {
    const ranges = choice(home, n);
    if (used.includes(prefix(ranges.podCIDR)) || used.includes(prefix(ranges.serviceCIDR))) continue;
    writeFile(path, `${JSON.stringify(ranges)}\n`);
    return ranges;
  }
  throw new Error("no free range of addresses for pods in 10.0.0.0/8 on this machine");
}
