/**
 * The PersistentVolumes that lie on this node's own disk. `worker/lib/local-volumes.ts` tells how the cluster and the node
 * speak of them.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { isProvisioned, removerOf, VOLUMES_REMOVED } from "../../../worker/lib/local-volumes.ts";
import type { Timers } from "../../effects.ts";
import { mountPoints } from "../mounts.ts";
import type { Api } from "../tokens.ts";
import { VolumeError } from "../volume.ts";
import { usersOf } from "./users.ts";

type Volume = CoreV1PersistentVolume;

/** What the agent's core needs of them. */
export interface OwnVolumes {
  /** The folder that they lie in. */
  readonly path: string;
  /** All PersistentVolumes that the node has heard of. */
  sync(volumes: readonly Volume[]): void;
  /** There is a new connection, on which nothing was told yet. */
  online(): void;
  /** Called when one could not be removed. */
  onFailure(volume: Volume, message: string): void;
}

/** The machine's folders. A simulator has its own. */
export type Folders = {
  has(folder: string): boolean;
  make(folder: string): void;
  remove(folder: string): Promise<void>;
  /** The uids of the pods that have a volume. */
  usersOf(volume: string): readonly string[];
};

export const machineFolders = (home: string): Folders => ({
  has: existsSync,
  make(folder) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    chmodSync(folder, 0o777); // whoever a container runs as
  },
  remove: removeFolder,
  usersOf: (volume) => usersOf(home, volume),
});

export type ProvisionedParts = {
  /** Whose folder `volumes` they lie in. */
  home: string;
  node: string;
  api: Api;
  timers: Timers;
  folders: Folders;
};

/** What is in the way of a removal, or of telling of it, is tried again after so long, in ms. */
const RETRY_MS = 5_000;

const nameOf = ({ metadata }: Volume) => metadata?.name ?? "";

export class ProvisionedVolumes implements OwnVolumes {
  readonly path: string;
  onFailure: OwnVolumes["onFailure"] = () => {};
  readonly #parts: ProvisionedParts;
  /** Those to be removed, by name. */
  #due = new Map<string, Volume>();
  readonly #removing = new Set<string>();
  readonly #removed = new Set<string>();
  #told: string | undefined;
  #telling = false;
  #cancelRetry = () => {};

  constructor(parts: ProvisionedParts) {
    this.#parts = parts;
    this.path = join(parts.home, "volumes");
  }

  /** Makes the folder of a volume that lies here; leaves others alone. */
  async make(volume: Volume): Promise<void> {
    const folder = isProvisioned(volume) ? this.#folderOf(volume) : undefined;
    const { folders } = this.#parts;
    if (!folder || folders.has(folder)) return;
    if (removerOf(volume)) throw new VolumeError("the volume was released, and is being removed");
    folders.make(folder);
  }

  /** Only ever a folder of its own in the one for volumes, whatever a volume says. */
  #folderOf(volume: Volume): string | undefined {
    const path = volume.spec?.local?.path ?? "";
    const isOwn = dirname(path) === this.path && basename(path).startsWith(`${nameOf(volume)}_`);
    return isOwn && nameOf(volume) !== "" ? path : undefined;
  }

  sync(volumes: readonly Volume[]): void {
    const { node } = this.#parts;
    this.#due = new Map(
      volumes.filter((volume) => removerOf(volume) === node).map((volume) => [nameOf(volume), volume]),
    );
    for (const name of this.#removed) if (!this.#due.has(name)) this.#removed.delete(name);
    for (const volume of this.#due.values()) void this.#remove(volume);
    if (this.#due.size > 0 || this.#told) void this.#tell();
  }

  online(): void {
    this.#told = undefined;
    if (this.#due.size > 0) void this.#tell();
  }

  async #remove(volume: Volume): Promise<void> {
    const name = nameOf(volume);
    if (this.#removing.has(name) || this.#removed.has(name)) return;
    this.#removing.add(name);
    try {
      const folder = this.#folderOf(volume);
      const { folders } = this.#parts;
      if (folders.usersOf(name).length > 0) return this.#retry(); // a pod of it is still on its way out
      if (folder) await folders.remove(folder);
      if (this.#due.has(name)) this.#removed.add(name);
      void this.#tell();
    } catch (error) {
      this.onFailure(volume, (error as Error).message);
      this.#retry();
    } finally {
      this.#removing.delete(name);
    }
  }

  #retry(): void {
    this.#cancelRetry();
    this.#cancelRetry = this.#parts.timers.after(RETRY_MS, () => this.sync([...this.#due.values()]));
  }

  /** On its own Node, where a node may write. */
  async #tell(): Promise<void> {
    const names = [...this.#removed].sort().join();
    if (this.#telling || names === (this.#told ?? "")) return;
    this.#telling = true;
    try {
      const patch = { metadata: { annotations: { [VOLUMES_REMOVED]: names || null } } };
      const path = `/api/v1/nodes/${encodeURIComponent(this.#parts.node)}`;
      const { code } = await this.#parts.api("PATCH", path, patch, "application/merge-patch+json");
      if (code >= 300) throw new Error(`code ${code}`);
      this.#told = names;
    } catch {
      this.#retry(); // it is told again when there is an uplink, or the node is registered
    } finally {
      this.#telling = false;
    }
    if ([...this.#removed].sort().join() !== names) await this.#tell();
  }
}

async function removeFolder(folder: string): Promise<void> {
  const [mounted] = mountPoints(folder);
  if (mounted) throw new Error(`something is mounted at ${mounted}`);
  await rm(folder, { recursive: true, force: true });
}
