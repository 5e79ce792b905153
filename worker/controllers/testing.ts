import { Namespace } from "../kinds/core/namespace.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal } from "../kinds/core/pod-conditions.ts";
import type { Kind } from "../kinds/kind.ts";
import { same } from "../kinds/paths.ts";
import { builtinKinds, type Kinds } from "../kinds/registry.ts";
import { timestamp } from "../lib/effects.ts";
import type { KubeObject } from "../lib/object.ts";
import { ApiError, alreadyExists, conflict, forbidden, modified, notFound } from "../lib/status.ts";
import { withCondition } from "./conditions.ts";
import type { Controller, Intent, View } from "./controller.ts";
import { type Deadlines, Driver, type ObjectChange } from "./driver.ts";
import { keyOf } from "./keys.ts";
import { controllerOf } from "./owners.ts";

type Body = KubeObject & { metadata: NonNullable<KubeObject["metadata"]> };
export type Recorded = { type: string; reason: string; message: string; about: string; controller: string };

const START = Date.parse("2026-01-01T00:00:00Z");
let shared: Kinds | undefined;

/**
 * A cluster in a Map, for tests: applies intents as the API does, keeps a clock that only moves when told, and runs
 * controllers to rest after every write. It has no schema checks, no admission and no history.
 */
export class Model {
  now = START;
  readonly kinds: Kinds;
  readonly events: Recorded[] = [];
  readonly errors: { controller: string; key: string; error: unknown }[] = [];
  /** Called after every single write, between one intent and the next. */
  onWrite: (kind: Kind, object: Readonly<KubeObject>) => void = () => {};
  /** Refuses a write before it happens: quota, admission. */
  admit: (kind: Kind, object: Readonly<KubeObject>) => ApiError | undefined = () => undefined;
  readonly driver: Driver;
  readonly view: View;
  readonly #objects = new Map<string, Map<string, Body>>();
  readonly #changes: ObjectChange[] = [];
  readonly #deadlines = new Map<string, { controller: string; key: string; due: number }>();
  #revision = 0;
  #serial = 0;
  #seed: number;

