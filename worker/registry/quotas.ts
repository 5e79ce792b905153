/**
 * How much repositories may hold: all together, and those of a prefix, where `team` means `team` and `team/…`. What counts
 * are blobs and manifests, each once below a prefix however many of its repositories have it, uploads as far as they have
 * come, and what the prefix has brought into the bucket and needs no more, until it is gone from there. Of layers that the
 * bucket holds once for several prefixes each has the whole.
 */
import type { Sql } from "../storage/store.ts";

/** `prefix` is "" for all repositories. */
export type Quota = { prefix: string; bytes: number };
/** `bytes` is null where nothing is said. */
export type Usage = { prefix: string; bytes: number | null; used: number };

/** Repositories of a prefix, as a condition and its parameters; `/` comes right before `0`. */
const below = (prefix: string): { where: string; parameters: string[] } =>
  prefix === ""
    ? { where: "1", parameters: [] }
    : {
        where: "(repository = ? OR (repository > ? AND repository < ?))",
        parameters: [prefix, `${prefix}/`, `${prefix}0`],
      };

export class Quotas {
  readonly #sql: Sql;
  /** Bytes that are left of each, or fewer: what goes is not counted before there is need. */
  readonly #left = new Map<string, number>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Of all together first. */
  usages(): Usage[] {
    const quotas = this.#sql.all<Quota>("SELECT prefix, bytes FROM quotas ORDER BY prefix");
    const all = quotas[0]?.prefix === "" ? [] : [{ prefix: "", bytes: null }];
    return [...all, ...quotas].map((quota) => ({ ...quota, used: this.#used(quota.prefix) }));
  }

  setQuota(prefix: string, bytes: number): void {
    this.#sql.run("INSERT OR REPLACE INTO quotas VALUES (?, ?)", prefix, bytes);
    this.#left.clear();
  }

  /** False where there was none. */
  removeQuota(prefix: string): boolean {
    const found = this.#sql.all("SELECT 1 FROM quotas WHERE prefix = ?", prefix).length > 0;
    this.#sql.run("DELETE FROM quotas WHERE prefix = ?", prefix);
    return found;
  }

  /** The quota that does not allow a repository so many bytes more. */
  exceeded(repository: string, bytes: number): Quota | undefined {
    return this.#ofRepository(repository).find((quota) => !this.#allows(quota, bytes));
  }

  /** As above; where all allow them they are counted. */
  take(repository: string, bytes: number): Quota | undefined {
    return this.#take(this.#ofRepository(repository), bytes);
  }

  /** The same for a content that is there already. */
  takeMounted(repository: string, { digest, size }: { digest: string; size: number }): Quota | undefined {
    return this.#take(
      this.#ofRepository(repository).filter(({ prefix }) => !this.#has(prefix, digest)),
      size,
    );
  }

  #take(quotas: readonly Quota[], bytes: number): Quota | undefined {
    const refusing = quotas.find((quota) => !this.#allows(quota, bytes));
    if (!refusing) for (const { prefix } of quotas) this.#left.set(prefix, (this.#left.get(prefix) ?? 0) - bytes);
    return refusing;
  }

  #ofRepository(repository: string): Quota[] {
    return this.#sql
      .all<Quota>("SELECT prefix, bytes FROM quotas")
      .filter(({ prefix }) => prefix === "" || `${repository}/`.startsWith(`${prefix}/`));
  }

  #allows({ prefix, bytes: most }: Quota, bytes: number): boolean {
    if ((this.#left.get(prefix) ?? Number.NEGATIVE_INFINITY) < bytes) this.#left.set(prefix, most - this.#used(prefix));
    return (this.#left.get(prefix) ?? 0) >= bytes;
  }

  #has(prefix: string, digest: string): boolean {
    const { where, parameters } = below(prefix);
    return ["blobs", "manifests", "contents"].some(
      (table) =>
        this.#sql.all(`SELECT 1 FROM ${table} WHERE digest = ? AND ${where} LIMIT 1`, digest, ...parameters).length > 0,
    );
  }

  /** Of each digest either what the prefix has, or what it has brought, also where that is more. */
  #used(prefix: string): number {
    const { where, parameters } = below(prefix);
    const sum = (from: string, ...given: string[]) =>
      this.#sql.all<{ bytes: number }>(`SELECT coalesce(sum(size), 0) AS bytes FROM ${from}`, ...given)[0]?.bytes ?? 0;
    const own = `SELECT digest FROM blobs WHERE ${where} UNION SELECT digest FROM manifests WHERE ${where}`;
    const each = `SELECT max(sum(own), sum(brought)) AS size FROM (
      SELECT digest, size AS own, 0 AS brought FROM contents WHERE digest IN (${own})
      UNION ALL SELECT digest, 0, size FROM contents WHERE ${where}
      UNION ALL SELECT digest, 0, size FROM garbage WHERE ${where}) GROUP BY digest`;
    return sum(`(${each})`, ...Array(4).fill(parameters).flat()) + sum(`uploads WHERE ${where}`, ...parameters);
  }
}
