import type { KubeObject } from "../../../worker/lib/object.ts";
import type { StoredObject } from "../../../worker/storage/store.ts";
import type { ContainerFact, Living, Observation, SimNode, Truth } from "../contract.ts";
import type { Clock } from "./clock.ts";
import type { Database } from "./database.ts";
import type { ClusterObject } from "./object.ts";

type Container = ContainerFact & { node: string; state: "created" | "running" | "exited" };

const NOTHING: ReadonlyMap<string, KubeObject> = new Map();

/** What is durable, kept up with every commit, and the containers there are. */
export class WorldTruth implements Truth {
  readonly #clock: Clock;
  readonly #database: Database;
  readonly #keep: number;
  object: ClusterObject | undefined;
  machines: readonly SimNode[] = [];
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #containers = new Map<string, Container>();
  #revision = 0;

  constructor(clock: Clock, database: Database, keep: number) {
    this.#clock = clock;
    this.#keep = keep;
    this.#database = database;
    const rows = database.look<{ resource: string; namespace: string; name: string; json: string }>(
      "SELECT resource, namespace, name, json FROM objects",
    );
    for (const row of rows) this.#put(row);
    const [newest] = database.look<{ revision: number }>("SELECT MAX(revision) AS revision FROM changes");
    this.#revision = newest?.revision ?? 0;
  }

  observe(observation: Observation): void {
    if (observation.type === "commit") {
      for (const change of observation.changes) {
        if (change.type === "DELETED") this.#objects.get(change.resource)?.delete(`${change.namespace}/${change.name}`);
        else this.#put(change);
        this.#revision = change.revision;
      }
    } else if (observation.type === "container") {
      const { node, container, state } = observation;
      const key = `${node}/${container.id}`;
      if (state === "removed") this.#containers.delete(key);
      else this.#containers.set(key, { ...container, node, state });
    }
  }

  now(): number {
    return this.#clock.now;
  }

  revision(): number {
    return this.#revision;
  }

  objects(resource: string): ReadonlyMap<string, KubeObject> {
    return this.#objects.get(resource) ?? NOTHING;
  }

  containers(): ReadonlyMap<string, Container> {
    return this.#containers;
  }

  *stored(): Iterable<StoredObject> {
    yield* this.#database.look<StoredObject>(
      "SELECT resource, namespace, name, uid, revision, json FROM objects ORDER BY resource, namespace, name",
    );
  }

  refs(): { ref: string; resource: string; namespace: string; name: string }[] {
    return this.#database.look("SELECT ref, resource, namespace, name FROM refs");
  }

  living(): Living | undefined {
    const core = this.object?.awake;
    if (!core) return undefined;
    const { view } = core.engine;
    const kinds = new Map(view.kinds().map((kind) => [kind.groupResource, kind]));
    return {
      revision: () => core.revision(),
      resources: () => [...kinds.keys()],
      objects: (resource) => {
        const kind = kinds.get(resource);
        return kind ? view.list(kind) : [];
      },
    };
  }

  nodes(): ReadonlyMap<string, { running: boolean }> {
    return new Map(this.machines.map((machine) => [machine.name, { running: machine.running() }]));
  }

  storage(): { work: number; due: number; changes: number; horizon: number; keep: number } {
    const [row] = this.#database.look<{ work: number; due: number; changes: number; horizon: number }>(
      `SELECT (SELECT COUNT(*) FROM work) AS work, (SELECT COUNT(*) FROM work WHERE due <= ?) AS due,
              (SELECT COUNT(*) FROM changes) AS changes,
              COALESCE((SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'log.horizon'), 0) AS horizon`,
      this.#clock.now,
    );
    if (!row) throw new Error("storage is empty");
    return { ...row, keep: this.#keep };
  }

  #put({ resource, namespace, name, json }: { resource: string; namespace: string; name: string; json: string }): void {
    const objects = this.#objects.get(resource) ?? new Map<string, KubeObject>();
    this.#objects.set(resource, objects);
    objects.set(`${namespace}/${name}`, JSON.parse(json) as KubeObject);
  }
}
