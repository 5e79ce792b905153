/** The served groups and their versions, in the order in which clients should prefer them. */
import type { Kind } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";

export type Version = { version: string; kinds: Kind[] };
export type Group = { name: string; versions: Version[] };

const STAGES: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

/** v2 before v1 before v1beta2 before v1alpha1; other words last, by name. */
export function compareVersions(a: string, b: string): number {
  const rank = (version: string) => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    return match
      ? [1, match[2] ? (STAGES[match[2]] as number) : 2, Number(match[1]), Number(match[3] ?? 0)]
      : [0, 0, 0, 0];
  };
  const [left, right] = [rank(a), rank(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return (right[index] as number) - value;
  return a < b ? -1 : Number(a > b);
}

/** The core group is `""`. Resources are in the order of their names. */
export function groupsOf(kinds: Kinds): Group[] {
  const groups = new Map<string, Map<string, Kind[]>>();
  for (const kind of kinds.all()) {
    const versions = groups.get(kind.group) ?? new Map<string, Kind[]>();
    groups.set(kind.group, versions);
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind]);
  }
  return [...groups].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .toSorted(([a], [b]) => compareVersions(a, b))
      .map(([version, list]) => ({ version, kinds: list.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)) })),
  }));
}

export const groupVersion = (group: string, version: string): string => (group ? `${group}/${version}` : version);
