/**
 * Removes images that no pod uses when the disk fills up.
 * https://kubernetes.io/docs/concepts/architecture/garbage-collection/#container-image-lifecycle
 */
import { anyName } from "../images/reference.ts";
import type { InspectedImage, Runtime } from "../runtime.ts";
import type { ImagePolicy } from "./settings.ts";
import type { Observation } from "./thresholds.ts";

/** What pods name or have run: IDs and digests, and names as containerd has them. */
export type UsedImages = { ids: ReadonlySet<string>; names: ReadonlySet<string> };

export type ImageGcDeps = {
  policy: ImagePolicy;
  now(): number;
  images(): Promise<readonly InspectedImage[]>;
  remove: Runtime["removeImage"];
  used(): UsedImages;
  /** In bytes, of the disk that images lie on. */
  disk(): Observation;
  /** Names of images that stay whatever happens. */
  pinned: readonly string[];
  tellNode(type: "Normal" | "Warning", reason: string, message: string): void;
  log(message: string): void;
};

/** `lastUsed` is 0 for one that no pod was seen to use (ms since the epoch). */
type Record = { firstSeen: number; lastUsed: number };
type Unused = Record & { image: InspectedImage };

export class ImageGc {
  readonly #deps: ImageGcDeps;
  readonly #records = new Map<string, Record>();
  readonly #began: number;

  constructor(deps: ImageGcDeps) {
    this.#deps = deps;
    this.#began = deps.now();
  }

  /** Notes what is used now, and frees disk when too much of it is in use. To be called at intervals. */
  async collect(): Promise<void> {
    const { policy, disk, now, tellNode } = this.#deps;
    const begun = now();
    const unused = await this.#freeOld(await this.#unused(begun), begun);
    const { available, capacity } = disk();
    const percent = 100 - Math.floor((Math.min(available, capacity) * 100) / capacity);
    if (percent < policy.highPercent) return;
    const wanted = Math.floor((capacity * (100 - policy.lowPercent)) / 100) - available;
    const freed = await this.#free(unused, wanted, begun);
    if (freed >= wanted) return;
    const message = `Insufficient free disk space on the node's image filesystem (${percent}% of ${size(capacity)} used). Failed to free sufficient space by deleting unused images (freed ${freed} bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data.`;
    tellNode("Warning", "FreeDiskSpaceFailed", message);
    tellNode("Warning", "ImageGCFailed", message);
  }

  /** Removes all that no pod uses, but for those that have just come. */
  async freeUnused(): Promise<void> {
    const begun = this.#deps.now();
    await this.#free(await this.#unused(begun), Number.POSITIVE_INFINITY, begun);
  }

  /** The one first that was not used for longest. */
  async #unused(now: number): Promise<Unused[]> {
    const { images, used, pinned } = this.#deps;
    const { ids, names } = used();
    const unused: Unused[] = [];
    const present = await images();
    for (const image of present) {
      const record = this.#records.get(image.Id) ?? { firstSeen: now, lastUsed: 0 };
      this.#records.set(image.Id, record);
      const isUsed =
        identifiersOf(image).some((id) => ids.has(id)) || (image.RepoTags ?? []).some((tag) => names.has(anyName(tag)));
      if (isUsed) record.lastUsed = now;
      else if (!image.RepoTags?.some((tag) => pinned.includes(tag))) unused.push({ ...record, image });
    }
    const there = new Set(present.map(({ Id }) => Id));
    for (const id of this.#records.keys()) if (!there.has(id)) this.#records.delete(id);
    return unused.sort((a, b) => a.lastUsed - b.lastUsed || a.firstSeen - b.firstSeen);
  }

  /** Those that were not used for too long go whatever the disk; what is left of `unused` is returned. */
  async #freeOld(unused: readonly Unused[], now: number): Promise<readonly Unused[]> {
    const { maxAgeMs } = this.#deps.policy;
    // Right after a start nobody knows what was used before.
    if (maxAgeMs === 0 || now - this.#began <= maxAgeMs) return unused;
    const old = unused.filter(({ lastUsed }) => now - lastUsed > maxAgeMs);
    for (const { image } of old) await this.#remove(image);
    return unused.filter((one) => !old.includes(one));
  }

  /** In bytes. */
  async #free(unused: readonly Unused[], wanted: number, now: number): Promise<number> {
    let freed = 0;
    for (const { image, firstSeen } of unused) {
      if (freed >= wanted) break;
      if (now - firstSeen < this.#deps.policy.minAgeMs) continue; // a pod may be about to use it
      if (await this.#remove(image)) freed += image.Size ?? 0;
    }
    return freed;
  }

  async #remove(image: InspectedImage): Promise<boolean> {
    const { remove, log } = this.#deps;
    const name = image.RepoTags?.[0] ?? image.Id;
    try {
      await remove(image);
      this.#records.delete(image.Id);
      log(`image ${name} was removed: no pod uses it`);
      return true;
    } catch (error) {
      log(`image ${name} could not be removed: ${(error as Error).message}`);
      return false;
    }
  }
}

const identifiersOf = ({ Id, RepoDigests = [] }: InspectedImage): string[] => [
  Id,
  ...RepoDigests.map((digest) => digest.split("@")[1] ?? digest),
];

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `1.5 GiB` */
function size(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
}
