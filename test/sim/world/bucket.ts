/** The deployment's bucket: each of its steps takes its time, and in trouble some fail, done or not. */
import { secretsOf } from "../../../worker/deployment-secret.ts";
import type { Bucket } from "../../../worker/edge/bucket.ts";
import { Seal } from "../../../worker/edge/sealed-chunks.ts";
import type { VolumeBackupIndex } from "../../../worker/lib/volume-backup.ts";
import type { Copy, Observation, Part } from "../contract.ts";
import { SETTINGS } from "./image.ts";
import { between } from "./random.ts";

const TRANSFER = /^default\/transfers\/([^/]+)\/([^/]+)\//;
const INDEX = "index";

export type BucketConditions = {
  /** Of a step, ms. */
  delay: { least: number; most: number };
  /** Chance that a step fails. */
  fails: number;
};
export const WELL: BucketConditions = { delay: { least: 1, most: 60 }, fails: 0 };

type Options = { part: Part; observe(observation: Observation): void };

export class ModelBucket implements Bucket {
  conditions = WELL;
  readonly seal = new Seal(secretsOf(SETTINGS));
  readonly #part: Part;
  readonly #observe: Options["observe"];
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor({ part, observe }: Options) {
    this.#part = part;
    this.#observe = observe;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#step(() => {
      this.#objects.set(key, new Uint8Array(bytes));
      this.#changed(key);
    });
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#step(() => this.#objects.get(key));
  }

  open(): Promise<undefined> {
    throw new Error("nothing is passed on as it comes");
  }

  list(folder: string, beginning = ""): Promise<{ files: string[]; folders: string[] }> {
    return this.#step(() => {
      const found = { files: new Set<string>(), folders: new Set<string>() };
      for (const key of this.#objects.keys()) {
        if (!key.startsWith(`${folder}/${beginning}`)) continue;
        const [name = "", ...below] = key.slice(folder.length + 1).split("/");
        found[below.length > 0 ? "folders" : "files"].add(name);
      }
      return { files: [...found.files].sort(), folders: [...found.folders].sort() };
    });
  }

  /** Some may be gone when it fails. */
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys)
      await this.#step(() => {
        if (this.#objects.delete(key)) this.#changed(key);
      });
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  /** What of volumes is whole. */
  *copies(): Iterable<Copy> {
    for (const [key, sealed] of this.#objects) {
      const [folder, volume = ""] = TRANSFER.exec(key) ?? [];
      if (!folder || key !== `${folder}${INDEX}`) continue;
      const { chunks } = JSON.parse(this.#text(sealed, key)) as VolumeBackupIndex;
      const pieces = chunks.map((id) => {
        const chunk = this.#objects.get(folder + id);
        return chunk && this.#text(chunk, folder + id);
      });
      if (!pieces.includes(undefined)) yield { place: "bucket", folder, volume, data: pieces.join("") };
    }
  }

  #text(sealed: Uint8Array, key: string): string {
    return new TextDecoder().decode(this.seal.open(sealed, key));
  }

  #changed(key: string): void {
    const [, volume = ""] = TRANSFER.exec(key) ?? [];
    this.#observe({ at: this.#part.now(), type: "bucket", volume, key });
  }

  async #step<T>(body: () => T): Promise<T> {
    const { delay, fails } = this.conditions;
    const random = this.#part.random;
    const isLost = fails > 0 && random() < fails;
    await this.#part.sleep(between(random, delay.least, delay.most));
    const isDone = !isLost || random() < 0.5;
    const result = isDone ? body() : undefined;
    if (isLost) throw new Error("We encountered an internal error. Please try again. (10001)");
    return result as T;
  }
}
