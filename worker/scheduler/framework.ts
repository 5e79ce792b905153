import type { View } from "../controllers/controller.ts";
import type { PodInfo, Traits } from "./pod.ts";
import type { NodeInfo } from "./snapshot.ts";

/** Why a node does not do. `final`: not even if it had no other pods. */
export type Refusal = { reasons: readonly string[]; final: boolean };

/** What filters and scores may look at. `view` is for what the snapshot leaves out, such as namespaces' labels. */
export type Cluster = { snapshot: Nodes; view: View };

/** A Snapshot, or what one would be if some pods came or went. */
export type Nodes = {
  readonly nodes: ReadonlyMap<string, NodeInfo>;
  /** How many pods have any affinity of their own. */
  readonly affine: number;
  /** Visits every node that has pods that match, with their number: pods that are alike are looked at once. */
  visit(matches: (traits: Traits) => boolean, visit: (node: NodeInfo, count: number, traits: Traits) => void): void;
  /** How many values of this label nodes have. */
  domains(key: string): number;
};

/**
 * One condition that a node must meet. `judge` looks at the pod once and returns the test of a node; undefined when
 * the pod asks nothing of the kind, so that it costs nothing. Reasons are the words that users of kubectl know.
 */
export type Filter = {
  name: string;
  judge(pod: PodInfo, cluster: Cluster): ((node: NodeInfo) => true | Refusal) | undefined;
};

/**
 * One preference among nodes that do. `rate` returns a number for each node, which `scale` brings to 0…100;
 * undefined when it has no opinion.
 */
export type Score = {
  name: string;
  weight: number;
  rate(pod: PodInfo, cluster: Cluster, nodes: readonly NodeInfo[]): ((node: NodeInfo) => number) | undefined;
  scale: Scale;
};

/** Turns what was rated to 0…100. */
export type Scale = (rates: readonly number[]) => number[];

export const MAX_SCORE = 100;

export const asIs: Scale = (rates) => [...rates];

export const moreIsBetter: Scale = (rates) => {
  const most = Math.max(...rates);
  return rates.map((rate) => (most === 0 ? 0 : Math.floor((rate * MAX_SCORE) / most)));
};

export const fewerIsBetter: Scale = (rates) => {
  const most = Math.max(...rates);
  return rates.map((rate) => (most === 0 ? MAX_SCORE : MAX_SCORE - Math.floor((rate * MAX_SCORE) / most)));
};

export const refuse = (...reasons: string[]): Refusal => ({ reasons, final: false });
export const refuseFinally = (...reasons: string[]): Refusal => ({ reasons, final: true });
