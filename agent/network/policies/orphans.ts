import type { NodeChange } from "../../../worker/protocol/link.ts";
import { POLICY_PEERS, POLICY_RULES, type PolicyRules } from "../../../worker/protocol/policies.ts";

/** The cluster tells of rules that end, and not of their sets: what lets go of those that no rules speak of any more. */
export function orphanedPeers(of: (resource: string) => ReadonlyMap<string, unknown>): NodeChange[] {
  const peers = of(POLICY_PEERS);
  if (peers.size === 0) return [];
  const spoken = new Set([...of(POLICY_RULES).values()].flatMap((rules) => setsOf(rules as PolicyRules)));
  return [...peers.keys()].flatMap((key) => {
    const at = key.indexOf("/");
    const [namespace, name] = [key.slice(0, at), key.slice(at + 1)];
    return spoken.has(name) ? [] : [{ resource: POLICY_PEERS, namespace, name, object: null }];
  });
}

const setsOf = ({ ingress = [], egress = [] }: PolicyRules): string[] =>
  [...ingress, ...egress].flatMap(({ peers = [] }) => peers.flatMap((peer) => ("set" in peer ? [peer.set] : [])));
