import { mkdirSync, readdirSync, readFileSync, statSync, watch } from "node:fs";
import { join } from "node:path";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { type Effects, timestamp } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Timers } from "../effects.ts";

/** A file is often written in several steps. */
const SETTLE_MS = 200;
const MOST_BYTES = 10 * 2 ** 20;

type Known = { text: string; seen: string; pod?: CoreV1Pod };

export type StaticFolderParts = {
  path: string;
  node: string;
  effects: Pick<Effects, "now"> & Timers;
  /** The pods of the folder are others now. */
  onChange(): void;
  log(message: string): void;
};

/**
 * The static pods of a folder, one a file; names that begin with a dot do not count. What a file last said that made
 * sense holds until it makes sense again or is gone.
 */
export class StaticFolder {
  readonly #parts: StaticFolderParts;
  readonly #files = new Map<string, Known>();
  #reading = Promise.resolve();
  #cancel = () => {};
  #close = () => {};

  constructor(parts: StaticFolderParts) {
    this.#parts = parts;
  }

  /** By uid. */
  get pods(): ReadonlyMap<string, CoreV1Pod> {
    const pods = [...this.#files.values()].flatMap(({ pod }) => pod ?? []);
    return new Map(pods.map((pod) => [pod.metadata.uid ?? "", pod]));
  }

  /** Resolves when the folder was read once. */
  async start(): Promise<void> {
    const { path, effects, log } = this.#parts;
    mkdirSync(path, { recursive: true });
    const watcher = watch(path, () => {
      this.#cancel();
      this.#cancel = effects.after(SETTLE_MS, () => this.#readSoon());
    });
    watcher.on("error", (error) => log(`static pods: ${errorText(error)}`));
    this.#close = () => watcher.close();
    await this.#readSoon();
  }

  stop(): void {
    this.#cancel();
    this.#close();
  }

  #readSoon(): Promise<void> {
    this.#reading = this.#reading
      .then(() => this.#read())
      .catch((error) => this.#parts.log(`static pods: ${errorText(error)}`));
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { path, onChange } = this.#parts;
    const names = readdirSync(path).filter((name) => !name.startsWith("."));
    let changed = false;
    for (const name of this.#files.keys()) if (!names.includes(name)) changed = this.#files.delete(name);
    for (const name of names.toSorted()) changed = (await this.#readFile(name)) || changed;
    if (changed) onChange();
  }

  async #readFile(name: string): Promise<boolean> {
    const { node, effects, log } = this.#parts;
    const path = join(this.#parts.path, name);
    const known = this.#files.get(name);
    try {
      const about = statSync(path);
      if (!about.isFile() || about.size > MOST_BYTES) return false;
      const text = readFileSync(path, "utf8");
      if (text === known?.text) return false;
      const next: Known = { text, seen: timestamp(effects.now()), pod: known?.pod };
      this.#files.set(name, next);
      const { readManifest } = await import("./manifest.ts"); // its parser takes memory, and few nodes have such pods
      next.pod = await readManifest(text, { path, node, seen: next.seen });
      return next.pod.metadata.uid !== known?.pod?.metadata.uid;
    } catch (error) {
      log(`static pod ${path}: ${errorText(error)}`);
      return false;
    }
  }
}
