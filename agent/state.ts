/**
 * The agent's desired state, on disk: what the cluster last said that this node should have. It is enough to run and
 * restart pods with no uplink, also after a cold boot.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ObjectJson } from "../worker/protocol/link.ts";
import type { Objects as Message, Welcome } from "./link.ts";
import { Writability } from "./node/writability.ts";

type Objects = Map<string, ObjectJson>;

/** Opens the database anew, where what is open is only a stand-in; throws while that cannot be written. */
type Reopen = () => DatabaseSync;

type Statements = Record<"put" | "remove" | "setFact" | "removeFact", StatementSync>;

const WHAT = "agent.db";

export class State {
  private database: DatabaseSync;
  private readonly writability: Writability;
  private reopen: Reopen | undefined;
  /** By resource, then `namespace/name`. */
  private readonly objects = new Map<string, Objects>();
  private readonly facts = new Map<string, string>();
  private statements: Statements;
  private reached = 0;
  /** What is on disk is older than what is here. */
  private behind = false;

  /** `reopen` is given where `database` is not where the state belongs. */
  constructor(database: DatabaseSync, writability = new Writability(), reopen?: Reopen) {
    this.database = database;
    this.writability = writability;
    this.reopen = reopen;
    this.behind = reopen !== undefined;
    this.statements = prepare(database);
    for (const row of database.prepare("SELECT resource, namespace, name, json FROM objects").all()) {
      const { resource, namespace, name, json } = row as Record<string, string>;
      this.of(resource as string).set(`${namespace}/${name}`, JSON.parse(json as string));
    }
    for (const row of database.prepare("SELECT name, value FROM facts").all())
      this.facts.set(String(row.name), String(row.value));
    this.reached = Number(this.facts.get("revision") ?? 0);
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

  /** Takes a message in, whole. A disk that cannot be written keeps what it had, whole as well, until `save` succeeds. */
  apply(message: Message): void {
    const changes = message.type === "snapshot" ? message.objects : message.changes;
    if (message.type === "snapshot") this.objects.clear();
    for (const { resource, namespace, name, object } of changes) {
      if (object) this.of(resource).set(`${namespace}/${name}`, object);
      else this.of(resource).delete(`${namespace}/${name}`);
    }
    this.reached = message.revision;
    this.facts.set("revision", String(message.revision));
    this.write(() => {
      if (message.type === "snapshot") this.database.exec("DELETE FROM objects");
      const { put, remove, setFact } = this.statements;
      for (const { resource, namespace, name, object } of changes) {
        if (object) put.run(resource, namespace, name, JSON.stringify(object));
        else remove.run(resource, namespace, name);
      }
      setFact.run("revision", String(message.revision));
    });
  }

  /** Tries again what could not be written. */
  save(): void {
    if (this.behind) this.write(() => {});
  }

  /** Whether `save` has something to do. */
  get unsaved(): boolean {
    return this.behind;
  }

  private write(body: () => void): void {
    try {
      this.writability.attempt(WHAT, () => {
        if (this.reopen) this.move(this.reopen());
        inTransaction(this.database, () => (this.behind ? this.writeAll() : body()));
      });
      this.behind = false;
    } catch {
      this.behind = true; // the node says why
    }
  }

  private move(database: DatabaseSync): void {
    this.statements = prepare(database);
    this.database.close();
    this.database = database;
    this.reopen = undefined;
  }

  private writeAll(): void {
    this.database.exec("DELETE FROM objects; DELETE FROM facts");
    const { put, setFact } = this.statements;
    for (const [resource, objects] of this.objects)
      for (const [key, object] of objects) {
        const at = key.indexOf("/");
        put.run(resource, key.slice(0, at), key.slice(at + 1), JSON.stringify(object));
      }
    for (const [name, value] of this.facts) setFact.run(name, value);
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

  fact(name: string): string | undefined {
    return this.facts.get(name);
  }

  setFact(name: string, value: string): void {
    if (this.facts.get(name) === value) return;
    this.facts.set(name, value);
    this.write(() => void this.statements.setFact.run(name, value));
  }

  removeFact(name: string): void {
    if (!this.facts.delete(name)) return;
    this.write(() => void this.statements.removeFact.run(name));
  }

  /** The values of all facts whose names begin so. */
  *factsNamed(prefix: string): Iterable<string> {
    for (const [name, value] of this.facts) if (name.startsWith(prefix)) yield value;
  }

  close(): void {
    this.database.close();
  }
}

function prepare(database: DatabaseSync): Statements {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT, json TEXT NOT NULL, PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `);
  return {
    put: database.prepare("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"),
    remove: database.prepare("DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?"),
    setFact: database.prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)"),
    removeFact: database.prepare("DELETE FROM facts WHERE name = ?"),
  };
}

function inTransaction(database: DatabaseSync, body: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    body();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
