import type { View } from "../controllers/controller.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal } from "../kinds/core/pod-conditions.ts";
import { parseResources } from "../lib/quantity.ts";
import { type Amounts, amounts, type PodInfo, podInfo } from "./pod.ts";

/** What a container is taken to use where it names no request, in scores only: upstream's 100m and 200Mi. */
const ASSUMED: Amounts = new Map([
  ["cpu", 100],
  ["memory", 200 * 1024 * 1024],
]);

export class NodeInfo {
  node: Readonly<Node>;
  allocatable: Amounts = new Map();
  /** Sums of the requests of its pods. */
  readonly requested = new Map<string, number>();
  /** The same with assumed amounts where a pod requests none; cpu and memory only. */
  readonly used = new Map<string, number>();
  readonly pods = new Map<string, PodInfo>();
  /** Pods that keep others away, or want some near: those that filters and scores must look at one by one. */
  readonly withAffinity = new Map<string, PodInfo>();
  readonly withHostPorts = new Map<string, PodInfo>();
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
    this.node = node;
    this.allocatable = amounts(parseResources(node.status?.allocatable ?? node.status?.capacity));
    this.images = new Map(
      (node.status?.images ?? []).flatMap((image) =>
        (image.names ?? []).map((name): [string, number] => [name, image.sizeBytes ?? 0]),
      ),
    );
  }

  add(info: PodInfo): void {
    this.remove(info.uid);
    this.pods.set(info.uid, info);
    if (info.needs.length + info.shuns.length + info.prefers.length + info.avoids.length > 0)
      this.withAffinity.set(info.uid, info);
    if (info.hostPorts.length > 0) this.withHostPorts.set(info.uid, info);
    this.#count(info, 1);
  }

  remove(uid: string): void {
    const info = this.pods.get(uid);
    if (!info) return;
    this.pods.delete(uid);
    this.withAffinity.delete(uid);
    this.withHostPorts.delete(uid);
    this.#count(info, -1);
  }

  #count({ requests }: PodInfo, sign: number): void {
    for (const [name, amount] of requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * amount);
    for (const [name, assumed] of ASSUMED)
      this.used.set(name, (this.used.get(name) ?? 0) + sign * (requests.get(name) || assumed));
  }

  /** A copy that may be changed, to try what would be if some pods were gone. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.node);
    for (const info of this.pods.values()) copy.add(info);
    return copy;
  }
}

export const assumedUse = (info: PodInfo, name: string): number => info.requests.get(name) || (ASSUMED.get(name) ?? 0);

/**
 * Nodes with the pods on them, kept in step with every write. It is a cache: `Snapshot.of(view)` makes the same from
 * nothing, and decisions read nothing else about placed pods.
 */
export class Snapshot {
  readonly nodes = new Map<string, NodeInfo>();
  /** Pods by uid → node. */
  readonly #placed = new Map<string, string>();
  /** Pods on nodes that are not known (yet). */
  readonly #homeless = new Map<string, PodInfo>();
  /** How many placed pods have any affinity of their own; 0 spares the search for them. */
  affine = 0;

  static of(view: View): Snapshot {
    const snapshot = new Snapshot();
    for (const node of view.list(Node)) snapshot.setNode(node);
    for (const pod of view.list(Pod)) snapshot.setPod(pod);
    return snapshot;
  }

  setNode(node: Readonly<Node>): void {
    const name = node.metadata.name ?? "";
    const known = this.nodes.get(name);
    if (known) return known.setNode(node);
    const info = new NodeInfo(node);
    this.nodes.set(name, info);
    for (const pod of this.#homeless.values())
      if (pod.pod.spec.nodeName === name) {
        this.#homeless.delete(pod.uid);
        info.add(pod);
      }
    this.#recount();
  }

  removeNode(name: string): void {
    const info = this.nodes.get(name);
    this.nodes.delete(name);
    for (const pod of info?.pods.values() ?? []) this.#homeless.set(pod.uid, pod);
    this.#recount();
  }

  /** Places a pod where its spec says; one that has ended or has no node takes no room. */
  setPod(pod: Readonly<Pod>): void {
    const uid = pod.metadata.uid ?? "";
    if (!pod.spec.nodeName || isPodTerminal(pod)) this.removePod(uid);
    else this.place(podInfo(pod), pod.spec.nodeName);
  }

  /** Counts a pod on a node before its binding is written. */
  place(info: PodInfo, node: string): void {
    this.removePod(info.uid);
    this.#placed.set(info.uid, node);
    const home = this.nodes.get(node);
    if (!home) {
      this.#homeless.set(info.uid, info);
      return;
    }
    home.add(info);
    if (home.withAffinity.has(info.uid)) this.affine++;
  }

  removePod(uid: string): void {
    const node = this.#placed.get(uid);
    if (node === undefined) return;
    this.#placed.delete(uid);
    this.#homeless.delete(uid);
    const home = this.nodes.get(node);
    if (home?.withAffinity.has(uid)) this.affine--;
    home?.remove(uid);
  }

  #recount(): void {
    this.affine = 0;
    for (const { withAffinity } of this.nodes.values()) this.affine += withAffinity.size;
  }
}
