/** What requests by Ingresses the nodes have seen, asked of them when somebody wants to know. */
import type { Heard } from "./controllers/scale-to-zero/scale-to-zero.ts";
import type { Connections, NodeTraffic } from "./protocol/link.ts";
import { addTraffic, NO_TRAFFIC } from "./protocol/traffic.ts";
import { NodeUsages, type UsageParts } from "./usages.ts";

/** Of connected nodes: those that said what they have seen, and those that did not in time, or not all, or cannot. */
export type SeenTraffic = { traffic: NodeTraffic; by: ReadonlySet<string>; silent: readonly string[] };

export type TrafficParts = Omit<UsageParts, "ask" | "keptMs"> & {
  /** False when the node is not connected, or does not know the question. */
  ask(node: string, id: number): boolean;
  /** Those that are connected. */
  nodes(): Iterable<string>;
  /** How many requests the edge holds for each Service, `namespace/name`. */
  held(): Iterable<[service: string, count: number]>;
};

const COUNTED: Connections = { countedMs: Number.MAX_SAFE_INTEGER, services: {} };
const NOTHING: NodeTraffic = { ...COUNTED, ingresses: {}, pods: {}, connections: COUNTED };

export class ClusterTraffic {
  readonly #nodes: TrafficParts["nodes"];
  readonly #held: TrafficParts["held"];
  readonly #usages: NodeUsages;

  constructor({ nodes, held, ask, ...parts }: TrafficParts) {
    this.#nodes = nodes;
    this.#held = held;
    // A request may have come since an answer that is kept.
    this.#usages = new NodeUsages({ ...parts, ask: (node, id) => ask(node, id), keptMs: 0 });
  }

  async seen(): Promise<SeenTraffic> {
    const nodes = [...this.#nodes()];
    const told = await this.#usages.of(nodes, false);
    const known = [...told.values()].flatMap(({ traffic }) => traffic ?? []);
    const held = [...this.#held()].map(([service, pending]) => [service, { perSecond: 0, pending, idleMs: 0 }]);
    const edge: NodeTraffic = { ...NOTHING, services: Object.fromEntries(held) };
    const traffic = known.reduce(addTraffic, edge);
    const isSilent = (node: string) => told.get(node)?.traffic?.isPartial ?? !told.has(node);
    return { traffic, by: new Set(told.keys()), silent: nodes.filter(isSilent) };
  }

  readonly answered: NodeUsages["answered"] = (...answer) => this.#usages.answered(...answer);

  gone(node: string): void {
    this.#usages.gone(node);
  }
}

/** When the last request for one of these Services, `namespace/name`, began or ended, or the last connection to it. */
export async function heardOf(
  services: readonly string[],
  nodes: Pick<ClusterTraffic, "seen"> | undefined,
  now: () => number,
): Promise<Heard> {
  if (!nodes) return { last: "unknown", by: new Set(), told: now() };
  const { traffic, by, silent } = await nodes.seen();
  const told = now();
  const { connections } = traffic;
  const figures = [traffic, connections].flatMap((seen) =>
    services.map((service) => seen?.services[service] ?? NO_TRAFFIC),
  );
  if (figures.some(({ pending }) => pending > 0)) return { last: "pending", by, told };
  if (silent.length > 0 || by.size === 0 || !connections) return { last: "unknown", by, told };
  const idleMs = Math.min(traffic.countedMs, connections.countedMs, ...figures.map((each) => each.idleMs));
  return { last: told - idleMs, by, told };
}
