/**
 * What a registry knows: which uploads are open, where bytes lie, and which repository has which blobs, manifests and
 * tags. One object holds it and is its single writer; the bytes themselves lie in the bucket.
 *
 * Bytes come as an upload, in chunks, each an object of the bucket in the folder of that upload. A chunk is put first and
 * told here then, so that what is told here is there; what was put and never told is garbage. An upload that ends becomes
 * a content, once for all repositories, and its folder stays where it is.
 */
import type { Sql } from "../storage/store.ts";
import type { ManifestFacts } from "./manifest.ts";
import type { Quota, Quotas } from "./quotas.ts";

/** Times in ms since the epoch. */
export type FactsParts = { sql: Sql; now(): number; uid(): string; quotas: Pick<Quotas, "take" | "takeMounted"> };

/** `name` is the object's in the upload's folder. */
export type Chunk = { start: number; size: number; name: string };
/** `hash` is `ResumableSha256`'s state. */
export type Upload = { size: number; hash: string };
export type Content = { upload: string; size: number; chunks: Chunk[] };
export type Manifest = Content & { digest: string; mediaType: string };
/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export type Descriptor = {
  mediaType: string;
  digest: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
};
/** Sorted; `more` where others follow. */
export type Names = { names: string[]; more: boolean };

export type NewManifest = ManifestFacts & { digest: string; upload: string; size: number; tags: string[] };

const HOUR_MS = 60 * 60 * 1000;
/** How old the word that a client was told may grow before it is written anew: a row for each costs more than it is worth. */
const TOLD_AGAIN_MS = HOUR_MS;
/**
 * What nothing needs stays for a day after a client was last told that it is there, since a push asks first, and sends the
 * manifest that needs it last.
 */
export const GRACE_MS = 24 * HOUR_MS + TOLD_AGAIN_MS;
/** Repositories that a blob may be mounted from, where the client names none. */
const MOST_HOLDERS = 8;

export class Facts {
  readonly #sql: Sql;
  readonly #now: () => number;
  readonly #uid: () => string;
  readonly #quotas: FactsParts["quotas"];

  constructor({ sql, now, uid, quotas }: FactsParts) {
    this.#sql = sql;
    this.#now = now;
    this.#uid = uid;
    this.#quotas = quotas;
  }

  /** Begins an upload; its id. */
  open(repository: string): string {
    const id = this.#uid();
    this.#sql.run("INSERT INTO uploads VALUES (?, ?, 0, '', ?)", id, repository, this.#now());
    return id;
  }

