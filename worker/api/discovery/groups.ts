/** The served groups and their versions, in the order in which clients should prefer them. */
import type { Extension, Registration } from "../../kinds/apiregistration/api-service.ts";
import { BUILTIN_GROUPS } from "../../kinds/groups.ts";
import type { Kind } from "../../kinds/kind.ts";
import { isGivenAway } from "../../kinds/metrics/custom.ts";
import type { Kinds } from "../../kinds/registry.ts";

/** `extension` is the server to ask where this one has no kinds of the version. */
export type Version = { version: string; kinds: Kind[]; extension?: Extension };
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
export function groupsOf(kinds: Kinds, registrations: readonly Registration[] = []): Group[] {
  const groups = new Map<string, Map<string, Version>>();
  const place = (group: string, entry: Version) => {
    const versions = groups.get(group) ?? new Map<string, Version>();
    groups.set(group, versions);
    versions.set(entry.version, entry);
  };
  for (const members of Map.groupBy(kinds.all(), ({ group, version }) => `${version}.${group}`).values()) {
    const [{ group, version }] = members as [Kind];
    if (isGivenAway(group, registrations)) continue;
    const sorted = members.toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
    place(group, { version, kinds: sorted });
  }
  for (const { group, version, extension } of registrations)
    if (extension && !BUILTIN_GROUPS.has(group)) place(group, { version, kinds: [], extension });
  const rank = ranking(groups.keys(), registrations);
  return [...groups]
    .toSorted(([a], [b]) => rank.groups(a, b))
    .map(([name, versions]) => ({
      name,
      versions: [...versions.values()].toSorted((a, b) => rank.versions(name, a.version, b.version)),
    }));
}

/** Built-in groups that no APIService speaks of stand where they are; the first of all is higher than any may be. */
const HIGHEST = 20_001;
/** What kube-apiserver gives to custom resources. */
const CUSTOM = 1_000;

/** Groups by the highest priority of their APIServices, then by name; built-in ones keep their order, and come first. */
function ranking(names: Iterable<string>, registrations: readonly Registration[]) {
  const priorities = new Map<string, number>();
  const versionPriorities = new Map<string, number>();
  for (const { group, version, groupPriority, versionPriority } of registrations) {
    priorities.set(group, Math.max(groupPriority, priorities.get(group) ?? 0));
    versionPriorities.set(`${version}.${group}`, versionPriority);
  }
  let last = HIGHEST;
  for (const name of names) {
    if (BUILTIN_GROUPS.has(name)) last = Math.min(last, (name && priorities.get(name)) || last);
    priorities.set(name, BUILTIN_GROUPS.has(name) ? last : (priorities.get(name) ?? CUSTOM));
  }
  const priority = (group: string) => priorities.get(group) ?? 0;
  const versionPriority = (group: string, version: string) => versionPriorities.get(`${version}.${group}`) ?? 0;
  return {
    groups(a: string, b: string): number {
      const isBuiltin = [BUILTIN_GROUPS.has(a), BUILTIN_GROUPS.has(b)];
      const byPriority = priority(b) - priority(a) || Number(isBuiltin[1]) - Number(isBuiltin[0]);
      return byPriority || (isBuiltin[0] ? 0 : a < b ? -1 : 1);
    },
    versions: (group: string, a: string, b: string): number =>
      versionPriority(group, b) - versionPriority(group, a) || compareVersions(a, b),
  };
}

export const groupVersion = (group: string, version: string): string => (group ? `${group}/${version}` : version);
