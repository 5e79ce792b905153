/** Volumes that move from this node or to it: what is being copied, and what of it is done. */
import { basename } from "node:path";
import type { Readable } from "node:stream";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { Timers } from "../../effects.ts";
import { place } from "./place.ts";

type Volume = CoreV1PersistentVolume;
type Claim = { namespace: string; name: string };

/** How a volume's data comes from the node that has it. A simulator has its own. */
export type Source = {
  /** Makes a folder, that is not there yet, of all data of a claim's volume: whole or not at all. */
  receive(claim: Claim, folder: string, signal: AbortSignal): Promise<void>;
};

/** A volume's copy in the deployment's bucket. */
export type Transfer = { volume: string; name: string };

/** The way through the bucket. */
export type Bucket = {
  /** Sends all that `data` gives, unless all of it is there; what is there of it is not sent again. */
  send(transfer: Transfer, data: () => AsyncIterable<Buffer>, signal: AbortSignal): Promise<void>;
  /** As a `Source` does. */
  receive(transfer: Transfer, folder: string, signal: AbortSignal): Promise<void>;
  /** One that is not there is none to remove. */
  remove(transfer: Transfer): Promise<void>;
};

/** A stream of all of a volume's data. */
export type Download<What> = (what: What, signal: AbortSignal) => Promise<Readable>;

/** Fills a folder from a stream. */
export const received =
  <What>(download: Download<What>) =>
  async (what: What, folder: string, signal: AbortSignal): Promise<void> => {
    const archive = await download(what, signal);
    archive.on("error", () => {}); // who reads it hears of it
    signal.addEventListener("abort", () => archive.destroy(new Error("the move was called off")));
    await place(folder, archive, () => signal.throwIfAborted());
  };

export type CopyingParts = {
  /** The folder that this node has to copy of a volume, or into; nothing where it has not. */
  wanted(volume: Volume): string | undefined;
  copy(volume: Volume, folder: string, signal: AbortSignal): Promise<void>;
  timers: Pick<Timers, "after">;
  changed(): void;
  failed(volume: Volume, message: string): void;
};

/** After a try that failed the next one waits so long, in ms, each time twice as long: the other node may be away for days. */
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
const MOST_AT_ONCE = 2;

/** A volume whose next try has to wait: for how long, and what ends that; nothing while it is being tried. */
type Wait = { ms: number; cancel: (() => void) | undefined };

export class Copying {
  readonly #parts: CopyingParts;
  readonly #coming = new Map<string, AbortController>();
  readonly #done = new Set<string>();
  readonly #waits = new Map<string, Wait>();
  #wanted = new Map<string, Volume>();

  constructor(parts: CopyingParts) {
    this.#parts = parts;
  }

  /** Folders of which all data is copied, as long as they are wanted. */
  get done(): readonly string[] {
    return [...this.#done].sort();
  }

  sync(volumes: readonly Volume[]): void {
    this.#wanted = new Map();
    for (const volume of volumes) {
      const folder = this.#parts.wanted(volume);
      if (folder && isOwn(volume, folder)) this.#wanted.set(folder, volume);
    }
    for (const [folder, coming] of this.#coming) if (!this.#wanted.has(folder)) coming.abort();
    for (const folder of this.#done) if (!this.#wanted.has(folder)) this.#done.delete(folder);
    for (const folder of this.#waits.keys()) if (!this.#wanted.has(folder)) this.#forget(folder);
    this.#next();
  }

  /** There is a new connection: what failed may have failed for want of one. */
  online(): void {
    for (const folder of this.#waits.keys()) this.#forget(folder);
    this.#next();
  }

  #forget(folder: string): void {
    this.#waits.get(folder)?.cancel?.();
    this.#waits.delete(folder);
  }

  #next(): void {
    for (const [folder, volume] of this.#wanted) {
      if (this.#coming.size >= MOST_AT_ONCE) return;
      if (this.#coming.has(folder) || this.#done.has(folder) || this.#waits.get(folder)?.cancel) continue;
      void this.#copy(folder, volume);
    }
  }

  async #copy(folder: string, volume: Volume): Promise<void> {
    const { copy, changed, failed } = this.#parts;
    const coming = new AbortController();
    this.#coming.set(folder, coming);
    try {
      await copy(volume, folder, coming.signal);
      if (this.#wanted.has(folder)) this.#done.add(folder);
      changed();
    } catch (error) {
      if (coming.signal.aborted) return;
      this.#wait(folder);
      failed(volume, errorText(error));
    } finally {
      this.#coming.delete(folder);
      this.#next();
    }
  }

  #wait(folder: string): void {
    const ms = Math.min((this.#waits.get(folder)?.ms ?? RETRY_MS / 2) * 2, MAX_RETRY_MS);
    const cancel = this.#parts.timers.after(ms, () => {
      this.#waits.set(folder, { ms, cancel: undefined });
      this.#next();
    });
    this.#waits.set(folder, { ms, cancel });
  }
}

/** A folder's name is the volume's, and more: whatever a volume says, it leads to no other's. */
export const isOwn = ({ metadata }: Volume, folder: string): boolean =>
  Boolean(metadata?.name) && basename(folder) === folder && folder.startsWith(`${metadata?.name}_`);
