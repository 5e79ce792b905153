import type { RuntimeConfig } from "../lib/config.ts";
import { builtins } from "./builtin.ts";
import { kindOf } from "./define-kind.ts";
import { resources } from "./generated/resources.ts";
import type { Kind } from "./kind.ts";

const id = (...parts: string[]) => parts.join("/");
const without = <T>(list: readonly T[] | undefined, item: T) => (list ?? []).filter((other) => other !== item);

/** Every kind that is served now. Built-in ones come first, in discovery's order; later ones in order of arrival. */
export class Kinds {
  #revision = 0;
  readonly #byResource = new Map<string, Kind>();
  readonly #byKind = new Map<string, Kind>();
  readonly #versions = new Map<string, readonly Kind[]>();

  constructor(kinds: Iterable<Kind> = []) {
    for (const kind of kinds) this.add(kind);
  }

  /** Moves with every change, so that what is derived from the kinds can be kept. */
  get revision(): number {
    return this.#revision;
  }

  /** `resource` is the plural: `find("apps", "v1", "deployments")`. */
  find(group: string, version: string, resource: string): Kind | undefined {
    return this.#byResource.get(id(group, version, resource));
  }

  /** `byKind("apps/v1", "Deployment")`. */
  byKind(apiVersion: string, kind: string): Kind | undefined {
    return this.#byKind.get(id(apiVersion, kind));
  }

  all(): Iterable<Kind> {
    return this.#byResource.values();
  }

  /** The version that clients get when they name none; `groupResource` as in storage: `deployments.apps`. */
  preferred(groupResource: string): Kind | undefined {
    return this.#versions.get(groupResource)?.[0];
  }

  /** All versions of one resource, the preferred one first. */
  versions(groupResource: string): readonly Kind[] {
    return this.#versions.get(groupResource) ?? [];
  }

  /** Replaces the kind of the same group, version and plural. */
  add(kind: Kind): void {
    const known = this.find(kind.group, kind.version, kind.resource);
    if (known) this.remove(known);
    this.#revision++;
    this.#byResource.set(id(kind.group, kind.version, kind.resource), kind);
    this.#byKind.set(id(kind.apiVersion, kind.kind), kind);
    this.#versions.set(kind.groupResource, [...this.versions(kind.groupResource), kind]);
  }

  remove(kind: Kind): void {
    const key = id(kind.group, kind.version, kind.resource);
    if (this.#byResource.get(key) !== kind) return;
    this.#revision++;
    this.#byResource.delete(key);
    this.#byKind.delete(id(kind.apiVersion, kind.kind));
    const left = without(this.#versions.get(kind.groupResource), kind);
    if (left.length) this.#versions.set(kind.groupResource, left);
    else this.#versions.delete(kind.groupResource);
  }
}

/**
 * Every resource of the discovery document: with its own rules where a file has them, else from the facts alone. What is
 * optional is there where its group and version are asked for.
 */
export function builtinKinds(asked: RuntimeConfig = {}): Kinds {
  const own = new Map(builtins.map((kind) => [id(kind.group, kind.version, kind.resource), kind]));
  const served = resources.filter(({ optional, group, version }) => !optional || asked[id(group, version)]);
  return new Kinds(served.map((facts) => own.get(id(facts.group, facts.version, facts.resource)) ?? kindOf(facts)));
}
