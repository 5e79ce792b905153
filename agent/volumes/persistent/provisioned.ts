/**
 * The PersistentVolumes that lie on this node's own disk. `worker/lib/local-volumes.ts` tells how the cluster and the node
 * speak of them.
 */
import { chmodSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import {
  isInBucket,
  isProvisioned,
  LEFT_ON,
  MOVING_TO,
  type Place,
  placeIn,
  receiverOf,
  removerOf,
  senderOf,
  TRANSFER,
  VOLUME_NODE,
  VOLUMES_RECEIVED,
  VOLUMES_REMOVED,
} from "../../../worker/lib/local-volumes.ts";
import { parseQuantity, wholeValue } from "../../../worker/lib/quantity.ts";
import type { Timers } from "../../effects.ts";
import { mountPoints } from "../mounts.ts";
import type { Api } from "../tokens.ts";
import { VolumeError } from "../volume.ts";
import { type Bucket, Copying, isOwn, type Source, type Transfer } from "./copying.ts";
import { packed } from "./data.ts";
import { formerOf, isEmpty, place, settle, stagingOf, VOLUME_MODE } from "./place.ts";
import type { Sizes } from "./project-quota.ts";
import { usersOf } from "./users.ts";

type Volume = CoreV1PersistentVolume;

/** A volume by what the cluster says of it. */
export type Named = { name: string; path: string };

/** The data of a volume is not to be had, or not to be given, as things are. */
export class DataRefusal extends Error {
  override readonly name = "DataRefusal";
}

/** What is in the volumes, as tar streams. All throw `DataRefusal`. */
export interface VolumeData {
  /** `unused`: only while no pod has it. Throws at the end where it is not all of it. */
  read(volume: Named, unused: boolean): AsyncIterable<Buffer>;
  /** Puts what an archive has in the place of what there is, all of it or nothing; without `replace` only of nothing. */
  write(volume: Named, archive: Readable, replace: boolean): Promise<number>;
  /** Throws what `write` would refuse as things are, before anything is sent. */
  check(volume: Named, replace: boolean): Promise<void>;
}

/** What the agent's core needs of them. */
export interface OwnVolumes {
  /** The folder that they lie in. */
  readonly path: string;
  /** Why they may grow beyond their sizes, where they may. */
  readonly unbounded: string | undefined;
  /** All PersistentVolumes that the node has heard of. */
  sync(volumes: readonly Volume[]): void;
  /** There is a new connection, on which nothing was told yet. */
  online(): void;
  /** Called with what could not be done about one, as its event is to say it. */
  onFailure(volume: Volume, reason: string, message: string): void;
}

/** The machine's folders. A simulator has its own. */
export type Folders = {
  has(folder: string): boolean;
  /** Nothing is in it, or it is not there. */
  isEmpty(folder: string): boolean;
  make(folder: string): void;
  remove(folder: string): Promise<void>;
  /** Holds what is in a folder to so many bytes, where that can be done: see `Sizes`. */
  limit(folder: string, bytes: number, mayAdopt: () => boolean): Promise<void>;
  /** All that is in it, as `packed` of `data.ts` has it. */
  packed(folder: string, still: boolean): AsyncIterable<Buffer>;
  /** The uids of the pods that have a volume. */
  usersOf(volume: string): readonly string[];
};

export const volumesPath = (home: string): string => join(home, "volumes");

export const machineFolders = (home: string, sizes?: Sizes): Folders => ({
  has: existsSync,
  isEmpty,
  make(folder) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    chmodSync(folder, VOLUME_MODE);
  },
  async remove(folder) {
    if (existsSync(folder)) await sizes?.free(folder);
    await removeFolder(folder);
  },
  limit: async (folder, bytes, mayAdopt) => sizes?.limit(folder, bytes, mayAdopt),
  packed,
  usersOf: (volume) => usersOf(home, volume),
});

export type ProvisionedParts = {
  /** Whose folder `volumes` they lie in. */
  home: string;
  node: string;
  api: Api;
  timers: Timers;
  folders: Folders;
  /** Where the data of volumes that move here comes from. */
  source?: Source;
  /** The way through the deployment's bucket, of those that move here or from here. */
  bucket?: Bucket;
  unbounded?: string | undefined;
};

/** What is in the way of a removal, or of telling of it, is tried again after so long, in ms. */
const RETRY_MS = 5_000;

