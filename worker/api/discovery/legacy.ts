/** Discovery, one document for each group and version: https://kubernetes.io/docs/reference/using-api/api-concepts/#unaggregated-discovery */
import type { Kind, Subresource } from "../../kinds/kind.ts";
import type { Kinds } from "../../kinds/registry.ts";
import { toBase64 } from "../../lib/bytes.ts";
import { healthPaths } from "../http/health.ts";
import { type Group, groupsOf, groupVersion } from "./groups.ts";

const HASH_BYTES = 8;

/** Kinds that kube-apiserver stores in another version than the one it prefers to serve. */
const STORED_AS: Readonly<Record<string, string>> = {
  "customresourcedefinitions.apiextensions.k8s.io": "v1beta1",
  "volumeattributesclasses.storage.k8s.io": "v1beta1",
};

/** The same of groups. */
const STORED_IN: Readonly<Record<string, string>> = { "events.events.k8s.io": "" };

/** Tells clients when the stored form of a resource changes: the first bytes of a SHA-256 of its group, version and kind. */
async function storageVersionHash(kind: Kind): Promise<string> {
  const version = kind.storageVersion ?? STORED_AS[kind.groupResource] ?? kind.version;
  const group = STORED_IN[kind.groupResource] ?? kind.group;
  const text = new TextEncoder().encode(`${group}/${version}/${kind.kind}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return toBase64(digest.subarray(0, HASH_BYTES));
}

const isStored = (kind: Kind) => kind.verbs.includes("create") && kind.verbs.includes("get");

async function resourceEntry(kinds: Kinds, kind: Kind): Promise<object> {
  return {
    name: kind.resource,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length && { shortNames: kind.shortNames }),
    ...(kind.categories.length && { categories: kind.categories }),
    ...(isStored(kind) && {
      storageVersionHash: await storageVersionHash(kinds.preferred(kind.groupResource) ?? kind),
    }),
  };
}

/** The body's group and version where they are not the parent's. */
export function foreignBody(kind: Kind, { body }: Subresource): { group: string; version: string } | undefined {
  if (!body || (body.group === kind.group && body.version === kind.version)) return undefined;
  return { group: body.group, version: body.version };
}

const subresourceEntry = (kind: Kind, subresource: Subresource) => ({
  name: `${kind.resource}/${subresource.name}`,
  singularName: "",
  namespaced: kind.namespaced,
  ...foreignBody(kind, subresource),
  kind: subresource.body?.kind ?? kind.kind,
  verbs: subresource.verbs,
});

const byName = <T extends { name: string }>(a: T, b: T) => (a.name < b.name ? -1 : 1);

/** APIResourceList of one group and version, or undefined when it is not served. */
export async function apiResourceList(kinds: Kinds, group: string, version: string): Promise<object | undefined> {
  const served = groupsOf(kinds)
    .find((candidate) => candidate.name === group)
    ?.versions.find((candidate) => candidate.version === version);
  if (!served) return undefined;
  const resources: object[] = [];
  for (const kind of served.kinds) {
    // One without verbs is there for its subresources alone.
    if (kind.verbs.length > 0) resources.push(await resourceEntry(kinds, kind));
    // Those of a custom resource come as they are.
    const subresources = kind.schema.name === undefined ? kind.subresources : kind.subresources.toSorted(byName);
    for (const subresource of subresources) resources.push(subresourceEntry(kind, subresource));
  }
  return {
    kind: "APIResourceList",
    // The core group's list has always come without it.
    ...(group && { apiVersion: "v1" }),
    groupVersion: groupVersion(group, version),
    resources,
  };
}

export function apiVersions(host: string): object {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: host }],
  };
}

function groupEntry({ name, versions }: Group) {
  const entries = versions.map(({ version }) => ({ groupVersion: groupVersion(name, version), version }));
  return { name, versions: entries, preferredVersion: entries[0] };
}

export function apiGroup(groups: readonly Group[], name: string): object | undefined {
  const group = groups.find((candidate) => candidate.name === name);
  return group && name ? { kind: "APIGroup", apiVersion: "v1", ...groupEntry(group) } : undefined;
}

export function apiGroupList(groups: readonly Group[]): object {
  const named = groups.filter((group) => group.name !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: named.map(groupEntry) };
}

const PLACES = "/.well-known/openid-configuration /api /apis /metrics /openapi/v2 /openapi/v3 /openid/v1/jwks /version";

/** Where to begin: what is served that is no resource. */
export function rootPaths(groups: readonly Group[]): object {
  const versions = groups.flatMap(({ name, versions }) => versions.map(({ version }) => groupVersion(name, version)));
  const named = groups.flatMap(({ name }) => name || []);
  const roots = [...named, ...versions].map((path) => (path === "v1" ? "/api/v1" : `/apis/${path}`));
  return { paths: [...PLACES.split(" "), ...healthPaths(), ...roots].toSorted() };
}
