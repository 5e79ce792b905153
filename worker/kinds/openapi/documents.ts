/** Paths that are no resources, as far as clients ask for them: discovery and the version. */
import type { Kind } from "../kind.ts";
import { META, OBJECT_TYPES, type Operation, operationOf } from "./operations.ts";
import { groupTitle, tagOf } from "./paths.ts";
import type { Json, OpenApiVersion } from "./schemas.ts";

/** A path, and the definition that it answers. */
export type Document = { path: string; definition: string; item(version: OpenApiVersion): Json };

function document(path: string, id: string, tag: string, description: string, definition: string): Document {
  const isVersion = path === "/version/";
  const types = isVersion ? ["application/json"] : OBJECT_TYPES;
  const operation: Operation = {
    id,
    description,
    tag,
    answer: { definition, codes: [200], types },
    consumes: types,
  };
  return { path, definition, item: (version) => ({ get: operationOf(version, operation) }) };
}

/** By where its OpenAPI document of version 3 lies: `api`, `apis`, `apis/apps`, `version`; and those of the versions. */
export function documentsOf(kinds: readonly Kind[]): ReadonlyMap<string, readonly Document[]> {
  const found = new Map<string, Document[]>();
  const add = (at: string, ...documents: Document[]) => found.set(at, [...(found.get(at) ?? []), ...documents]);
  const versions = "get available API versions";
  add("api", document("/api/", "getCoreAPIVersions", "core", versions, `${META}APIVersions`));
  add("apis", document("/apis/", "getAPIVersions", "apis", versions, `${META}APIGroupList`));
  add(
    "version",
    document(
      "/version/",
      "getCodeVersion",
      "version",
      "get the server's version",
      "io.k8s.apimachinery.pkg.version.Info",
    ),
  );
  const builtin = kinds.filter(({ schema }) => schema.name);
  for (const group of new Set(builtin.map((kind) => kind.group).filter(Boolean))) {
    const title = groupTitle(group);
    const id = `get${title}APIGroup`;
    add(
      `apis/${group}`,
      document(`/apis/${group}/`, id, tagOf(title), "get information of a group", `${META}APIGroup`),
    );
  }
  for (const [at, [kind]] of Map.groupBy(
    builtin,
    ({ group, apiVersion }) => `${group ? "apis" : "api"}/${apiVersion}`,
  )) {
    if (!kind) continue;
    const title = groupTitle(kind.group);
    const id = `get${title}${kind.version.replace(/^v/, "V")}APIResources`;
    const tag = `${tagOf(title)}_${kind.version}`;
    add(at, document(`/${at}/`, id, tag, "get available resources", `${META}APIResourceList`));
  }
  return found;
}
