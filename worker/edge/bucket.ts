/** Where a deployment keeps what is too large for its database: R2, or a folder of the machine. It need not have one. */

/** Keys are paths without a leading slash. What was put is there whole or not at all. */
export type Bucket = {
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The same as it comes, for whoever passes it on. */
  open(key: string): Promise<ReadableStream<Uint8Array> | undefined>;
  /** What lies below a folder, one level of it: names of files and of folders, of those that begin so. */
  list(folder: string, beginning?: string): Promise<{ files: string[]; folders: string[] }>;
  /** Those that are not there are none to remove. */
  remove(keys: readonly string[]): Promise<void>;
};

/** The most that R2 removes at once. https://developers.cloudflare.com/r2/api/workers/workers-api-reference/ */
const MOST_REMOVED = 1000;

/** What is used of R2, and all that is. */
type R2 = {
  put(key: string, bytes: Uint8Array): Promise<unknown>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer>; body: ReadableStream } | null>;
  list(options: { prefix: string; delimiter: string; cursor?: string }): Promise<R2Page>;
  delete(keys: string[]): Promise<void>;
};
type R2Page = { objects: { key: string }[]; delimitedPrefixes: string[]; truncated: boolean; cursor?: string };

type Service = { fetch(request: Request): Promise<Response> };

/** The deployment's, if it has one. */
export function bucketOf({ BUCKET, BUCKET_DISK }: { BUCKET?: R2; BUCKET_DISK?: Service }): Bucket | undefined {
  if (BUCKET) return r2Bucket(BUCKET);
  return BUCKET_DISK && diskBucket(BUCKET_DISK);
}

export const r2Bucket = (r2: R2): Bucket => ({
  async put(key, bytes) {
    await r2.put(key, bytes);
  },
  async get(key) {
    const object = await r2.get(key);
    return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
  },
  async open(key) {
    return (await r2.get(key))?.body;
  },
  async list(folder, beginning = "") {
    const prefix = `${folder}/`;
    const found = { files: [] as string[], folders: [] as string[] };
    for (let cursor: string | undefined; ; ) {
      const page = await r2.list({
        prefix: prefix + beginning,
        delimiter: "/",
        ...(cursor !== undefined && { cursor }),
      });
      found.files.push(...page.objects.map(({ key }) => key.slice(prefix.length)));
      found.folders.push(...page.delimitedPrefixes.map((name) => name.slice(prefix.length, -1)));
      if (!page.truncated) return found;
      cursor = page.cursor;
    }
  },
  async remove(keys) {
    for (let at = 0; at < keys.length; at += MOST_REMOVED) await r2.delete(keys.slice(at, at + MOST_REMOVED));
  },
});

/** A disk service of workerd's: https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
export function diskBucket(disk: Service): Bucket {
  const ask = async (method: string, path: string, body?: Uint8Array) => {
    const answer = await disk.fetch(new Request(`http://bucket/${path}`, { method, ...(body && { body }) }));
    if (answer.ok || answer.status === 404) return answer;
    throw new Error(`the bucket's folder: ${method} ${path}: ${answer.status}`);
  };
  return {
    async put(key, bytes) {
      await ask("PUT", key, bytes);
    },
    async get(key) {
      const answer = await ask("GET", key);
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : undefined;
    },
    async open(key) {
      const answer = await ask("GET", key);
      return answer.ok ? (answer.body ?? undefined) : undefined;
    },
    async list(folder, beginning = "") {
      const answer = await ask("GET", `${folder}/`);
      const entries = answer.ok ? ((await answer.json()) as { name: string; type: string }[]) : [];
      const of = (type: string) =>
        entries.flatMap((entry) => (entry.type === type && entry.name.startsWith(beginning) ? [entry.name] : []));
      return { files: of("file"), folders: of("directory") };
    },
    async remove(keys) {
      for (const key of keys) await ask("DELETE", key);
      // A folder goes with what was in it, as in R2.
      for (const folder of new Set(keys.map((key) => key.slice(0, key.lastIndexOf("/")))))
        if ((await this.list(folder)).files.length === 0) await ask("DELETE", folder);
    },
  };
}
