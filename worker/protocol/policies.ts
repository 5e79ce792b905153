/**
 * NetworkPolicies as nodes hear of them, with which every selector of other pods has become a set that is told apart. A
 * node is told the rules of the policies that select one of its pods, and of their sets what is on each node.
 */
import type { LabelSelector } from "../lib/selectors.ts";

/** Resources of what is told: rules by their policy's namespace and name, members by node and set. */
export const POLICY_RULES = "policyrules";
export const POLICY_PEERS = "policypeers";

export type PolicyRules = {
  /** Of the policy's own namespace. */
  podSelector: LabelSelector;
  /** What may come in; absent where the policy does not say, so that the pods are not isolated by it. */
  ingress?: PolicyRule[];
  egress?: PolicyRule[];
};

export type PolicyRule = {
  /** Absent: all of every protocol. */
  ports?: PolicyPort[];
  /** Absent: everyone. */
  peers?: PolicyPeer[];
};

/** From one number to another, or by its name in the selected pod; without either all of the protocol. */
export type PolicyPort = { protocol: string; from?: number; to?: number; name?: string };

export type PolicyPeer =
  | { kind: "block"; cidr: string; except: readonly string[] }
  /** Whoever has an address of any node's pods. */
  | { kind: "everyPod" }
  /** Members are addresses. */
  | { kind: "pods"; set: string }
  /** Members are `ADDRESS PROTOCOL PORT`, and the rule's ports do not matter. */
  | { kind: "places"; set: string };

/** The members of one set that are on one node. */
export type PolicyPeers = { members: string[] };
