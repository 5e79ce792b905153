import { Node } from "../../kinds/core/node.ts";
import { canonicalCidr, ipFamily, isCidr } from "../../kinds/validation/ip.ts";
import { nthAddress } from "../../lib/config.ts";
import type { Controller, Digest, View } from "../controller.ts";
import { normal } from "../events.ts";
import { keyOf, watch } from "../keys.ts";

/** `size` is the number of addresses in one of the `blocks`. */
type Range = { cidr: string; mask: number; blocks: number; size: number };

export type PodRange = {
  /** The range that nodes' pod ranges are cut from: `10.244.0.0/16`. */
  cidr: string;
  /** Each node gets a /mask of it. */
  mask: number;
};

function parseRange({ cidr, mask }: PodRange): Range {
  const width = Number(cidr.split("/")[1]);
  const most = ipFamily(cidr.split("/")[0] ?? "") === "IPv6" ? 128 : 32;
  if (!isCidr(cidr) || !(width <= mask && mask <= most)) throw new Error(`no blocks of /${mask} in ${cidr}`);
  return { cidr, mask, blocks: 2 ** (mask - width), size: 2 ** (most - mask) };
}

const block = ({ cidr, size, mask }: Range, n: number): string => `${nthAddress(cidr, n * size)}/${mask}`;

/** What every node has, however clients write it; nothing where it has none yet. */
const RANGES: Digest<Node, readonly string[]> = {
  kind: Node,
  of: ({ spec }) => [spec?.podCIDR ?? "", ...(spec?.podCIDRs ?? [])].flatMap((range) => canonicalCidr(range) ?? []),
};

function firstFree(range: Range, view: View): string | undefined {
  const taken = new Set([...view.digest(RANGES).values()].flat());
  for (let n = 0; n < range.blocks; n++) {
    const cidr = block(range, n);
    if (!taken.has(cidr)) return cidr;
  }
  return undefined;
}

/**
 * Gives every node ranges of pod addresses of its own: the first free block of each of the cluster's, or none of any.
 * https://kubernetes.io/docs/concepts/cluster-administration/networking/
 */
export function nodeIpamController(podRanges: readonly PodRange[]): Controller {
  const ranges = podRanges.map(parseRange);
  // A pod's addresses have the same place in each of its node's ranges.
  const [first] = ranges;
  const small = ranges.find(({ size }) => size < (first?.size ?? 0));
  if (small)
    throw new Error(
      `a node has fewer addresses in /${small.mask} of ${small.cidr} than in /${first?.mask} of ${first?.cidr}`,
    );
  return {
    name: "node-ipam-controller",
    watches: [
      watch(Node, function* (node, _old, view, type) {
        if (type !== "DELETED" && !node.spec?.podCIDR) yield keyOf(node);
        // Its range is free for those that got none.
        if (type === "DELETED") for (const [other, ranges] of view.digest(RANGES)) if (ranges.length === 0) yield other;
      }),
    ],
    reconcile(view, key) {
      const node = view.get(Node, "", key.slice(1));
      if (!node || node.spec?.podCIDR || node.metadata.deletionTimestamp) return [];
      const podCIDRs = ranges.flatMap((range) => firstFree(range, view) ?? []);
      if (podCIDRs.length < ranges.length)
        return [normal(node, "CIDRNotAvailable", `Node ${node.metadata.name} status is now: CIDRNotAvailable`)];
      return [
        {
          do: "update",
          kind: Node,
          object: { ...node, spec: { ...node.spec, podCIDR: podCIDRs[0], podCIDRs } } as Node,
        },
      ];
    },
  };
}
