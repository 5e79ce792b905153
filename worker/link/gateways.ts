/** What nodes are told of gateways of ours: tables of rules, all in one object, since every node serves all of them. */
import { NAMESPACES, SOURCES } from "../kinds/gateway/sources.ts";
import { type GatewayTables, tablesOf } from "../kinds/gateway/tables.ts";
import { TABLES, TABLES_NAME } from "../kinds/gateway/types.ts";
import { same } from "../kinds/paths.ts";
import type { KubeObject } from "../lib/object.ts";
import type { NodeChange, ObjectJson } from "../protocol/link.ts";
import type { Objects, Write } from "./downlink.ts";

const change = (tables: GatewayTables | undefined): NodeChange => ({
  resource: TABLES,
  namespace: "",
  name: TABLES_NAME,
  object: (tables ?? null) as ObjectJson | null,
});

const meant = ({ metadata }: KubeObject) => [metadata?.generation, metadata?.annotations, metadata?.deletionTimestamp];

/** Of what is written often, and to no effect here. */
function matters({ resource, object, old }: Write): boolean {
  if (SOURCES.has(resource)) return !object || !old || !same(meant(object), meant(old));
  return resource === NAMESPACES && !same(object?.metadata?.labels, old?.metadata?.labels);
}

type Made = { tables: GatewayTables | undefined };

export class Gateways {
  readonly #objects: Pick<Objects, "list">;
  readonly #report: (error: unknown) => void;
  /** A cache. */
  #made: Made | undefined;
  /** The last ones that could be made. */
  #good: Made | undefined;

  constructor(objects: Pick<Objects, "list">, report: (error: unknown) => void) {
    this.#objects = objects;
    this.#report = report;
  }

  snapshot(): NodeChange[] {
    const tables = this.#tables();
    return tables ? [change(tables)] : [];
  }

  /** What a node may lack that missed these writes; what it has may be gone. */
  missed(writes: readonly Write[]): NodeChange[] {
    if (writes.some(({ resource }) => SOURCES.has(resource))) {
      const tables = this.#tables();
      return this.#good ? [change(tables)] : [];
    }
    return writes.some(({ resource }) => resource === NAMESPACES) ? this.snapshot() : [];
  }

  changed(writes: readonly Write[]): NodeChange[] {
    if (!writes.some(matters)) return [];
    const before = this.#made;
    this.#made = undefined;
    const tables = this.#tables();
    if (!this.#good) return [];
    if (!tables && !writes.some(({ resource }) => SOURCES.has(resource))) return [];
    return before && same(before.tables, tables) ? [] : [change(tables)];
  }

  /** `namespace/name` of Secrets with the certificates of listeners. */
  secrets(): string[] {
    return (this.#tables()?.certificates ?? []).map(({ namespace, secret }) => `${namespace}/${secret}`);
  }

  /** What they are made of was written, of which this was not told. */
  forget(): void {
    this.#made = undefined;
  }

  #tables(): GatewayTables | undefined {
    this.#made ??= this.#make();
    return this.#made.tables;
  }

  /** Objects may be anything where their definition has no schema: nodes keep what they have then, and hear of all else. */
  #make(): Made {
    try {
      this.#good = { tables: tablesOf((resource) => this.#objects.list(resource), "lan") };
    } catch (error) {
      this.#report(error);
    }
    return this.#good ?? { tables: undefined };
  }
}
