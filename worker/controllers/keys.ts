import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Watch } from "./controller.ts";

/** `namespace/name`, or `/name` when cluster-scoped. */
export function keyOf(object: Readonly<KubeObject>): string {
  return `${object.metadata?.namespace ?? ""}/${object.metadata?.name ?? ""}`;
}

export function splitKey(key: string): [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/** The watch of objects that reconcile themselves. */
export function* ownKey(object: Readonly<KubeObject>): Iterable<string> {
  yield keyOf(object);
}

/** A watch whose `keys` knows the type of what it is given. */
export function watch<T extends KubeObject>(kind: Kind<T>, keys: Watch<T>["keys"]): Watch {
  return { kind, keys } as unknown as Watch;
}
