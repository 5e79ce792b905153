/** What requests by Ingresses the nodes have seen, asked of them when somebody wants to know. */
import type { NodeTraffic } from "./protocol/link.ts";
import { addTraffic } from "./protocol/traffic.ts";
import { NodeUsages, type UsageParts } from "./usages.ts";

/** `silent`: connected nodes that did not say in time, or that cannot. */
export type SeenTraffic = { traffic: NodeTraffic; silent: readonly string[] };

export type TrafficParts = Omit<UsageParts, "ask" | "keptMs"> & {
  /** False when the node is not connected, or does not know the question. */
  ask(node: string, id: number): boolean;
  /** Those that are connected. */
  nodes(): Iterable<string>;
};

const NOTHING: NodeTraffic = { countedMs: Number.MAX_SAFE_INTEGER, services: {}, ingresses: {}, pods: {} };

export class ClusterTraffic {
  readonly #nodes: TrafficParts["nodes"];
  readonly #usages: NodeUsages;

  constructor({ nodes, ask, ...parts }: TrafficParts) {
    this.#nodes = nodes;
    // A request may have come since an answer that is kept.
    this.#usages = new NodeUsages({ ...parts, ask: (node, id) => ask(node, id), keptMs: 0 });
  }

  async seen(): Promise<SeenTraffic> {
    const nodes = [...this.#nodes()];
    const told = await this.#usages.of(nodes, false);
    const known = [...told.values()].flatMap(({ traffic }) => traffic ?? []);
    return { traffic: known.reduce(addTraffic, NOTHING), silent: nodes.filter((node) => !told.has(node)) };
  }

  readonly answered: NodeUsages["answered"] = (...answer) => this.#usages.answered(...answer);

  gone(node: string): void {
    this.#usages.gone(node);
  }
}
