import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal } from "../kinds/core/pod-conditions.ts";
import type { Kind } from "../kinds/kind.ts";
import { timestamp } from "../lib/effects.ts";
import type { KubeObject } from "../lib/object.ts";
import { ApiError } from "../lib/status.ts";
import { withCondition } from "./conditions.ts";
import type { Controller, Intent } from "./controller.ts";
import type { WorkRows } from "./deadlines.ts";
import { Driver } from "./driver.ts";
import { keyOf } from "./keys.ts";
import { type Body, clone, ModelApi } from "./testing-api.ts";

/**
 * A cluster in memory, for tests: the model API, controllers run to rest after every write, and a clock that only moves
 * when told.
 */
export class Model extends ModelApi {
  readonly errors: { controller: string; key: string; error: unknown }[] = [];
  readonly driver: Driver;
  readonly #deadlines = new Map<string, { controller: string; key: string; due: number }>();
  #seed: number;

  constructor(controllers: readonly Controller[], seed = 1) {
    super();
    this.#seed = seed;
    this.driver = new Driver({
      controllers,
      view: this.view,
      apply: (intent, controller) => this.apply(intent, controller),
      work: this.#work,
      effects: { now: () => this.now, random: this.random },
      pull: () => this.changes(),
      report: (controller, key, error) => {
        this.errors.push({ controller, key, error });
        if (!(error instanceof ApiError)) throw error;
      },
    });
  }

  /** mulberry32: small, seeded, good enough for tests. */
  readonly random = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  // ---- what a user does ----

  create<T extends KubeObject>(kind: Kind<T>, object: T): T {
    return this.createObject(kind as Kind, object as Body) as KubeObject as T;
  }

  get<T extends KubeObject>(kind: Kind<T>, name: string, namespace = "default"): T | undefined {
    return this.view.get(kind, kind.namespaced ? namespace : "", name) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>): readonly Readonly<T>[] {
    return this.view.list(kind);
  }

  /** Read, change, write; on the status when told so. */
  edit<T extends KubeObject>(kind: Kind<T>, object: Readonly<T>, change: (copy: T) => void, subresource = ""): void {
    const current = this.view.get(kind, object.metadata?.namespace ?? "", object.metadata?.name ?? "");
    if (!current) throw new Error(`${kind.kind} ${keyOf(object)} is gone`);
    const copy = clone(current) as T;
    change(copy);
    this.updateObject(kind as Kind, copy as Body, subresource);
  }

  delete(kind: Kind, object: Readonly<KubeObject>, options: Partial<Intent & { do: "delete" }> = {}): void {
    const { namespace = "", name = "", uid = "" } = object.metadata ?? {};
    this.deleteObject({ ...options, do: "delete", kind, namespace, name, uid });
  }

  // ---- what nodes do ----

  addNode(name: string, allocatable: Record<string, string> = {}, change: (node: Node) => void = () => {}): Node {
    const node: Node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name } },
      spec: {},
    };
    change(node);
    const { taints } = node.spec ?? {};
    this.create(Node, node);
    this.edit(
      Node,
      node,
      (copy) => {
        copy.status = {
          ...node.status,
          allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...allocatable },
          conditions: [{ type: "Ready", status: "True", lastTransitionTime: timestamp(this.now) }],
        };
      },
      "status",
    );
    if (taints) this.edit(Node, node, (copy) => Object.assign(copy, { spec: { ...copy.spec, taints } }));
    return node;
  }

  setNodeReady(name: string, status: "True" | "False" | "Unknown"): void {
    this.edit(
      Node,
      { metadata: { name }, spec: {} },
      (node) => {
        const condition = { type: "Ready", status, lastHeartbeatTime: timestamp(this.now) };
        node.status = { ...node.status, conditions: withCondition(node.status?.conditions, condition, this.now) };
      },
      "status",
    );
  }

  setPod(pod: Readonly<Pod>, phase: string, ready: boolean): void {
    this.edit(
      Pod,
      pod,
      (copy) => {
        const condition = { type: "Ready", status: ready ? "True" : "False" };
        copy.status = {
          ...copy.status,
          phase,
          conditions: withCondition(copy.status?.conditions, condition, this.now),
        };
      },
      "status",
    );
  }

  /** Every bound pod starts and is ready, every deleted one ends, until nothing is left to do. */
  runPods(onNode: (node: string) => boolean = () => true): void {
    for (let round = 0; round < 1000; round++) {
      this.rest();
      let did = false;
      for (const pod of this.list(Pod)) {
        if (!pod.spec.nodeName || !onNode(pod.spec.nodeName)) continue;
        if (pod.metadata.deletionTimestamp) this.endPod(pod);
        else if (pod.status?.phase === "Running" || isPodTerminal(pod)) continue;
        else this.setPod(pod, "Running", true);
        did = true;
      }
      if (!did) return;
    }
    throw new Error("pods never come to rest");
  }

  endPod(pod: Readonly<Pod>): void {
    this.delete(Pod, pod, { gracePeriodSeconds: 0 });
  }

  // ---- time ----

  rest(): void {
    if (!this.driver.drain({ reconciles: 20_000 })) throw new Error("controllers do not come to rest");
    this.driver.persist();
  }

  /** Lets this much time pass, running every deadline at its moment. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.rest();
    for (let steps = 0; steps < 10_000; steps++) {
      const next = Math.min(...[...this.#deadlines.values()].map((item) => item.due));
      if (next > end) {
        this.now = end;
        return;
      }
      this.now = Math.max(this.now, next);
      this.driver.due(this.now);
      this.rest();
    }
    throw new Error("deadlines never end");
  }

  get deadlines(): { controller: string; key: string; due: number }[] {
    return [...this.#deadlines.values()];
  }

  readonly #work: WorkRows = {
    enqueue: (item) => {
      const id = `${item.controller} ${item.key}`;
      const known = this.#deadlines.get(id);
      if (!known || item.due < known.due) this.#deadlines.set(id, item);
    },
    due: (now, limit) =>
      [...this.#deadlines.values()]
        .filter((item) => item.due <= now)
        .toSorted((a, b) => a.due - b.due)
        .slice(0, limit),
    done: (controller, key) => void this.#deadlines.delete(`${controller} ${key}`),
  };
}
