/** What the cluster tells of other nodes that matters to how they are reached. */
import { WIREGUARD_KEY, WIREGUARD_PORT } from "../../../worker/protocol/link.ts";
import { podCIDRsOf } from "../routes.ts";
import type { Node } from "../types.ts";
import { isPublicKey } from "./keys.ts";
import { type Endpoint, endpointOf, parseEndpoint } from "./stun.ts";

/** Another node that can be reached by WireGuard. */
export type Peer = { node: string; key: string; podCIDRs: readonly string[]; address: string; home: Endpoint };

export function peersIn(nodes: readonly Node[], nodeName: string): Peer[] {
  return nodes.flatMap(({ metadata, spec, status }): Peer[] => {
    const { name: node = "", annotations = {} } = metadata ?? {};
    const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "";
    const podCIDRs = podCIDRsOf(spec);
    const key = annotations[WIREGUARD_KEY] ?? "";
    const home = endpointOf(address, Number(annotations[WIREGUARD_PORT]));
    if (node === nodeName || !isPublicKey(key) || podCIDRs.length === 0 || !parseEndpoint(home)) return [];
    return [{ node, key, podCIDRs, address, home }];
  });
}
