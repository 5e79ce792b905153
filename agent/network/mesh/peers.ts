/** What the cluster tells of other nodes that matters to how they are reached. */
import { isIPv4 } from "node:net";
import { WIREGUARD_KEY, WIREGUARD_PORT } from "../../../worker/protocol/link.ts";
import type { Node } from "../types.ts";
import { isPublicKey } from "./keys.ts";
import { type Endpoint, endpointOf, parseEndpoint } from "./stun.ts";

/** Another node that can be reached by WireGuard. */
export type Peer = { node: string; key: string; podCIDR: string; address: string; home: Endpoint };

const isCIDR = (text: string) => isIPv4(text.split("/")[0] ?? "") && text.includes("/");

export function peersIn(nodes: readonly Node[], nodeName: string): Peer[] {
  return nodes.flatMap(({ metadata, spec, status }): Peer[] => {
    const { name: node = "", annotations = {} } = metadata ?? {};
    const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "";
    const podCIDR = spec?.podCIDR ?? "";
    const key = annotations[WIREGUARD_KEY] ?? "";
    const home = endpointOf(address, Number(annotations[WIREGUARD_PORT]));
    if (node === nodeName || !isPublicKey(key) || !isCIDR(podCIDR) || !parseEndpoint(home)) return [];
    return [{ node, key, podCIDR, address, home }];
  });
}
