import { encryptionOf } from "../../../worker/deployment-secret.ts";
import { DEFAULT_CONFIG } from "../../../worker/lib/config.ts";
import { openSealing } from "../../../worker/storage/encryption/open.ts";
import type { Raw, Sealing } from "../../../worker/storage/encryption/sealing.ts";
import type { Sql, SqlValue, StoredObject } from "../../../worker/storage/store.ts";
import type { ContainerFact, Copy, Living, Observation, SimNode, Sizes, Truth } from "../contract.ts";
import type { ModelBucket } from "./bucket.ts";
import type { Clock } from "./clock.ts";
import type { Database } from "./database.ts";
import { SETTINGS } from "./image.ts";
import type { ClusterObject } from "./object.ts";

/** Work that came due so lately is not late: the alarm takes its time. */
const WAKING_MS = 1000;

/** Folders of volumes are named after them. */
const volumeIn = (folder: string): string => folder.split("/").at(-1)?.split("_")[0] ?? "";

type Container = ContainerFact & { node: string; state: "created" | "running" | "exited" };

/** What is durable, kept up with every commit, and the containers there are. */
export class WorldTruth implements Truth {
  readonly #clock: Clock;
  readonly #database: Database;
  readonly #keep: number;
  object: ClusterObject | undefined;
  machines: readonly SimNode[] = [];
  kept: ModelBucket | undefined;
  readonly #containers = new Map<string, Container>();
  #revision = 0;

  constructor(clock: Clock, database: Database, keep: number) {
    this.#clock = clock;
    this.#keep = keep;
    this.#database = database;
    const [newest] = database.look<{ revision: number }>("SELECT MAX(revision) AS revision FROM changes");
    this.#revision = newest?.revision ?? 0;
  }

  observe(observation: Observation): void {
    if (observation.type === "commit") this.#revision = observation.changes.at(-1)?.revision ?? this.#revision;
    else if (observation.type === "container") {
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

  containers(): ReadonlyMap<string, Container> {
    return this.#containers;
  }

  stored(after = 0): Iterable<StoredObject> {
    const rows = this.#database.look<Raw<StoredObject>>(
      "SELECT resource, namespace, name, uid, revision, json FROM objects WHERE revision > ?",
      after,
    );
    return this.#sealing().open<StoredObject>(rows);
  }

  /** Anew each time, and with nothing in memory: what is stored must open by what is stored. */
  #sealing(): Sealing {
    const sql: Sql = {
      all: (statement, ...parameters) => this.#database.look(statement, ...(parameters as SqlValue[])),
      run(statement) {
        throw new Error(`who only looks has something to write: ${statement}`);
      },
      transaction: (body) => body(),
    };
    return openSealing(sql, encryptionOf(SETTINGS, DEFAULT_CONFIG)).sealing;
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
        return kind ? this.#database.looking(() => view.list(kind)) : [];
      },
    };
  }

  nodes(): ReturnType<Truth["nodes"]> {
    return new Map(
      this.machines.map((machine) => [
        machine.name,
        {
          running: machine.running(),
          policies: machine.policies(),
          backends: machine.backends(),
          listening: machine.listening(),
        },
      ]),
    );
  }

  *copies(): Iterable<Copy> {
    for (const { name: place, folders } of this.machines)
      for (const [folder, data] of folders()) yield { place, folder, volume: volumeIn(folder), data };
    yield* this.kept?.copies() ?? [];
  }

  bucket(): Iterable<string> {
    return this.kept?.keys() ?? [];
  }

  storage(): Sizes {
    const [row] = this.#database.look<Omit<Sizes, "keep">>(
      `SELECT (SELECT COUNT(*) FROM objects) AS objects,
              (SELECT COUNT(*) FROM work) AS work,
              (SELECT COUNT(*) FROM work WHERE due <= ?) AS due,
              (SELECT COUNT(*) FROM changes) AS changes,
              COALESCE((SELECT CAST(value AS INTEGER) FROM settings WHERE name = 'log.horizon'), 0) AS horizon`,
      this.#clock.now - WAKING_MS,
    );
    if (!row) throw new Error("storage is empty");
    return { ...row, keep: this.#keep };
  }
}
