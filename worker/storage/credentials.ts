import type { Credential, Credentials, Sql } from "./store.ts";

export class SqlCredentials implements Credentials {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  add({ hash, kind, subject, expires }: Credential): void {
    this.#sql.run(
      "INSERT OR REPLACE INTO credentials (hash, kind, subject, expires) VALUES (?, ?, ?, ?)",
      hash,
      kind,
      subject,
      expires,
    );
  }

  find(hash: string): Credential | undefined {
    return this.#sql.all<Credential>("SELECT hash, kind, subject, expires FROM credentials WHERE hash = ?", hash)[0];
  }

  remove(hash: string): void {
    this.#sql.run("DELETE FROM credentials WHERE hash = ?", hash);
  }

  of(kind: string, subject: string): Credential[] {
    return this.#sql.all<Credential>(
      "SELECT hash, kind, subject, expires FROM credentials WHERE kind = ? AND subject = ? ORDER BY hash",
      kind,
      subject,
    );
  }

  list(kind: string): Credential[] {
    return this.#sql.all<Credential>(
      "SELECT hash, kind, subject, expires FROM credentials WHERE kind = ? ORDER BY hash",
      kind,
    );
  }

  all(): Credential[] {
    return this.#sql.all<Credential>("SELECT hash, kind, subject, expires FROM credentials ORDER BY hash");
  }
}
