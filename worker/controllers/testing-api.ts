import { Namespace } from "../kinds/core/namespace.ts";
import { Pod } from "../kinds/core/pod.ts";
import { isPodTerminal } from "../kinds/core/pod-conditions.ts";
import type { Kind } from "../kinds/kind.ts";
import { same } from "../kinds/paths.ts";
import { builtinKinds, type Kinds } from "../kinds/registry.ts";
import { timestamp } from "../lib/effects.ts";
import type { KubeObject } from "../lib/object.ts";
import { ApiError, alreadyExists, conflict, forbidden, modified, notFound } from "../lib/status.ts";
import { withCondition } from "./conditions.ts";
import type { Digest, Intent, View } from "./controller.ts";
import type { ObjectChange } from "./driver.ts";
import { keyOf } from "./keys.ts";
import { controllerOf } from "./owners.ts";

export type Body = KubeObject & { metadata: NonNullable<KubeObject["metadata"]> };
export type Recorded = { type: string; reason: string; message: string; about: string; controller: string };

let shared: Kinds | undefined;

/** The API on a Map, for tests: applies intents as the real one does, without schema checks, admission or history. */
export class ModelApi {
  now = Date.parse("2026-01-01T00:00:00Z");
  readonly kinds: Kinds;
  readonly events: Recorded[] = [];
  readonly view: View;
  /** Called after every single write, between one intent and the next. */
  onWrite: (kind: Kind, object: Readonly<KubeObject>) => void = () => {};
  /** Refuses a write before it happens: quota, admission. */
  admit: (kind: Kind, object: Readonly<KubeObject>) => ApiError | undefined = () => undefined;
  readonly #objects = new Map<string, Map<string, Body>>();
  readonly #changes: ObjectChange[] = [];
  #revision = 0;
  #serial = 0;

  constructor() {
    shared ??= builtinKinds();
    this.kinds = shared;
    this.view = this.#makeView();
  }

  /** Writes since the last call. */
  changes(): ObjectChange[] {
    return this.#changes.splice(0);
  }

  apply(intent: Exclude<Intent, { do: "again" }>, controller = "test"): ApiError | undefined {
    try {
      switch (intent.do) {
        case "create":
          this.createObject(intent.kind, intent.object as Body);
          break;
        case "update":
          this.updateObject(intent.kind, intent.object as Body, intent.subresource ?? "");
          break;
        case "updateStatus":
          this.updateObject(intent.kind, intent.object as Body, "status");
          break;
        case "delete":
          this.deleteObject(intent);
          break;
        case "bind":
          this.#bind(intent);
          break;
        case "together":
          this.#applyAll(intent.intents, controller);
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

  #applyAll(intents: readonly Exclude<Intent, { do: "again" }>[], controller: string): void {
    const before = new Map([...this.#objects].map(([resource, table]) => [resource, [...table]]));
    const changes = this.#changes.length;
    for (const intent of intents) {
      const error = this.apply(intent, controller);
      if (!error) continue;
      this.#changes.length = changes;
      for (const [resource, table] of this.#objects) {
        table.clear();
        for (const [key, object] of before.get(resource) ?? []) table.set(key, object);
      }
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
    const last = clone(object);
    last.metadata.resourceVersion = String(++this.#revision);
    this.#changes.push({ type: "DELETED", kind, object: last, old: object });
    this.onWrite(kind, last);
  }

  protected createObject(kind: Kind, given: Body): Body {
    const object = clone(given);
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

  protected updateObject(kind: Kind, given: Body, subresource: string): void {
    const old = this.#find(kind, given.metadata.namespace ?? "", given.metadata.name ?? "");
    const subject = { group: kind.group, resource: kind.resource, name: given.metadata.name ?? "" };
    if (given.metadata.uid && given.metadata.uid !== old.metadata.uid)
      throw conflict(
        subject,
        `Precondition failed: UID in precondition: ${given.metadata.uid}, UID in object meta: ${old.metadata.uid}`,
      );
    if (given.metadata.resourceVersion && given.metadata.resourceVersion !== old.metadata.resourceVersion)
      throw modified(subject);
    const object = clone(given);
    const kept = clone(old);
    kind.prepareForUpdate(object, kept, subresource);
    if (subresource === "status") object.metadata = { ...kept.metadata, annotations: object.metadata?.annotations };
    kind.default(object);
    object.metadata = { ...object.metadata, ...pickServerOwned(old) };
    if (same(object, old)) return;
    if (subresource !== "status" && kind.changesGeneration(object, old))
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
    if (isFinal(kind, object)) this.#remove(kind, old);
    else this.#store(kind, object, old);
  }

  protected deleteObject(intent: Intent & { do: "delete" }): void {
    const { kind, namespace, name, uid } = intent;
    const old = this.#find(kind, namespace, name);
    if (uid && uid !== old.metadata.uid)
      throw conflict(
        { group: kind.group, resource: kind.resource, name },
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      );
    const object = clone(old);
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
    const object = clone(old);
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
      pages: (kind: Kind, namespace?: string) => [view.list(kind, namespace)],
      digest: ({ kind, of }: Digest<KubeObject, unknown>) =>
        new Map(view.list(kind as Kind).map((object) => [keyOf(object), of(object)])),
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

/** JSON values only; several times faster than structuredClone. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) copy[key] = clone(item);
  return copy as T;
}

/** A controller that changes what a view gave it fails at once. */
function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const item of Object.values(value)) deepFreeze(item);
}
