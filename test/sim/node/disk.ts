import { DatabaseSync } from "node:sqlite";

type Table = { name: string; rows: Record<string, string | number | null>[] };
/** By the pod's uid: what there is of its volumes, by their names. */
type Mounted = Map<string, Map<string, string>>;
type Copy = Pick<Disk, "pods" | "folders" | "mounted" | "attached"> & { tables: Table[] };

const copyOf = (mounted: Mounted): Mounted => new Map([...mounted].map(([uid, volumes]) => [uid, new Map(volumes)]));

/** What an agent keeps on disk: its desired state, and a memory of each pod. It outlives the agent and the power. */
export class Disk {
  /** Memories as JSON by pod uid; "" for a pod that has only volumes yet. */
  pods = new Map<string, string>();
  /** The folders of volumes that pods have. */
  mounted: Mounted = new Map();
  /** The unique names of attached volumes that pods have, or are about to have. */
  attached: Mounted = new Map();
  /** Folders of volumes on the node's own disk, and what is in each. */
  folders = new Map<string, string>();
  database = this.#open();
  /** Nothing more can be written. */
  full = false;
  #copy: Copy | undefined;

  #open(): DatabaseSync {
    const database = new DatabaseSync(":memory:");
    const exec = database.exec.bind(database);
    database.exec = (sql) => {
      if (this.full && sql === "COMMIT") throw new Error("database or disk is full");
      exec(sql);
    };
    return database;
  }

  /** All that was on it is gone. */
  lose(): void {
    this.pods.clear();
    this.folders.clear();
    this.mounted.clear();
    this.attached.clear();
    this.database = this.#open();
  }

  remember(): void {
    const names = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as {
      name: string;
    }[];
    const tables = names.map(({ name }) => ({
      name,
      rows: this.database.prepare(`SELECT * FROM ${name}`).all() as Table["rows"],
    }));
    this.#copy = {
      pods: new Map(this.pods),
      folders: new Map(this.folders),
      mounted: copyOf(this.mounted),
      attached: copyOf(this.attached),
      tables,
    };
  }

  /** Nothing changes without an earlier `remember`. */
  restore(): void {
    if (!this.#copy) return;
    this.pods = new Map(this.#copy.pods);
    this.folders = new Map(this.#copy.folders);
    this.mounted = copyOf(this.#copy.mounted);
    this.attached = copyOf(this.#copy.attached);
    const known = new Set(this.#copy.tables.map(({ name }) => name));
    const names = this.database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as {
      name: string;
    }[];
    for (const { name } of names) this.database.exec(known.has(name) ? `DELETE FROM ${name}` : `DROP TABLE ${name}`);
    for (const { name, rows } of this.#copy.tables)
      for (const row of rows) {
        const values = Object.values(row);
        this.database.prepare(`INSERT INTO ${name} VALUES (${values.map(() => "?").join(", ")})`).run(...values);
      }
  }
}
