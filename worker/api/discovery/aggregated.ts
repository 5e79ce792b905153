/** Discovery in one document: https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery */
import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import type { Kind, Subresource } from "../../kinds/kind.ts";
import type { Described } from "../aggregation/discovery.ts";
import { isBuiltIn } from "../engine/stored.ts";
import { parseAccept } from "../http/negotiate.ts";
import type { Group, Version } from "./groups.ts";
import { foreignBody } from "./legacy.ts";

const GROUP = "apidiscovery.k8s.io";
const VERSIONS = ["v2"];

/** The version of the aggregated document that the client prefers over the legacy one, if any. */
export function aggregatedVersion(accept: string | null): string | undefined {
  for (const { type, subtype, parameters } of parseAccept(accept ?? "")) {
    if ((type !== "application" && type !== "*") || (subtype !== "json" && subtype !== "*")) continue;
    const [kind, group, version = ""] = ["as", "g", "v"].map((name) => parameters.get(name));
    if (!kind) return undefined;
    if (kind === "APIGroupDiscoveryList" && group === GROUP && VERSIONS.includes(version)) return version;
  }
  return undefined;
}

export const aggregatedType = (version: string) => `application/json;g=${GROUP};v=${version};as=APIGroupDiscoveryList`;

/** An empty group and version stand for those of the document around it, which custom resources name all the same. */
function responseKind(kind: Kind, subresource?: Subresource) {
  const own = isBuiltIn(kind) ? { group: "", version: "" } : { group: kind.group, version: kind.version };
  const foreign = subresource && foreignBody(kind, subresource);
  return { ...own, ...foreign, kind: subresource?.body?.kind ?? kind.kind };
}

/** Of what is there for its subresources alone: clients leave it out. */
const NO_KIND = { group: "", version: "", kind: "" };

const subresourceEntry = (kind: Kind, subresource: Subresource) => ({
  subresource: subresource.name,
  responseKind: responseKind(kind, subresource),
  verbs: subresource.verbs,
});

function resourceEntry(kind: Kind): object {
  const { subresources: declared } = kind;
  const subresources = isBuiltIn(kind) ? declared.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : declared;
  return {
    resource: kind.resource,
    responseKind: kind.verbs.length > 0 ? responseKind(kind) : NO_KIND,
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length && { shortNames: kind.shortNames }),
    ...(kind.categories.length && { categories: kind.categories }),
    ...(subresources.length && { subresources: subresources.map((entry) => subresourceEntry(kind, entry)) }),
  };
}

/** `describe` asks other servers for what they serve. */
export async function aggregatedDiscovery(
  groups: readonly Group[],
  version: string,
  describe: (extension: Extension) => Promise<Described>,
): Promise<object> {
  const versionEntry = async ({ version, kinds, extension }: Version) => {
    if (!extension) return { version, resources: kinds.map(resourceEntry), freshness: "Current" };
    const { resources, freshness } = await describe(extension);
    return { version, ...(resources.length && { resources }), freshness };
  };
  const groupEntry = async ({ name, versions }: Group) => ({
    metadata: name ? { name } : {},
    versions: await Promise.all(versions.map(versionEntry)),
  });
  const items = await Promise.all(groups.map(groupEntry));
  return { kind: "APIGroupDiscoveryList", apiVersion: `${GROUP}/${version}`, metadata: {}, items };
}
