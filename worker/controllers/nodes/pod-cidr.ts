import { Node } from "../../kinds/core/node.ts";
import type { Controller, Digest, View } from "../controller.ts";
import { normal } from "../events.ts";
import { keyOf, watch } from "../keys.ts";

/** `base` and block numbers are unsigned 32-bit IPv4 addresses. */
type Range = { base: number; blocks: number; size: number; mask: number };

function parseRange(cidr: string, mask: number): Range {
  const [address = "", bits = ""] = cidr.split("/");
  const width = Number(bits);
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  if (!Number.isInteger(value) || !(width >= 0 && width <= mask && mask <= 32))
    throw new Error(`no blocks of /${mask} in ${cidr}`);
  const span = 2 ** (32 - width);
  return { base: value - (value % span), blocks: 2 ** (mask - width), size: 2 ** (32 - mask), mask };
}

function block({ base, size, mask }: Range, n: number): string {
  const address = base + n * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")}/${mask}`;
}

/** What every node has; nothing where it has none yet. */
const RANGES: Digest<Node, readonly string[]> = {
  kind: Node,
  of: ({ spec }) => [...(spec?.podCIDR ? [spec.podCIDR] : []), ...(spec?.podCIDRs ?? [])],
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
 * Gives every node a range of pod addresses of its own: the first free /`mask` of `podCIDR`.
 * https://kubernetes.io/docs/concepts/cluster-administration/networking/
 */
export function nodeIpamController(podCIDR: string, mask: number): Controller {
  const range = parseRange(podCIDR, mask);
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
      const cidr = firstFree(range, view);
      if (!cidr)
        return [normal(node, "CIDRNotAvailable", `Node ${node.metadata.name} status is now: CIDRNotAvailable`)];
      return [
        {
          do: "update",
          kind: Node,
          object: { ...node, spec: { ...node.spec, podCIDR: cidr, podCIDRs: [cidr] } } as Node,
        },
      ];
    },
  };
}
