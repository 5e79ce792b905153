import type { View } from "../controllers/controller.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal } from "../kinds/core/pod-conditions.ts";
import { same } from "../kinds/paths.ts";
import { parseResources } from "../lib/quantity.ts";
import { type Amounts, amounts, isAffine, type Placed, type Traits, traitsOf } from "./pod.ts";

/** What a container is taken to use where it names no request, in scores only: upstream's 100m and 200Mi. */
const ASSUMED: Amounts = new Map([
  ["cpu", 100],
  ["memory", 200 * 1024 * 1024],
]);

/** What scheduling asks about a node. */
type NodeShape = Pick<Readonly<Node>, "metadata" | "spec">;

export class NodeInfo {
  node: NodeShape;
  allocatable: Amounts = new Map();
  /** Sums of the requests of its pods. */
  readonly requested = new Map<string, number>();
  /** The same with assumed amounts where a pod requests none; cpu and memory only. */
  readonly used = new Map<string, number>();
  readonly pods = new Map<string, Placed>();
  readonly withHostPorts = new Map<string, Placed>();
  /** Sizes in bytes, by every name of an image. */
  images = new Map<string, number>();

  constructor(node: Readonly<Node>) {
    this.node = node;
    this.setNode(node);
  }

  get name(): string {
    return this.node.metadata.name ?? "";
  }

  get labels(): Readonly<Record<string, string>> {
    return this.node.metadata.labels ?? {};
  }

  setNode(node: Readonly<Node>): void {
    const { name, labels } = node.metadata;
    // Not the whole object: of 5,000, the rest would be most of what there is room for.
    this.node = { metadata: { name, labels }, spec: node.spec } as NodeShape;
    this.allocatable = amounts(parseResources(node.status?.allocatable ?? node.status?.capacity));
    this.images = new Map(
      (node.status?.images ?? []).flatMap((image) =>
        (image.names ?? []).map((name): [string, number] => [name, image.sizeBytes ?? 0]),
      ),
    );
  }

  add(pod: Placed): void {
    this.remove(pod.uid);
    this.pods.set(pod.uid, pod);
    if (pod.traits.hostPorts.length > 0) this.withHostPorts.set(pod.uid, pod);
    this.#count(pod.traits, 1);
  }

  remove(uid: string): void {
    const pod = this.pods.get(uid);
    if (!pod) return;
    this.pods.delete(uid);
    this.withHostPorts.delete(uid);
    this.#count(pod.traits, -1);
  }

  #count({ requests }: Traits, sign: number): void {
    for (const [name, amount] of requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    for (const [name, assumed] of ASSUMED)
      this.used.set(name, (this.used.get(name) ?? 0) + sign * (requests.get(name) || assumed));
  }

  /** A copy that may be changed, to try what would be if some pods were gone. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node as Readonly<Node>);
    copy.allocatable = this.allocatable;
    copy.images = this.images;
    for (const pod of this.pods.values()) copy.add(pod);
    return copy;
  }
}

export const assumedUse = ({ requests }: Traits, name: string): number =>
  requests.get(name) || (ASSUMED.get(name) ?? 0);

/**
 * Nodes with the pods on them, kept in step with every write. It is a cache: `Snapshot.of(view)` makes the same from
 * nothing, and decisions read nothing else about placed pods.
 */
export class Snapshot {
  readonly nodes = new Map<string, NodeInfo>();
  /** Pods by uid, with their nodes' names. */
  readonly #placed = new Map<string, Placed & { node: string }>();
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, Placed & { node: string }>();
  /** What pods are like, by its text; and how many that are so each node has. */
  readonly #traits = new Map<string, Traits>();
  readonly #groups = new Map<Traits, { text: string; nodes: Map<string, number> }>();
  /** How many values a label of nodes has; forgotten when labels change. */
  readonly #domains = new Map<string, number>();
  #order: readonly NodeInfo[] | undefined;
  /** How many placed pods have any affinity of their own; 0 spares the search for them. */
  affine = 0;

  static of(view: View): Snapshot {
    const snapshot = new Snapshot();
    for (const _ of snapshot.load(view));
    return snapshot;
  }

