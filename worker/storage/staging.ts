/**
 * What is to take the place of all that there is: gathered row by row, while the cluster goes on, and then put in its
 * place in one transaction. Until that is committed nothing has changed.
 */
import { KEYS_SETTING } from "./encryption/data-keys.ts";
import type { Sealing, Stored } from "./encryption/sealing.ts";
import type { Credential, Setting, Sql, Staging, StoredObject } from "./store.ts";

/** No resource of an object has a slash. */
const SETTING = "/setting";
const CREDENTIAL = "/credential";

export class SqlStaging implements Staging {
  readonly #sql: Sql;
  readonly #sealing: Sealing;

  constructor(sql: Sql, sealing: Sealing) {
    this.#sql = sql;
    this.#sealing = sealing;
  }

  clear(): void {
    this.#sql.run("DELETE FROM staged");
  }

  addObject(object: StoredObject, refs: readonly string[]): void {
    const { resource, namespace, name, uid, revision } = object;
    this.#sql.run(
      "INSERT INTO staged (resource, namespace, name, uid, revision, refs, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
      resource,
      namespace,
      name,
      uid,
      revision,
      JSON.stringify([...new Set(refs)]),
      this.#sealing.seal(object),
    );
  }

  addSetting({ name, value }: Setting): void {
    this.#add(SETTING, name, this.#sealing.sealSetting(name, value));
  }

  addCredential(credential: Credential): void {
    this.#add(CREDENTIAL, credential.hash, JSON.stringify(credential));
  }

  #add(resource: string, name: string, json: Stored): void {
    this.#sql.run(
      `INSERT INTO staged (resource, namespace, name, uid, revision, refs, json) VALUES (?, '', ?, '', 0, '[]', ?)`,
      resource,
      name,
      json,
    );
  }

  replaceAll(revision: number, keep: { settings: readonly string[]; credentials: readonly string[] }): void {
    const { run } = this.#sql;
    this.#sql.transaction(() => {
      for (const table of ["objects", "refs", "changes", "work"]) run(`DELETE FROM ${table}`);
      // Backups have them in the order of their keys: to sort all bodies here would take longer than all else.
      run(
        `INSERT INTO objects (resource, namespace, name, uid, revision, refs, json)
         SELECT resource, namespace, name, uid, revision, refs, json FROM staged WHERE resource NOT LIKE '/%'
         ORDER BY rowid`,
      );
      run(
        `INSERT INTO refs (ref, resource, namespace, name)
         SELECT t.value, o.resource, o.namespace, o.name FROM objects o, json_each(o.refs) t`,
      );
      // What is staged is sealed with the keys that are here.
      const kept = JSON.stringify([...keep.settings, KEYS_SETTING]);
      run("DELETE FROM settings WHERE name NOT IN (SELECT value FROM json_each(?))", kept);
      run(`INSERT OR IGNORE INTO settings (name, value) SELECT name, json FROM staged WHERE resource = '${SETTING}'`);
      run(
        "DELETE FROM credentials WHERE kind NOT IN (SELECT value FROM json_each(?))",
        JSON.stringify(keep.credentials),
      );
      run(
        `INSERT OR REPLACE INTO credentials (hash, kind, subject, expires)
         SELECT name, json ->> 'kind', json ->> 'subject', json ->> 'expires' FROM staged WHERE resource = '${CREDENTIAL}'`,
      );
      // Nothing is known of what was before: who asks for changes since then has to look at everything.
      run("INSERT OR REPLACE INTO settings (name, value) VALUES ('log.horizon', ?)", String(revision));
      run("DELETE FROM staged");
    });
  }
}
