/** What kinds the cluster serves, CRDs' and extensions' too: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
import type { Client } from "./client.ts";

export type Resource = {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
  verbs: readonly string[];
};

type Discovery = {
  items: {
    metadata: { name?: string };
    versions: {
      version: string;
      resources?: {
        resource: string;
        responseKind: { kind: string };
        scope: "Namespaced" | "Cluster";
        verbs: string[];
      }[];
    }[];
  }[];
};

const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Each resource that can be listed, by its preferred version. */
export async function discover(client: Client): Promise<readonly Resource[]> {
  const parts = await Promise.all(["/api", "/apis"].map((path) => client.json<Discovery>(path, { accept: ACCEPT })));
  const found = new Map<string, Resource>();
  for (const group of parts.flatMap(({ items }) => items))
    for (const { version, resources = [] } of group.versions)
      for (const { resource: plural, responseKind, scope, verbs } of resources) {
        const key = `${plural}.${group.metadata.name ?? ""}`;
        if (!verbs.includes("list") || found.has(key)) continue;
        found.set(key, {
          group: group.metadata.name ?? "",
          version,
          plural,
          kind: responseKind.kind,
          namespaced: scope === "Namespaced",
          verbs,
        });
      }
  return [...found.values()].toSorted((a, b) => a.kind.localeCompare(b.kind));
}

export type Place = { group: string; version: string; plural: string; namespace?: string; name?: string };

/** The path of a collection, of all namespaces without one, or of an object in it. */
export function pathOf({ group, version, plural, namespace, name }: Place): string {
  const root = group === "" ? ["api", version] : ["apis", group, version];
  const parts = [...root, ...(namespace ? ["namespaces", namespace] : []), plural, ...(name ? [name] : [])];
  return parts.map((part) => `/${partOf(part)}`).join("");
}

/** A link may say anything: what it names is to stay one part of a path. */
export const partOf = (name: string): string => (/^\.*$/.test(name) ? "-" : encodeURIComponent(name));