  /** Reads all nodes and pods, a page at each step. Writes that come meanwhile are to be told as ever. */
  *load(view: View): Generator<void, void> {
    for (const page of view.pages(Node)) {
      for (const node of page) this.setNode(node);
      yield;
    }
    for (const page of view.pages(Pod)) {
      for (const pod of page) this.setPod(pod);
      yield;
    }
  }

  setNode(node: Readonly<Node>): void {
    const name = node.metadata.name ?? "";
    const known = this.nodes.get(name);
    if (!known || !same(known.labels, node.metadata.labels ?? {})) this.#domains.clear();
    if (known) return known.setNode(node);
    const info = new NodeInfo(node);
    this.nodes.set(name, info);
    this.#order = undefined;
    for (const pod of this.#homeless.values())
      if (pod.node === name) {
        this.#homeless.delete(pod.uid);
        info.add(pod);
      }
  }

  removeNode(name: string): void {
    const info = this.nodes.get(name);
    this.nodes.delete(name);
    this.#order = undefined;
    this.#domains.clear();
    for (const { uid } of info?.pods.values() ?? []) {
      const pod = this.#placed.get(uid);
      if (pod) this.#homeless.set(uid, pod);
    }
  }

  /** All nodes, in an order that stays. */
  get order(): readonly NodeInfo[] {
    this.#order ??= [...this.nodes.values()];
    return this.#order;
  }

  /** Places a pod where its spec says; one that has ended or has no node takes no room. */
  setPod(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? "";
    if (!pod.spec.nodeName || isPodTerminal(pod)) this.removePod(uid);
    else this.place({ uid, traits: traitsOf(pod) }, pod.spec.nodeName);
  }

  /** Counts a pod on a node before its binding is written. */
  place({ uid, traits: given }: Placed, node: string): void {
    this.removePod(uid);
    const home = this.nodes.get(node);
    const name = home?.name ?? node; // one text for all pods of a node
    const traits = this.#count(given, name);
    const pod = { uid, traits, node: name };
    this.#placed.set(uid, pod);
    if (isAffine(traits)) this.affine++;
    if (home) home.add(pod);
    else this.#homeless.set(uid, pod);
  }

  removePod(uid: string): void {
    const pod = this.#placed.get(uid);
    if (!pod) return;
    this.#placed.delete(uid);
    this.#homeless.delete(uid);
    this.#discount(pod.traits, pod.node);
    if (isAffine(pod.traits)) this.affine--;
    this.nodes.get(pod.node)?.remove(uid);
  }

  visit(matches: (traits: Traits) => boolean, visit: (node: NodeInfo, count: number, traits: Traits) => void): void {
    for (const [traits, { nodes }] of this.#groups) {
      if (!matches(traits)) continue;
      for (const [name, count] of nodes) {
        const node = this.nodes.get(name);
        if (node) visit(node, count, traits);
      }
    }
  }

  domains(key: string): number {
    let known = this.#domains.get(key);
    if (known === undefined) {
      known = new Set(this.order.flatMap(({ labels }) => labels[key] ?? [])).size;
      this.#domains.set(key, known);
    }
    return known;
  }

  /** Returns the traits as other pods have them already. */
  #count(given: Traits, node: string): Traits {
    const text = JSON.stringify({ ...given, requests: [...given.requests] });
    const traits = this.#traits.get(text) ?? given;
    const { nodes } = this.#groups.get(traits) ?? { nodes: new Map<string, number>() };
    this.#traits.set(text, traits);
    this.#groups.set(traits, { text, nodes: nodes.set(node, (nodes.get(node) ?? 0) + 1) });
    return traits;
  }

  #discount(traits: Traits, node: string): void {
    const group = this.#groups.get(traits);
    if (!group) return;
    const left = (group.nodes.get(node) ?? 0) - 1;
    if (left > 0) group.nodes.set(node, left);
    else group.nodes.delete(node);
    if (group.nodes.size > 0) return;
    this.#groups.delete(traits);
    this.#traits.delete(group.text);
  }
}
