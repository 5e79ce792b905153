/** Which server answers for a group: this one always, or whom an APIService may name. */
import { resources } from "./generated/resources.ts";

/** Groups that are served here, whatever APIServices say. */
export const BUILTIN_GROUPS: ReadonlySet<string> = new Set(resources.map(({ group }) => group));

const GROUP_VERSION = /^\/(?:openapi\/v3\/)?apis\/([^/]+)\/([^/]+)/;

/** The group and version that a path lies in, where another server may be the one to answer; undefined elsewhere. */
export function foreignGroupVersion(pathname: string): { group: string; version: string } | undefined {
  const [, group, version] = GROUP_VERSION.exec(pathname) ?? [];
  return group === undefined || version === undefined || BUILTIN_GROUPS.has(group) ? undefined : { group, version };
}
