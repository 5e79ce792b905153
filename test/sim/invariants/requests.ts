/** What clients asked for, and what it was about. */
import type { Observation } from "../contract.ts";
import type { History } from "./history.ts";

/** The object or collection that a path names. `name` is "" for a collection. */
export type Target = {
  resource: string;
  namespace: string;
  name: string;
  subresource: string;
  query: URLSearchParams;
};

export type Asked = Target & {
  id: number;
  client: string;
  method: string;
  body: unknown;
  /** The newest revision that was durable when it was sent. */
  revision: number;
};

/** Undefined for what is not about objects: `/version`, discovery. */
export function targetOf(path: string): Target | undefined {
  const { pathname, searchParams: query } = new URL(path, "https://cluster");
  const parts = pathname
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const [root, first = "", ...others] = parts;
  const group = root === "apis" ? first : "";
  const rest = root === "apis" ? others.slice(1) : others;
  if ((root !== "api" && root !== "apis") || rest.length === 0) return undefined;
  const inNamespace = rest[0] === "namespaces" && rest.length > 2 && rest[2] !== "status" && rest[2] !== "finalize";
  const namespace = inNamespace ? (rest[1] ?? "") : "";
  const [plural = "", name = "", subresource = ""] = inNamespace ? rest.slice(2) : rest;
  return { resource: group ? `${plural}.${group}` : plural, namespace, name, subresource, query };
}

const isDryRun = ({ query, body }: Asked): boolean =>
  query.has("dryRun") || ((body as { dryRun?: unknown[] } | undefined)?.dryRun?.length ?? 0) > 0;

export const isWrite = (asked: Asked): boolean => asked.method !== "GET" && !isDryRun(asked);

export class Requests {
  readonly #history: History;
  readonly #open = new Map<number, Asked>();
  /** By `resource namespace/name`, what clients ever asked to be done to an object, reads left out. */
  readonly #writes = new Map<string, Asked[]>();
  /** Deletions of whole collections, by resource. */
  readonly #sweeps: Asked[] = [];

  constructor(history: History) {
    this.#history = history;
  }

  sent({ id, client, method, path, body }: Extract<Observation, { type: "request" }>): void {
    const target = targetOf(path);
    if (!target) return;
    const asked: Asked = { ...target, id, client, method, body, revision: this.#history.revision };
    this.#open.set(id, asked);
    if (!isWrite(asked)) return;
    if (method === "DELETE" && target.name === "") this.#sweeps.push(asked);
    const key = keyOf(target);
    const writes = this.#writes.get(key);
    if (writes) writes.push(asked);
    else this.#writes.set(key, [asked]);
  }

  answered({ id }: { id: number }): Asked | undefined {
    const asked = this.#open.get(id);
    this.#open.delete(id);
    return asked;
  }

  /** Writes that clients sent for one object, whatever came of them. */
  writesTo(object: { resource: string; namespace: string; name: string }): readonly Asked[] {
    return this.#writes.get(keyOf(object)) ?? [];
  }

  /** Deletions, evictions and sweeps that clients sent and that may have been about this object. */
  deletionsOf(object: { resource: string; namespace: string; name: string }): readonly Asked[] {
    const own = this.writesTo(object).filter(
      ({ method, subresource }) => method === "DELETE" || subresource === "eviction",
    );
    const sweeps = this.#sweeps.filter(
      ({ resource, namespace }) => resource === object.resource && (!namespace || namespace === object.namespace),
    );
    return [...own, ...sweeps];
  }
}

const keyOf = ({ resource, namespace, name }: { resource: string; namespace: string; name: string }): string =>
  `${resource} ${namespace}/${name}`;
