import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** How far containerd has come with what it fetches. */
export type Fetching = {
  bytes: number;
  totalBytes: number;
  /** Other when anything has come since. */
  mark: string;
};

/** No manifest is larger. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** File systems keep times in coarser steps than clocks. */
const TIME_STEP_MS = 1000;

type Descriptor = { digest: string; size: number };
type Manifest = { config?: Descriptor; layers?: Descriptor[] };

/**
 * What lies in containerd's content store: `blobs/sha256` holds what is complete, and each folder of `ingest` what is on
 * its way. https://github.com/containerd/containerd/blob/main/docs/content-flow.md
 */
export class ContentStore {
  readonly #blobs: string;
  readonly #ingests: string;

  /** `root` is containerd's own folder. */
  constructor(root: string) {
    const store = join(root, "io.containerd.content.v1.content");
    this.#blobs = join(store, "blobs/sha256");
    this.#ingests = join(store, "ingest");
  }

  /** Throws when it is not there. */
  read(digest: string): Buffer {
    return readFileSync(this.#pathOf(digest));
  }

  /** A blob that is complete; undefined where it is not there. */
  find(digest: string): { path: string; size: number } | undefined {
    const size = this.#sizeOf(digest);
    return size === undefined ? undefined : { path: this.#pathOf(digest), size };
  }

  /** Counts the parts of all images whose manifests have come since `since` (ms since the epoch, as files have it). */
  fetching(since: number): Fetching {
    const coming = this.#coming();
    const parts = new Map(this.#manifests(since).flatMap(partsOf));
    let [bytes, totalBytes] = [0, 0];
    for (const [digest, size] of parts) {
      totalBytes += size;
      bytes += Math.min(this.#sizeOf(digest) ?? coming.get(digest) ?? 0, size);
    }
    const mark = JSON.stringify([bytes, totalBytes, [...coming], modified(this.#blobs)]);
    return { bytes, totalBytes, mark };
  }

  /** Bytes by digest. */
  #coming(): Map<string, number> {
    return new Map(
      entries(this.#ingests).flatMap((name) => {
        try {
          const reference = readFileSync(join(this.#ingests, name, "ref"), "utf8");
          const digest = /sha256:[0-9a-f]{64}/.exec(reference)?.[0];
          return digest ? [[digest, statSync(join(this.#ingests, name, "data")).size]] : [];
        } catch {
          return []; // it has just come to its end
        }
      }),
    );
  }

  #manifests(since: number): Manifest[] {
    return entries(this.#blobs).flatMap((name) => {
      try {
        const path = join(this.#blobs, name);
        const { size, mtimeMs } = statSync(path);
        if (size > MAX_MANIFEST_BYTES || mtimeMs < since - TIME_STEP_MS) return [];
        const text = readFileSync(path, "utf8");
        return text.startsWith("{") ? [JSON.parse(text) as Manifest] : [];
      } catch {
        return [];
      }
    });
  }

  #sizeOf(digest: string): number | undefined {
    return statSync(this.#pathOf(digest), { throwIfNoEntry: false })?.size;
  }

  #pathOf(digest: string): string {
    return join(this.#blobs, digest.replace(/^sha256:/, ""));
  }
}

function partsOf({ config, layers }: Manifest): [digest: string, size: number][] {
  if (!Array.isArray(layers)) return [];
  return [...(config ? [config] : []), ...layers].map(({ digest, size }) => [digest, size]);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
