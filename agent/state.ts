/**
 * The agent's desired state, on disk: what the cluster last said that this node should have. It is enough to run and
 * restart pods with no uplink, also after a cold boot.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ObjectJson } from "../worker/protocol/link.ts";
import type { Objects as Message, Welcome } from "./link.ts";

type Objects = Map<string, ObjectJson>;

export class State {
  private readonly database: DatabaseSync;
  /** By resource, then `namespace/name`. */
  private readonly objects = new Map<string, Objects>();
  private readonly statements: Record<"put" | "remove" | "setFact", StatementSync>;
  private reached = 0;

  constructor(database: DatabaseSync) {
    this.database = database;
    this.database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT, json TEXT NOT NULL, PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    `);
    this.statements = {
      put: database.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"),
      remove: database.prepare("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"),
      setFact: database.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)"),
    };
    for (const row of this.database.prepare("SELECT resource, namespace, name, json FROM objects").all()) {
      const { resource, namespace, name, json } = row as Record<string, string>;
      this.of(resource as string).set(`${namespace}/${name}`, JSON.parse(json as string));
    }
    this.reached = Number(this.fact("revision") ?? 0);
  }

  /** The revision that all of this is as of; 0 when it is not complete. */
  revision(): number {
    return this.reached;
  }

  /** Objects of one resource by `namespace/name` (`/name` when cluster-scoped). */
  of(resource: string): Objects {
    let found = this.objects.get(resource);
    if (!found) {
      found = new Map();
      this.objects.set(resource, found);
    }
    return found;
  }

  /** Takes a message in whole or not at all: memory follows the commit. */
  apply(message: Message): void {
    const changes = message.type === "snapshot" ? message.objects : message.changes;
    this.database.exec("BEGIN IMMEDIATE");
    try {
      if (message.type === "snapshot") this.database.exec("DELETE FROM objects");
      const { put, remove } = this.statements;
      for (const { resource, namespace, name, object } of changes) {
        if (object) put.run(resource, namespace, name, JSON.stringify(object));
        else remove.run(resource, namespace, name);
      }
      this.setFact("revision", String(message.revision));
      this.database.exec("COMMIT");
    } catch (error) {
      this.database.exec("ROLLBACK");
      throw error;
    }
    if (message.type === "snapshot") this.objects.clear();
    for (const { resource, namespace, name, object } of changes) {
      if (object) this.of(resource).set(`${namespace}/${name}`, object);
      else this.of(resource).delete(`${namespace}/${name}`);
    }
    this.reached = message.revision;
  }

  /** The last welcome, so that a boot without uplink has the network's settings. */
  welcome(): Welcome | undefined {
    const text = this.fact("welcome");
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** A welcome from another cluster voids everything that is kept. */
  setWelcome(welcome: Welcome): void {
    if (this.welcome() && this.welcome()?.clusterId !== welcome.clusterId)
      this.apply({ type: "snapshot", revision: 0, objects: [] });
    this.setFact("welcome", JSON.stringify(welcome));
  }

  close(): void {
    this.database.close();
  }

  private fact(name: string): string | undefined {
    const row = this.database.prepare("SELECT value FROM facts WHERE name = ?").get(name);
    return row?.value as string | undefined;
  }

  private setFact(name: string, value: string): void {
    this.statements.setFact.run(name, value);
  }
}
