/** How much of each container's log is with the control plane: a file each, and what is not there yet of containers that are gone. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Place, Span } from "./reading.ts";
import { filesOf } from "./reading.ts";

export type LogRecord = {
  /** The container's. */
  id: string;
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  attempt: number;
  log: string;
  /** The leave to send it. */
  grant?: string;
  /** All before it is sent. */
  sent?: Place;
  /** The number of the next portion. */
  next: number;
  /** What goes by that number, whether it has arrived or not. */
  pending?: Span;
  /** The container is gone, and its log is here. Since when, in ms since the epoch. */
  removedAt?: number;
};

/** What nodes hold at most of logs whose containers are gone. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
const SUFFIX = ".json";

export class LogRecords {
  readonly #folder: string;
  readonly #records = new Map<string, LogRecord>();

  /** Those of the agent before are there at once. */
  constructor(home: string) {
    this.#folder = join(home, "kept-logs");
    for (const name of namesIn(this.#folder))
      if (name.endsWith(SUFFIX)) {
        const record = readRecord(join(this.#folder, name));
        if (record) this.#records.set(record.id, record);
      }
  }

  all(): LogRecord[] {
    return [...this.#records.values()];
  }

  get(id: string): LogRecord | undefined {
    return this.#records.get(id);
  }

  /** On disk when it returns, whatever becomes of the machine. */
  save(record: LogRecord): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, `${record.id}${SUFFIX}`);
    const file = openSync(`${path}.new`, "w", 0o600);
    try {
      writeSync(file, JSON.stringify(record));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
    this.#records.set(record.id, record);
  }

  /** What is undefined goes. */
  change(id: string, change: { [Key in keyof LogRecord]?: LogRecord[Key] | undefined }): void {
    const record = this.#records.get(id);
    if (record) this.save(JSON.parse(JSON.stringify({ ...record, ...change })) as LogRecord);
  }

  remove(id: string): void {
    this.#records.delete(id);
    rmSync(join(this.#folder, `${id}${SUFFIX}`), { force: true });
    rmSync(join(this.#folder, id), { recursive: true, force: true });
  }

  /** Before a container is removed, its log gets a second name, which stays until all of it is sent. */
  async hold(id: string, log: string, now: number): Promise<void> {
    const folder = join(this.#folder, id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const path of await filesOf(log)) {
      const held = join(folder, basename(path));
      rmSync(held, { force: true });
      linkSync(path, held);
    }
    this.change(id, { log: join(folder, basename(log)), removedAt: now });
    this.#letGoOfOldest();
  }

  #letGoOfOldest(): void {
    const held = this.all().filter(({ removedAt }) => removedAt !== undefined);
    let bytes = 0;
    for (const { id } of held.toSorted((a, b) => (b.removedAt ?? 0) - (a.removedAt ?? 0))) {
      bytes += sizeOf(join(this.#folder, id));
      if (bytes > MAX_HELD_BYTES) this.remove(id);
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const sizeOf = (folder: string) =>
  namesIn(folder).reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);

/** What a power cut tore is forgotten. */
function readRecord(path: string): LogRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LogRecord;
  } catch {
    rmSync(path, { force: true });
    return undefined;
  }
}
