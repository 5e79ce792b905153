import type { KubeObject } from "../lib/object.ts";

/** The class that is meant where none is named: of several that say so the newest, then the first by name. */
export function defaultClass<T extends KubeObject>(classes: readonly Readonly<T>[], annotation: string) {
  const created = ({ metadata }: Readonly<T>) => metadata?.creationTimestamp ?? "";
  const name = ({ metadata }: Readonly<T>) => metadata?.name ?? "";
  return classes
    .filter(({ metadata }) => metadata?.annotations?.[annotation] === "true")
    .toSorted((a, b) =>
      created(a) === created(b) ? (name(a) < name(b) ? -1 : 1) : created(a) > created(b) ? -1 : 1,
    )[0];
}