  upload(repository: string, id: string): Upload | undefined {
    const [row] = this.#sql.all<Upload>(
      "SELECT size, hash FROM uploads WHERE id = ? AND repository = ?",
      id,
      repository,
    );
    return row;
  }

  /** The next chunk of an upload. `gone` where the upload has ended, or goes on elsewhere than where the chunk begins. */
  append(repository: string, id: string, { chunk, hash }: { chunk: Chunk; hash: string }): "kept" | "gone" | Quota {
    return this.#sql.transaction(() => {
      if (this.upload(repository, id)?.size !== chunk.start) return "gone";
      const refusing = this.#quotas.take(repository, chunk.size);
      if (refusing) return refusing;
      this.#sql.run("INSERT INTO chunks VALUES (?, ?, ?, ?)", id, chunk.start, chunk.size, chunk.name);
      const size = chunk.start + chunk.size;
      this.#sql.run("UPDATE uploads SET size = ?, hash = ?, touched = ? WHERE id = ?", size, hash, this.#now(), id);
      return "kept";
    });
  }

  chunks(id: string): Chunk[] {
    return this.#sql.all<Chunk>("SELECT start, size, name FROM chunks WHERE upload = ? ORDER BY start", id);
  }

  /** Ends an upload of `size` bytes, which are a blob of the repository then. False where it is not that long, or none. */
  complete(repository: string, id: string, { digest, size }: { digest: string; size: number }): boolean {
    return this.#sql.transaction(() => {
      if (!this.#settle(repository, id, { digest, size })) return false;
      this.#link(repository, digest);
      return true;
    });
  }

  /** False where there is none. */
  cancel(repository: string, id: string): boolean {
    return this.#sql.transaction(() => {
      if (!this.upload(repository, id)) return false;
      this.#discard(id, "SELECT id, repository, '', size FROM uploads WHERE id = ?");
      this.#sql.run("DELETE FROM uploads WHERE id = ?", id);
      return true;
    });
  }

  /** `isTold` where the answer may be why a client does not send it. */
  blob(repository: string, digest: string, isTold: boolean): Content | undefined {
    const [row] = this.#sql.all<{ seen: number }>(
      "SELECT seen FROM blobs WHERE repository = ? AND digest = ?",
      repository,
      digest,
    );
    if (!row) return undefined;
    if (isTold && row.seen < this.#now() - TOLD_AGAIN_MS) this.#link(repository, digest);
    return this.#content(digest);
  }

  /** Repositories that have a blob, a few of them. */
  holders(digest: string): string[] {
    return this.#sql
      .all<{ repository: string }>("SELECT repository FROM blobs WHERE digest = ? LIMIT ?", digest, MOST_HOLDERS)
      .map(({ repository }) => repository);
  }

  /** The blob of one repository is another's, too. `gone` where the first has it not. */
  mount(from: string, repository: string, digest: string): "kept" | "gone" | Quota {
    const content = this.blob(from, digest, false);
    if (!content) return "gone";
    const refusing = this.#quotas.takeMounted(repository, { digest, size: content.size });
    if (refusing) return refusing;
    this.#link(repository, digest);
    return "kept";
  }

  /** The repository has the blob no more. False where it never had. */
  removeBlob(repository: string, digest: string): boolean {
    if (!this.blob(repository, digest, false)) return false;
    this.#sql.run("DELETE FROM blobs WHERE repository = ? AND digest = ?", repository, digest);
    return true;
  }

  /** An upload becomes a manifest, with these tags. Otherwise the digests that are missing, or `gone` without the upload. */
  putManifest(repository: string, manifest: NewManifest): "kept" | "gone" | { missing: string[] } {
    const { digest, upload, size, mediaType, artifactType, subject, annotations, needs, tags } = manifest;
    return this.#sql.transaction(() => {
      const missing = this.#missing(repository, needs);
      if (missing.length > 0) return { missing };
      if (!this.#settle(repository, upload, { digest, size })) return "gone";
      const row = [mediaType, artifactType, subject, annotations, this.#now()];
      this.#sql.run("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?)", repository, digest, ...row);
      this.#sql.run("DELETE FROM needs WHERE repository = ? AND manifest = ?", repository, digest);
      for (const needed of needs) this.#sql.run("INSERT INTO needs VALUES (?, ?, ?)", repository, digest, needed);
      for (const tag of tags) this.#sql.run("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", repository, tag, digest);
      return "kept";
    });
  }

  /** `reference` is a digest or a tag. `isTold` as with blobs. */
  manifest(repository: string, reference: string, isTold: boolean): Manifest | undefined {
    const digest = reference.includes(":") ? reference : this.#tagged(repository, reference);
    const [row] = this.#sql.all<{ mediaType: string; seen: number }>(
      "SELECT media_type AS mediaType, seen FROM manifests WHERE repository = ? AND digest = ?",
      repository,
      digest ?? "",
    );
    const content = row && digest && this.#content(digest);
    if (!content) return undefined;
    if (isTold && row.seen < this.#now() - TOLD_AGAIN_MS)
      this.#sql.run(
        "UPDATE manifests SET seen = ? WHERE repository = ? AND digest = ?",
        this.#now(),
        repository,
        digest,
      );
    return { ...content, digest, mediaType: row.mediaType };
  }

  /** A manifest and its tags, or a tag alone. False where there is none. */
  removeManifest(repository: string, reference: string): boolean {
    if (!this.manifest(repository, reference, false)) return false;
    return this.#sql.transaction(() => {
      if (!reference.includes(":")) {
        this.#sql.run("DELETE FROM tags WHERE repository = ? AND name = ?", repository, reference);
        return true;
      }
      this.#sql.run("DELETE FROM tags WHERE repository = ? AND digest = ?", repository, reference);
      this.#sql.run("DELETE FROM needs WHERE repository = ? AND manifest = ?", repository, reference);
      this.#sql.run("DELETE FROM manifests WHERE repository = ? AND digest = ?", repository, reference);
      return true;
    });
  }

  /** Those after `last`. Undefined where there is no such repository. */
  tags(repository: string, last: string, limit: number): Names | undefined {
    const rows = this.#sql.all<{ name: string }>(
      "SELECT name FROM tags WHERE repository = ? AND name > ? ORDER BY name LIMIT ?",
      repository,
      last,
      limit + 1,
    );
    if (rows.length > 0 || this.#exists(repository)) return namesOf(rows, limit);
    return undefined;
  }

  /** Repositories after `last`. */
  repositories(last: string, limit: number): Names {
    const rows = this.#sql.all<{ name: string }>(
      `SELECT repository AS name FROM manifests WHERE repository > ? GROUP BY repository ORDER BY repository LIMIT ?`,
      last,
      limit + 1,
    );
    return namesOf(rows, limit);
  }

  /** Manifests whose subject is this digest; of one artifact type where it is not "". */
  referrers(repository: string, subject: string, artifactType: string): Descriptor[] {
    type Row = { digest: string; mediaType: string; artifactType: string; annotations: string; size: number };
    const rows = this.#sql.all<Row>(
      `SELECT m.digest, m.media_type AS mediaType, m.artifact_type AS artifactType, m.annotations, c.size
        FROM manifests m JOIN contents c ON c.digest = m.digest
        WHERE m.repository = ? AND m.subject = ? AND m.subject <> '' AND (? = '' OR m.artifact_type = ?)
        ORDER BY m.digest`,
      repository,
      subject,
      artifactType,
      artifactType,
    );
    return rows.map(({ annotations, artifactType: type, digest, mediaType, size }) => ({
      mediaType,
      digest,
      size,
      ...(type && { artifactType: type }),
      ...(annotations && { annotations: JSON.parse(annotations) as Record<string, string> }),
    }));
  }

  /**
   * The upload is a content. Where its bytes were there already the new ones take their place, whose digest was just seen to
   * be right: so who pushes again mends what the bucket has lost.
   */
  #settle(repository: string, id: string, { digest, size }: { digest: string; size: number }): boolean {
    if (this.upload(repository, id)?.size !== size) return false;
    this.#sql.run("DELETE FROM uploads WHERE id = ?", id);
    const known = this.#content(digest);
    if (known) this.#discard(known.upload, "SELECT upload, repository, digest, size FROM contents WHERE upload = ?");
    this.#sql.run("INSERT OR REPLACE INTO contents VALUES (?, ?, ?, 0, ?)", digest, id, size, repository);
    return true;
  }

  /** `row` is what is known of it, as garbage has it. */
  #discard(id: string, row: string): void {
    this.#sql.run("DELETE FROM chunks WHERE upload = ?", id);
    this.#sql.run(`INSERT OR IGNORE INTO garbage ${row}`, id);
  }

  #content(digest: string): Content | undefined {
    const [row] = this.#sql.all<{ upload: string; size: number }>(
      "SELECT upload, size FROM contents WHERE digest = ?",
      digest,
    );
    return row && { ...row, chunks: this.chunks(row.upload) };
  }

  #link(repository: string, digest: string): void {
    this.#sql.run("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)", repository, digest, this.#now());
  }

  #tagged(repository: string, tag: string): string | undefined {
    const [row] = this.#sql.all<{ digest: string }>(
      "SELECT digest FROM tags WHERE repository = ? AND name = ?",
      repository,
      tag,
    );
    return row?.digest;
  }

  #missing(repository: string, needs: readonly string[]): string[] {
    const rows = this.#sql.all<{ digest: string }>(
      `SELECT value AS digest FROM json_each(?) WHERE
        value NOT IN (SELECT digest FROM blobs WHERE repository = ?) AND
        value NOT IN (SELECT digest FROM manifests WHERE repository = ?)`,
      JSON.stringify(needs),
      repository,
      repository,
    );
    return rows.map(({ digest }) => digest);
  }

  #exists(repository: string): boolean {
    return ["blobs", "manifests"].some(
      (table) => this.#sql.all(`SELECT 1 FROM ${table} WHERE repository = ? LIMIT 1`, repository).length > 0,
    );
  }
}

const namesOf = (rows: readonly { name: string }[], limit: number): Names => ({
  names: rows.slice(0, limit).map(({ name }) => name),
  more: rows.length > limit,
});
