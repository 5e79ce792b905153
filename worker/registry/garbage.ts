/**
 * What nothing needs goes: manifests that no tag, index, referrer's subject or container names, blobs that no manifest that
 * stays needs, and uploads that nobody goes on with; each only after its time of grace, since a push tells last what it was
 * for. First it is unknown here, and then it goes from the bucket, folder by folder, as often as that is broken off.
 */
import type { Sql } from "../storage/store.ts";
import type { Chunk } from "./facts.ts";

export type Collected = { manifests: number; blobs: number; uploads: number; bytes: number };

/**
 * A manifest stays with what it needs and with what refers to it. Parameters: the time that what is younger than stays
 * anyway (ms), and a JSON list of digests that run.
 */
const LIVE = `WITH RECURSIVE live(repository, digest) AS (
  SELECT repository, digest FROM tags
  UNION SELECT repository, digest FROM manifests
    WHERE seen > ? OR digest IN (SELECT value FROM json_each(?))
  UNION SELECT needs.repository, needs.digest FROM live JOIN needs
    ON needs.repository = live.repository AND needs.manifest = live.digest
  UNION SELECT manifests.repository, manifests.digest FROM live JOIN manifests
    ON manifests.repository = live.repository AND manifests.subject = live.digest AND manifests.subject <> '')
  SELECT repository, digest FROM live`;

export class Garbage {
  readonly #sql: Sql;
  readonly #now: () => number;

  constructor({ sql, now }: { sql: Sql; now(): number }) {
    this.#sql = sql;
    this.#now = now;
  }

  /** `used` are digests of manifests that containers run. */
  collect(used: readonly string[], graceMs: number): Collected {
    const until = this.#now() - graceMs;
    const running = JSON.stringify(used);
    return this.#sql.transaction(() => {
      const manifests = this.#drop("manifests", `(repository, digest) NOT IN (${LIVE})`, until, running);
      this.#drop("needs", "(repository, manifest) NOT IN (SELECT repository, digest FROM manifests)");
      const blobs = this.#drop("blobs", `seen <= ? AND (repository, digest) NOT IN (${LIVE})`, until, until, running);
      const unheld = "digest NOT IN (SELECT digest FROM blobs UNION SELECT digest FROM manifests)";
      const [sum] = this.#sql.all<{ bytes: number }>(
        `SELECT coalesce(sum(size), 0) AS bytes FROM contents WHERE ${unheld}`,
      );
      this.#sql.run(
        `INSERT OR IGNORE INTO garbage SELECT upload, repository, digest, size FROM contents WHERE ${unheld}`,
      );
      this.#drop("contents", unheld);
      this.#passOn();
      const [left] = this.#sql.all<{ bytes: number }>(
        "SELECT coalesce(sum(size), 0) AS bytes FROM uploads WHERE touched <= ?",
        until,
      );
      this.#sql.run(
        "INSERT OR IGNORE INTO garbage SELECT id, repository, '', size FROM uploads WHERE touched <= ?",
        until,
      );
      const uploads = this.#drop("uploads", "touched <= ?", until);
      this.#drop("chunks", "upload IN (SELECT upload FROM garbage)");
      return { manifests, blobs, uploads, bytes: (sum?.bytes ?? 0) + (left?.bytes ?? 0) };
    });
  }

  /** What a repository has brought and has no more counts for one that has it. */
  #passOn(): void {
    const holders = `SELECT repository, digest FROM blobs WHERE digest = contents.digest
      UNION SELECT repository, digest FROM manifests WHERE digest = contents.digest`;
    this.#sql.run(`UPDATE contents SET repository = (SELECT min(repository) FROM (${holders}))
      WHERE repository NOT IN (SELECT repository FROM (${holders}))`);
  }

  /** Whether something is needed by nothing but what runs, or its time of grace, or has still to be looked after in the bucket. */
  mayRemain(): boolean {
    const [found] = this.#sql.all<{ some: number }>(
      `SELECT EXISTS (SELECT 1 FROM manifests WHERE (repository, digest) NOT IN (${LIVE}))
        OR EXISTS (SELECT 1 FROM blobs WHERE (repository, digest) NOT IN (${LIVE}))
        OR EXISTS (SELECT 1 FROM uploads) OR EXISTS (SELECT 1 FROM garbage)
        OR EXISTS (SELECT 1 FROM contents WHERE checked = 0) AS some`,
      ...[Number.MAX_SAFE_INTEGER, "[]", Number.MAX_SAFE_INTEGER, "[]"],
    );
    return found?.some === 1;
  }

  /** Folders that are to go, so many of them. */
  folders(limit: number): string[] {
    return this.#sql.all<{ upload: string }>("SELECT upload FROM garbage LIMIT ?", limit).map(({ upload }) => upload);
  }

  /** They are gone. */
  swept(uploads: readonly string[]): void {
    this.#drop("garbage", "upload IN (SELECT value FROM json_each(?))", JSON.stringify(uploads));
  }

  /** Of folders that were found in the bucket, those that nobody knows are garbage. */
  found(uploads: readonly string[]): void {
    this.#sql.run(
      `INSERT OR IGNORE INTO garbage SELECT value, '', '', 0 FROM json_each(?) WHERE
        value NOT IN (SELECT id FROM uploads) AND value NOT IN (SELECT upload FROM contents)`,
      JSON.stringify(uploads),
    );
  }

  /** Folders that are whole, and may hold what was put there and never told; so many of them. */
  unchecked(limit: number): { upload: string; chunks: Chunk[] }[] {
    return this.#sql
      .all<{ upload: string }>("SELECT upload FROM contents WHERE checked = 0 LIMIT ?", limit)
      .map(({ upload }) => ({
        upload,
        chunks: this.#sql.all<Chunk>("SELECT start, size, name FROM chunks WHERE upload = ?", upload),
      }));
  }

  checked(uploads: readonly string[]): void {
    this.#sql.run(
      "UPDATE contents SET checked = 1 WHERE upload IN (SELECT value FROM json_each(?))",
      JSON.stringify(uploads),
    );
  }

  #drop(table: string, where: string, ...parameters: (string | number)[]): number {
    const [count] = this.#sql.all<{ rows: number }>(
      `SELECT count(*) AS rows FROM ${table} WHERE ${where}`,
      ...parameters,
    );
    if (count?.rows) this.#sql.run(`DELETE FROM ${table} WHERE ${where}`, ...parameters);
    return count?.rows ?? 0;
  }
}