const nameOf = ({ metadata }: Volume) => metadata?.name ?? "";

const RESTORED = "the volume is being restored";

/** What a folder is held to, in bytes, as far as this agent has seen to it; nothing of it fails. */
type Limit = { bytes: number; done: Promise<void>; isDone: boolean };

/** What is to be removed: all of a volume, or a folder that it has left here, with the copy that it has left in the bucket. */
type Due = { volume: Volume; folder: string | undefined; mayBeUsed: boolean; transfer?: Transfer | undefined };

function transferOf({ metadata }: Volume): Transfer | undefined {
  const { name = "", annotations } = metadata ?? {};
  const transfer = annotations?.[TRANSFER];
  return transfer ? { volume: name, name: transfer } : undefined;
}

/** What nobody needs of it in the bucket any more. */
const copyLeft = (volume: Volume): Transfer | undefined =>
  isInBucket(volume.metadata?.annotations) ? undefined : transferOf(volume);

export class ProvisionedVolumes implements OwnVolumes, VolumeData {
  readonly path: string;
  readonly unbounded: string | undefined;
  onFailure: OwnVolumes["onFailure"] = () => {};
  readonly #parts: ProvisionedParts;
  readonly #receiving: Copying;
  readonly #sending: Copying;
  /** By the volume's name, or the folder's. */
  #due = new Map<string, Due>();
  #known: readonly Volume[] = [];
  /** Those that are being written. */
  readonly #writing = new Set<string>();
  readonly #limits = new Map<string, Limit>();
  readonly #settling = new Map<string, Promise<void>>();
  readonly #removing = new Set<string>();
  readonly #removed = new Set<string>();
  #told: string | undefined;
  #telling = false;
  #cancelRetry = () => {};

