import { expect, test } from "vitest";
import { POLICY_PEERS, POLICY_RULES } from "../../../worker/protocol/policies.ts";
import { orphanedPeers } from "./orphans.ts";

test("sets are let go of when no rules speak of them, on every node", () => {
  const rules = { podSelector: {}, ingress: [{ peers: [{ kind: "pods", set: "a {app=x/y}" }] }], egress: [{}] };
  const objects = new Map([
    [POLICY_RULES, new Map([["a/p", rules]])],
    [POLICY_PEERS, new Map(["n1/a {app=x/y}", "n1/b {}", "n2/b {}"].map((key) => [key, { members: [] }]))],
  ] as [string, Map<string, unknown>][]);
  const of = (resource: string) => objects.get(resource) ?? new Map<string, unknown>();
  expect(orphanedPeers(of)).toEqual([
    { resource: POLICY_PEERS, namespace: "n1", name: "b {}", object: null },
    { resource: POLICY_PEERS, namespace: "n2", name: "b {}", object: null },
  ]);
  objects.delete(POLICY_RULES);
  expect(orphanedPeers(of)).toHaveLength(3);
});