  constructor(controllers: readonly Controller[], seed = 1) {
    shared ??= builtinKinds();
    this.kinds = shared;
    this.#seed = seed;
    this.view = this.#makeView();
    this.driver = new Driver({
      controllers,
      view: this.view,
      apply: (intent, controller) => this.apply(intent, controller),
      work: this.#work,
      effects: { now: () => this.now, random: this.random },
      pull: () => this.#changes.splice(0),
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
    return this.#create(kind as Kind, object as Body) as KubeObject as T;
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
    const copy = structuredClone(current) as T;
    change(copy);
    this.#update(kind as Kind, copy as Body, subresource);
  }

  delete(kind: Kind, object: Readonly<KubeObject>, options: Partial<Intent & { do: "delete" }> = {}): void {
    const { namespace = "", name = "", uid = "" } = object.metadata ?? {};
    this.#delete({ ...options, do: "delete", kind, namespace, name, uid });
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

  readonly #work: Deadlines = {
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

  // ---- what the API does ----

  apply(intent: Exclude<Intent, { do: "again" }>, controller = "test"): ApiError | undefined {
    try {
      switch (intent.do) {
        case "create":
          this.#create(intent.kind, intent.object as Body);
          break;
        case "update":
          this.#update(intent.kind, intent.object as Body, intent.subresource ?? "");
          break;
        case "updateStatus":
          this.#update(intent.kind, intent.object as Body, "status");
          break;
        case "delete":
          this.#delete(intent);
          break;
        case "bind":
          this.#bind(intent);
          break;
        case "event": {
          const { type, reason, message, about } = intent;
          this.events.push({ type, reason, message, about: `${about.kind} ${keyOf(about)}`, controller });
          break;
        }
      }
      return undefined;
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  #table(kind: Kind): Map<string, Body> {
    const known = this.#objects.get(kind.groupResource);
    if (known) return known;
    const table = new Map<string, Body>();
    this.#objects.set(kind.groupResource, table);
    return table;
  }

  #find(kind: Kind, namespace: string, name: string): Body {
    const object = this.#table(kind).get(`${namespace}/${name}`);
    if (!object) throw notFound({ group: kind.group, resource: kind.resource, name });
    return object;
  }

  #store(kind: Kind, object: Body, old: Body | undefined): void {
    object.metadata.resourceVersion = String(++this.#revision);
    deepFreeze(object);
    this.#table(kind).set(keyOf(object), object);
    this.#changes.push({ type: old ? "MODIFIED" : "ADDED", kind, object, ...(old && { old }) });
    this.onWrite(kind, object);
  }

  #remove(kind: Kind, object: Body): void {
    this.#table(kind).delete(keyOf(object));
    const last = structuredClone(object);
    last.metadata.resourceVersion = String(++this.#revision);
    this.#changes.push({ type: "DELETED", kind, object: last, old: object });
    this.onWrite(kind, last);
  }

  #create(kind: Kind, given: Body): Body {
    const object = structuredClone(given);
    const subject = { group: kind.group, resource: kind.resource, name: object.metadata.name ?? "" };
    object.metadata.name ??= `${object.metadata.generateName}${(++this.#serial).toString(36).padStart(5, "x")}`;
    if (this.#table(kind).has(keyOf(object))) throw alreadyExists(subject);
    const { namespace } = object.metadata;
    if (namespace && this.#table(Namespace as Kind).get(`/${namespace}`)?.metadata.deletionTimestamp) {
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
      const error = forbidden(subject, why);
      throw new ApiError(error.code, error.reason, error.message, {
        ...error.details,
        causes: [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated` }],
      });
    }
    kind.default(object);
    object.apiVersion = kind.apiVersion;
    object.kind = kind.kind;
    object.metadata.uid = `${kind.singular}-${++this.#serial}`;
    object.metadata.creationTimestamp = timestamp(this.now);
    if (kind.hasGeneration) object.metadata.generation = 1;
    kind.prepareForCreate(object);
    const refusal = this.admit(kind, object);
    if (refusal) throw refusal;
    if (kind.groupResource === "namespaces") Object.assign(object, { spec: { finalizers: ["kubernetes"] } });
    this.#store(kind, object, undefined);
    return object;
  }

  #update(kind: Kind, given: Body, subresource: string): void {
    const old = this.#find(kind, given.metadata.namespace ?? "", given.metadata.name ?? "");
    const subject = { group: kind.group, resource: kind.resource, name: given.metadata.name ?? "" };
    if (given.metadata.uid && given.metadata.uid !== old.metadata.uid)
      throw conflict(
        subject,
        `Precondition failed: UID in precondition: ${given.metadata.uid}, UID in object meta: ${old.metadata.uid}`,
      );
    if (given.metadata.resourceVersion && given.metadata.resourceVersion !== old.metadata.resourceVersion)
      throw modified(subject);
    const object = structuredClone(given);
    const kept = structuredClone(old);
    kind.prepareForUpdate(object, kept, subresource);
    if (subresource === "status") object.metadata = kept.metadata;
    kind.default(object);
    object.metadata = { ...object.metadata, ...pickServerOwned(old) };
    if (same(object, old)) return;
    if (subresource !== "status" && kind.changesGeneration(object, old))
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    if (isFinal(kind, object)) this.#remove(kind, old);
    else this.#store(kind, object, old);
  }

  #delete(intent: Intent & { do: "delete" }): void {
    const { kind, namespace, name, uid } = intent;
    const old = this.#find(kind, namespace, name);
    if (uid && uid !== old.metadata.uid)
      throw conflict(
        { group: kind.group, resource: kind.resource, name },
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      );
    const object = structuredClone(old);
    const finalizers = new Set(object.metadata.finalizers);
    if (intent.propagationPolicy === "Foreground") finalizers.add("foregroundDeletion");
    if (intent.propagationPolicy === "Orphan") finalizers.add("orphan");
    if (finalizers.size > 0) object.metadata.finalizers = [...finalizers];
    const grace = kind.groupResource === "pods" ? graceOf(object as Pod, intent.gracePeriodSeconds) : 0;
    object.metadata.deletionGracePeriodSeconds = Math.min(grace, object.metadata.deletionGracePeriodSeconds ?? grace);
    object.metadata.deletionTimestamp ??= timestamp(this.now + grace * 1000);
    if (kind.groupResource === "namespaces") Object.assign(object, { status: { phase: "Terminating" } });
    if (isFinal(kind, object)) this.#remove(kind, old);
    else if (!same(object, old)) this.#store(kind, object, old);
  }

  #bind({ namespace, name, uid, node }: Intent & { do: "bind" }): void {
    const old = this.#find(Pod as Kind, namespace, name) as Pod;
    const subject = { group: "", resource: "pods", name };
    if (old.metadata.uid !== uid || old.spec.nodeName || old.metadata.deletionTimestamp)
      throw conflict(subject, `pod ${name} is already assigned to node "${old.spec.nodeName}"`);
    const object = structuredClone(old);
    object.spec.nodeName = node;
    const scheduled = { type: "PodScheduled", status: "True" };
    object.status = { ...object.status, conditions: withCondition(object.status?.conditions, scheduled, this.now) };
    this.#store(Pod as Kind, object as Body, old as Body);
  }

  #makeView(): View {
    const all = (kind: Kind) => [...this.#table(kind).values()];
    const inOrder = (objects: Body[]) => objects.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const view = {
      get: (kind: Kind, namespace: string, name: string) => this.#table(kind).get(`${namespace}/${name}`),
      list: (kind: Kind, namespace?: string) =>
        inOrder(all(kind).filter((o) => namespace === undefined || (o.metadata.namespace ?? "") === namespace)),
      owned: (kind: Kind, uid: string) =>
        inOrder(
          all(kind).filter((o) =>
            uid === "" ? !controllerOf(o) : o.metadata.ownerReferences?.some((owner) => owner.uid === uid),
          ),
        ),
      dependents: (uid: string) =>
        view.kinds().flatMap((kind) => view.owned(kind, uid).map((object) => ({ kind, object }))),
      onNode: (kind: Kind, node: string) => inOrder(all(kind).filter((o) => ((o as Pod).spec.nodeName ?? "") === node)),
      kind: (apiVersion: string, kind: string) => this.kinds.byKind(apiVersion, kind),
      kinds: () => [...this.kinds.all()].filter((kind) => this.kinds.preferred(kind.groupResource) === kind),
    };
    return view as unknown as View;
  }
}

function graceOf(pod: Pod, asked: number | undefined): number {
  if (!pod.spec.nodeName || isPodTerminal(pod)) return 0;
  return asked ?? pod.spec.terminationGracePeriodSeconds ?? 30;
}

/** Nothing holds a deleted object any longer. */
function isFinal(kind: Kind, object: Body): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  if (!deletionTimestamp || finalizers.length > 0) return false;
  if (kind.groupResource === "namespaces") return ((object as Namespace).spec?.finalizers ?? []).length === 0;
  return kind.groupResource !== "pods" || deletionGracePeriodSeconds === 0;
}

function pickServerOwned({ metadata }: Body): Partial<Body["metadata"]> {
  const { uid, creationTimestamp, generation, deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return {
    uid,
    creationTimestamp,
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  };
}

/** A controller that changes what a view gave it fails at once. */
function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
}