  constructor(parts: ProvisionedParts) {
    this.#parts = parts;
    this.path = volumesPath(parts.home);
    this.unbounded = parts.unbounded;
    const { node, timers } = parts;
    const told = {
      timers,
      changed: () => void this.#tell(),
      failed: (volume: Volume, message: string) => this.onFailure(volume, "VolumeMoveFailed", message),
    };
    const own = (place: Place | undefined) => (place?.node === node ? place.folder : undefined);
    this.#receiving = new Copying({
      ...told,
      wanted: (volume) => own(receiverOf(volume)),
      copy: (volume, folder, signal) => this.#receive(volume, join(this.path, folder), signal),
    });
    this.#sending = new Copying({
      ...told,
      wanted: (volume) =>
        senderOf(volume) === node ? placeIn(volume.metadata?.annotations, MOVING_TO)?.folder : undefined,
      copy: (volume, _folder, signal) => this.#send(volume, signal),
    });
  }

  async #receive(volume: Volume, folder: string, signal: AbortSignal): Promise<void> {
    const { folders, source, bucket } = this.#parts;
    // One that an agent before this one brought is whole, and so is one that never went; a pod, or whoever reads a volume,
    // may have made an empty one where it is lost.
    if (folders.has(folder) && !(folder === this.#folderOf(volume) && folders.isEmpty(folder))) return;
    const transfer = transferOf(volume);
    const { namespace = "", name = "" } = volume.spec?.claimRef ?? {};
    if (transfer) await bucket?.receive(transfer, folder, signal);
    else await source?.receive({ namespace, name }, folder, signal);
  }

  async #send(volume: Volume, signal: AbortSignal): Promise<void> {
    const { bucket } = this.#parts;
    const transfer = transferOf(volume);
    const named = { name: nameOf(volume), path: volume.spec?.local?.path ?? "" };
    if (transfer) await bucket?.send(transfer, () => this.read(named, true), signal);
  }

  /** Makes the folder of a volume that lies here; leaves others alone. */
  async make(volume: Volume): Promise<void> {
    const folder = isProvisioned(volume) ? this.#folderOf(volume) : undefined;
    const { folders } = this.#parts;
    if (!folder) return;
    refuseMoving(volume);
    if (this.#writing.has(nameOf(volume))) throw new VolumeError(RESTORED);
    if (existsSync(formerOf(folder))) await this.#settle(nameOf(volume), folder);
    if (!folders.has(folder)) {
      if (removerOf(volume)) throw new VolumeError("the volume was released, and is being removed");
      folders.make(folder);
    }
    // It may be another by that name than the one before. One that is under way is waited for.
    if (this.#limits.get(folder)?.isDone) this.#limits.delete(folder);
    await this.#limit(volume, folder);
    refuseMoving(this.#known.find((known) => nameOf(known) === nameOf(volume)) ?? volume);
  }

  /**
   * Once for each size. What fails is told, and tried again for the next pod, as is what pods were in the way of: a volume
   * without a bound is one still.
   */
  #limit(volume: Volume, folder: string): Promise<void> {
    const bytes = wholeValue(parseQuantity(volume.spec?.capacity?.storage ?? "0"));
    const before = this.#limits.get(folder);
    if (bytes === 0 || before?.bytes === bytes) return before?.done ?? Promise.resolve();
    const isUnused = () => this.#parts.folders.usersOf(nameOf(volume)).length === 0;
    const bound = async () => {
      if (before) await before.done;
      try {
        await this.#parts.folders.limit(folder, bytes, isUnused);
      } catch (error) {
        this.onFailure(volume, "VolumeSizeNotEnforced", (error as Error).message);
      }
      limit.isDone = true;
    };
    const limit: Limit = { bytes, done: Promise.resolve(), isDone: false };
    this.#limits.set(folder, limit);
    limit.done = bound();
    return limit.done;
  }

  /** All that are here: some may have grown, or were made before their sizes were held to. */
  #limitAll(): void {
    const { node, folders } = this.#parts;
    for (const volume of this.#known) {
      const isHere = isProvisioned(volume) && volume.metadata?.annotations?.[VOLUME_NODE] === node;
      const folder = isHere && !removerOf(volume) ? this.#folderOf(volume) : undefined;
      if (folder && folders.has(folder) && !this.#writing.has(nameOf(volume))) void this.#limit(volume, folder);
    }
  }

  /** Only ever a folder of its own in the one for volumes, whatever a volume says. */
  #folderOf(volume: Volume): string | undefined {
    const path = volume.spec?.local?.path ?? "";
    return dirname(path) === this.path && isOwn(volume, basename(path)) ? path : undefined;
  }

  sync(volumes: readonly Volume[]): void {
    this.#known = volumes;
    this.#receiving.sync(volumes);
    this.#sending.sync(volumes);
    this.#due = new Map(volumes.flatMap((volume) => this.#dueOf(volume)));
    for (const key of this.#removed) if (!this.#due.has(key)) this.#removed.delete(key);
    for (const [key, due] of this.#due) void this.#remove(key, due);
    void this.#tell();
    this.#limitAll();
  }

  #dueOf(volume: Volume): [string, Due][] {
    const { node } = this.#parts;
    const due: [string, Due][] = [];
    if (removerOf(volume) === node)
      due.push([nameOf(volume), { volume, folder: this.#folderOf(volume), mayBeUsed: true }]);
    const left = isProvisioned(volume) ? placeIn(volume.metadata?.annotations, LEFT_ON) : undefined;
    if (left?.node === node && isOwn(volume, left.folder) && join(this.path, left.folder) !== volume.spec?.local?.path)
      due.push([
        left.folder,
        {
          volume,
          folder: join(this.path, left.folder),
          // Pods of the node that it lies on have it where it lies.
          mayBeUsed: volume.metadata?.annotations?.[VOLUME_NODE] !== node,
          transfer: copyLeft(volume),
        },
      ]);
    return due;
  }

  online(): void {
    this.#told = undefined;
    this.#receiving.online();
    this.#sending.online();
    if (this.#words() !== "/") void this.#tell();
  }

  async #remove(key: string, { volume, folder, mayBeUsed, transfer }: Due): Promise<void> {
    if (this.#removing.has(key) || this.#removed.has(key)) return;
    this.#removing.add(key);
    try {
      const { folders, bucket } = this.#parts;
      if (mayBeUsed && folders.usersOf(nameOf(volume)).length > 0) return this.#retry(); // a pod of it is still on its way out
      if (folder) await folders.remove(folder);
      if (folder) this.#limits.delete(folder);
      if (transfer) await bucket?.remove(transfer);
      if (this.#due.has(key)) this.#removed.add(key);
      void this.#tell();
    } catch (error) {
      this.onFailure(volume, "VolumeFailedDelete", (error as Error).message);
      this.#retry();
    } finally {
      this.#removing.delete(key);
    }
  }

  #retry(): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#parts.timers.after(RETRY_MS, () => this.sync(this.#known));
  }

  async *read({ name, path }: Named, unused: boolean): AsyncGenerator<Buffer> {
    const folder = this.#given({ name, path });
    if (unused) this.#refuseUsed(name);
    if (!this.#writing.has(name)) await this.#settle(name, folder);
    if (!this.#parts.folders.has(folder)) {
      if (this.#writing.has(name)) throw new DataRefusal(RESTORED);
      this.#parts.folders.make(folder); // no pod has had it yet
    }
    yield* this.#parts.folders.packed(folder, unused);
    if (unused) this.#refuseUsed(name);
  }

  async check(volume: Named, replace: boolean): Promise<void> {
    const folder = this.#given(volume);
    const { name } = volume;
    if (!this.#writing.has(name)) await this.#settle(name, folder);
    this.#refuseWrite(name, folder, replace);
  }

  async write(volume: Named, archive: Readable, replace: boolean): Promise<number> {
    const { name } = volume;
    const folder = this.#given(volume);
    if (this.#writing.has(name)) throw new DataRefusal(RESTORED);
    this.#writing.add(name);
    try {
      await this.#settle(name, folder);
      this.#refuseWrite(name, folder, replace);
      const bytes = await place(folder, archive, () => {
        this.#refuseWrite(name, folder, replace);
        if (!isEmpty(folder)) renameSync(folder, formerOf(folder));
      });
      await rm(formerOf(folder), { recursive: true, force: true });
      this.#limits.delete(folder); // what came is nobody's yet
      return bytes;
    } finally {
      this.#writing.delete(name);
    }
  }

  /** One at a time of a folder: what one removes, another must not have filled anew meanwhile. Not under pods' feet. */
  async #settle(name: string, folder: string): Promise<void> {
    if (existsSync(folder) && this.#parts.folders.usersOf(name).length > 0) return;
    const settling = this.#settling.get(folder) ?? settle(folder).finally(() => this.#settling.delete(folder));
    this.#settling.set(folder, settling);
    await settling;
  }

  #given({ name, path }: Named): string {
    const folder = this.#folderOf({ metadata: { name }, spec: { local: { path } } });
    if (!folder) throw new DataRefusal(`${path} is no volume of this node`);
    return folder;
  }

  #refuseWrite(name: string, folder: string, replace: boolean): void {
    this.#refusePods(name);
    if (!replace && !isEmpty(folder)) throw new DataRefusal("the volume has data, and must be told to replace it");
  }

  /** Also who is about to write it: what is read for a move has to be all that there will be. */
  #refuseUsed(name: string): void {
    if (this.#writing.has(name)) throw new DataRefusal(RESTORED);
    this.#refusePods(name);
  }

  #refusePods(name: string): void {
    const users = this.#parts.folders.usersOf(name);
    if (users.length > 0) throw new DataRefusal(`pods have the volume: ${users.join()}`);
  }

  #words(): string {
    return `${[...this.#removed].sort().join()}/${[...this.#receiving.done, ...this.#sending.done].sort().join()}`;
  }

  /** On its own Node, where a node may write. */
  async #tell(): Promise<void> {
    const words = this.#words();
    if (this.#telling || words === (this.#told ?? "/")) return;
    this.#telling = true;
    try {
      const [removed, received] = words.split("/");
      const annotations = { [VOLUMES_REMOVED]: removed || null, [VOLUMES_RECEIVED]: received || null };
      const patch = { metadata: { annotations } };
      const path = `/api/v1/nodes/${encodeURIComponent(this.#parts.node)}`;
      const { code } = await this.#parts.api("PATCH", path, patch, "application/merge-patch+json");
      if (code >= 300) throw new Error(`code ${code}`);
      this.#told = words;
    } catch {
      this.#retry(); // it is told again when there is an uplink, or the node is registered
    } finally {
      this.#telling = false;
    }
    if (this.#words() !== words) await this.#tell();
  }
}

function refuseMoving({ metadata }: Volume): void {
  const next = placeIn(metadata?.annotations, MOVING_TO);
  if (next) throw new VolumeError(`the volume is being moved to node ${next.node}`);
}

/** With what was not whole yet, or is not any more. */
async function removeFolder(folder: string): Promise<void> {
  const [mounted] = mountPoints(folder);
  if (mounted) throw new Error(`something is mounted at ${mounted}`);
  for (const part of [folder, stagingOf(folder), formerOf(folder)]) await rm(part, { recursive: true, force: true });
}
