/** What extension servers say of their groups: asked for with the discovery document that it goes into, and kept a while. */
import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import type { Extensions, Reply } from "./aggregation.ts";
import { Kept, question } from "./kept.ts";

/** As in `APIGroupDiscoveryList`: the resources of one version, and whether the server has just said so. */
export type Described = { resources: readonly object[]; freshness: "Current" | "Stale" };

const AGGREGATED = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(",");

type Nested = { responseKind?: object | null };
type Resource = Nested & { subresources?: Nested[] };
type GroupDiscovery = { metadata?: { name?: string }; versions?: { version: string; resources?: Resource[] }[] };
type APIResource = {
  name: string;
  singularName?: string;
  namespaced?: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
};

export class ExtensionDiscovery {
  readonly #extensions: Extensions;
  readonly #resources: Kept<readonly object[]>;
  /** What each last said. */
  readonly #last = new Map<string, readonly object[]>();

  constructor(extensions: Extensions, now: () => number) {
    this.#extensions = extensions;
    this.#resources = new Kept(extensions, now, ask);
  }

  async describe(extension: Extension): Promise<Described> {
    this.#extensions.used(extension);
    const resources = await this.#resources.get(extension);
    if (resources) this.#last.set(extension.name, resources);
    return { resources: resources ?? this.#last.get(extension.name) ?? [], freshness: resources ? "Current" : "Stale" };
  }
}

async function ask(extensions: Extensions, extension: Extension): Promise<readonly object[]> {
  const { group, version } = extension;
  const all = await extensions.get(extension, question("/apis", AGGREGATED));
  if (isAggregated(all)) return inDocument(JSON.parse(all.text) as { items?: GroupDiscovery[] }, group, version);
  const legacy = await extensions.get(extension, question(`/apis/${group}/${version}`, "application/json"));
  if (legacy.status !== 200) throw new Error(`discovery of ${group}/${version}: ${legacy.status}`);
  return fromLegacy((JSON.parse(legacy.text) as { resources?: APIResource[] }).resources ?? []);
}

const isAggregated = ({ status, headers }: Reply) =>
  status === 200 && (headers.get("content-type") ?? "").includes("as=APIGroupDiscoveryList");

/** Clients of some releases fail where a `responseKind` is missing. */
const withKind = <T extends Nested>(entry: T): T => ({ ...entry, responseKind: entry.responseKind ?? EMPTY });
const EMPTY = { group: "", version: "", kind: "" };

function inDocument({ items = [] }: { items?: GroupDiscovery[] }, group: string, version: string): readonly object[] {
  const versions = items.find(({ metadata }) => metadata?.name === group)?.versions ?? [];
  const resources = versions.find((entry) => entry.version === version)?.resources ?? [];
  return resources.map((resource) => ({
    ...withKind(resource),
    ...(resource.subresources && { subresources: resource.subresources.map(withKind) }),
  }));
}

function kindOf({ group = "", version = "", kind }: APIResource): object {
  return { group, version, kind };
}

/** The list of one group and version, in which subresources stand beside their parents, as the document nests them. */
function fromLegacy(list: readonly APIResource[]): readonly object[] {
  return list
    .filter(({ name }) => !name.includes("/"))
    .map((resource) => {
      const { name, namespaced, singularName = "", verbs, shortNames, categories } = resource;
      const subresources = list
        .filter((other) => other.name.startsWith(`${name}/`))
        .map((other) => ({
          subresource: other.name.slice(name.length + 1),
          responseKind: kindOf(other),
          verbs: other.verbs,
        }));
      return {
        resource: name,
        responseKind: kindOf(resource),
        scope: namespaced ? "Namespaced" : "Cluster",
        singularResource: singularName,
        verbs,
        ...(shortNames?.length && { shortNames }),
        ...(categories?.length && { categories }),
        ...(subresources.length && { subresources }),
      };
    });
}
