/** Small histories, told step by step, for the tests of rules. */
import { refsOf } from "../../../../worker/api/engine/refs.ts";
import type { KubeObject, ObjectMeta } from "../../../../worker/lib/object.ts";
import type { Change, StoredObject } from "../../../../worker/storage/store.ts";
import type { ContainerFact, Copy, Living, NodeTruth, Observation, Sizes, Truth } from "../../contract.ts";
import { type Rule, together } from "../rule.ts";

type State = "created" | "running" | "exited" | "removed";
type Running = ContainerFact & { node: string; state: "created" | "running" | "exited" };
/** Parts of an object, put over what every object has. */
export type Parts = { metadata?: Partial<ObjectMeta>; spec?: object; status?: object; [field: string]: unknown };

/** A world that does as it is told, and one rule that listens. Objects are known by `resource namespace/name`. */
export class Tale {
  /** ms since the epoch; 1 s goes by with each observation. */
  at = 1_700_000_000_000;
  revision = 0;
  /** What storage says that it has; the commits until something else is set. */
  stored: StoredObject[] | undefined;
  /** The same of its index. */
  refs: ReturnType<Truth["refs"]> | undefined;
  living: Living | undefined;
  readonly machines = new Map<string, NodeTruth>();
  copies: Copy[] = [];
  bucket: string[] = [];
  storage: Omit<Sizes, "objects"> = { work: 0, due: 0, changes: 0, horizon: 0, keep: 100 };
  readonly #objects = new Map<string, StoredObject>();
  readonly #containers = new Map<string, Running>();
  readonly #listener: ReturnType<ReturnType<typeof together>["start"]>;
  #requests = 0;

  constructor(rule: Rule) {
    const truth: Truth = {
      now: () => this.at,
      revision: () => this.revision,
      containers: () => this.#containers,
      stored: (after = 0) => this.#stored().filter(({ revision }) => revision > after),
      refs: () => this.refs ?? [...this.#objects.values()].flatMap(refs),
      living: () => this.living,
      nodes: () => this.machines,
      copies: () => this.copies,
      bucket: () => this.bucket,
      storage: () => ({ objects: this.#stored().length, ...this.storage }),
    };
    this.#listener = together("test", [rule]).start(truth);
  }

  #stored(): StoredObject[] {
    return this.stored ?? [...this.#objects.values()];
  }

  /** Lets any observation happen. */
  sees(
    observation: { [T in Observation["type"]]: Omit<Extract<Observation, { type: T }>, "at"> }[Observation["type"]],
  ): void {
    this.at += 1000;
    this.#listener.observe?.({ at: this.at, ...observation } as Observation);
  }

  rests(): void {
    this.#listener.rested?.();
  }

  /** Makes or replaces `namespace/name`, or `/name`, in one commit; parts of metadata are kept from before. */
  put(resource: string, path: string, parts: Parts = {}): KubeObject & { metadata: ObjectMeta } {
    const [namespace = "", name = ""] = path.split("/");
    const key = `${resource} ${path}`;
    const before = this.#objects.get(key);
    const old = before && (JSON.parse(before.json) as Parts);
    const revision = this.revision + 1;
    const metadata: ObjectMeta = {
      name,
      ...(namespace && { namespace }),
      uid: `${name}-${revision}`,
      creationTimestamp: "2023-11-14T22:13:20Z",
      ...old?.metadata,
      ...parts.metadata,
      resourceVersion: String(revision),
    };
    const object = { apiVersion: "v1", kind: "Thing", ...old, ...parts, metadata };
    const stored = { resource, namespace, name, uid: metadata.uid ?? "", revision, json: JSON.stringify(object) };
    this.commits({ ...stored, type: before ? "MODIFIED" : "ADDED", previous: before?.json });
    return object;
  }

  /** Removes it in one commit. */
  drop(resource: string, path: string): void {
    const before = this.#objects.get(`${resource} ${path}`);
    if (!before) throw new Error(`${resource} ${path} is not there`);
    const object = JSON.parse(before.json) as KubeObject;
    const revision = this.revision + 1;
    const json = JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    this.commits({ ...before, revision, json, type: "DELETED", previous: before.json });
  }

  commits(change: Change): void {
    const { type, previous: _, ...stored } = change;
    const key = `${change.resource} ${change.namespace}/${change.name}`;
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, stored);
    this.revision = change.revision;
    this.sees({ type: "commit", changes: [change] });
  }

  /** A client sends a request; what it returns answers it. */
  asks(method: string, path: string, body?: unknown, client = "alice"): (code: number, body?: unknown) => void {
    const id = ++this.#requests;
    this.sees({ type: "request", id, client, method, path, body });
    return (code, answer) => this.sees({ type: "answer", id, code, body: answer });
  }

  container(node: string, id: string, fact: Partial<ContainerFact>, state: State): void {
    const container: ContainerFact = { id, podUid: "u", namespace: "ns", pod: "p", name: "c", ...fact };
    const key = `${node}/${id}`;
    if (state === "removed") this.#containers.delete(key);
    else this.#containers.set(key, { ...container, node, state });
    this.sees({ type: "container", node, container, state });
  }
}

const refs = ({ resource, namespace, name, json }: StoredObject) =>
  refsOf(resource, JSON.parse(json) as KubeObject).map((ref) => ({ ref, resource, namespace, name }));

export const controlledBy = (kind: string, owner: KubeObject): Partial<ObjectMeta> => ({
  ownerReferences: [
    {
      apiVersion: "v1",
      kind,
      name: owner.metadata?.name ?? "",
      uid: owner.metadata?.uid ?? "",
      controller: true,
      blockOwnerDeletion: true,
    },
  ],
});

export const READY = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2023-11-14T22:13:20Z" }],
};
export const UNREADY = { phase: "Running", conditions: [{ type: "Ready", status: "False" }] };
export const GOING: Partial<ObjectMeta> = { deletionTimestamp: "2023-11-14T23:00:00Z", deletionGracePeriodSeconds: 30 };

/** By rule: histories that it accepts and that it refuses, each told by what is in it. */
export type Cases = Record<
  string,
  { good: Record<string, (tale: Tale) => void>; bad: Record<string, (tale: Tale) => void> }
>;
