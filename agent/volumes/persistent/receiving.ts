/** Volumes that come to this node from another: what is on its way, and what is all here. */
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import { MOVING_TO, placeIn } from "../../../worker/lib/local-volumes.ts";
import type { Timers } from "../../effects.ts";
import { place } from "./place.ts";

type Volume = CoreV1PersistentVolume;
type Claim = { namespace: string; name: string };

/** How a volume's data comes. A simulator has its own. */
export type Source = {
  /** Makes a folder, that is not there yet, of all data of a claim's volume: whole or not at all. */
  receive(claim: Claim, folder: string, signal: AbortSignal): Promise<void>;
};

/** What the cluster sends of a claim's data. */
export type Download = (claim: Claim, signal: AbortSignal) => Promise<Readable>;

export const sourceFrom = (download: Download): Source => ({
  async receive(claim, folder, signal) {
    const archive = await download(claim, signal);
    archive.on("error", () => {}); // who reads it hears of it
    signal.addEventListener("abort", () => archive.destroy(new Error("the move was called off")));
    await place(folder, archive, () => signal.throwIfAborted());
  },
});

export type ReceivingParts = {
  node: string;
  /** Where volumes lie. */
  path: string;
  source: Source;
  timers: Pick<Timers, "after">;
  has(folder: string): boolean;
  changed(): void;
  failed(volume: Volume, message: string): void;
};

/** After a try that failed the next one waits so long, in ms, each time twice as long: the other node may be away for days. */
const RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
const MOST_AT_ONCE = 2;

/** A volume whose next try has to wait: for how long, and what ends that; nothing while it is being tried. */
type Wait = { ms: number; cancel: (() => void) | undefined };

export class Receiving {
  readonly #parts: ReceivingParts;
  readonly #coming = new Map<string, AbortController>();
  readonly #here = new Set<string>();
  readonly #waits = new Map<string, Wait>();
  #wanted = new Map<string, Volume>();

  constructor(parts: ReceivingParts) {
    this.#parts = parts;
  }

  /** Folders that have all data, of volumes that are still to come here. */
  get here(): readonly string[] {
    return [...this.#here].sort();
  }

  sync(volumes: readonly Volume[]): void {
    const { node } = this.#parts;
    this.#wanted = new Map();
    for (const volume of volumes) {
      const to = placeIn(volume.metadata?.annotations, MOVING_TO);
      if (to?.node === node && isOwn(volume, to.folder)) this.#wanted.set(to.folder, volume);
    }
    for (const [folder, coming] of this.#coming) if (!this.#wanted.has(folder)) coming.abort();
    for (const folder of this.#here) if (!this.#wanted.has(folder)) this.#here.delete(folder);
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
      if (this.#coming.has(folder) || this.#here.has(folder) || this.#waits.get(folder)?.cancel) continue;
      void this.#receive(folder, volume);
    }
  }

  async #receive(folder: string, volume: Volume): Promise<void> {
    const { path, source, has, changed, failed } = this.#parts;
    const coming = new AbortController();
    this.#coming.set(folder, coming);
    const { namespace = "", name = "" } = volume.spec?.claimRef ?? {};
    try {
      // One that an agent before this one brought is whole.
      if (!has(join(path, folder))) await source.receive({ namespace, name }, join(path, folder), coming.signal);
      if (this.#wanted.has(folder)) this.#here.add(folder);
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
