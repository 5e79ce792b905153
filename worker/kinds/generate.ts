/**
 * Reduces the official OpenAPI, discovery and recorded facts of one Kubernetes version to `generated/`:
 * names, types, keys, defaults and verbs, without description sentences. Run it as
 * `node worker/kinds/generate.ts FOLDER MODULES`, where MODULES is the `k8s.io` folder of a Go module cache with api,
 * apimachinery, apiextensions-apiserver and kube-aggregator of that version, and FOLDER holds swagger.json, openapi-v3/, discovery-aggregated-v2.json,
 * golden/cases/discovery.json, table-columns.json and field-selectors.json.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GoField, GoSource } from "./generate-go.ts";

type Gvk = { group: string; version: string; kind: string };
type OpenApi = {
  type?: string;
  format?: string;
  $ref?: string;
  allOf?: { $ref: string }[];
  properties?: Record<string, OpenApi>;
  items?: OpenApi;
  additionalProperties?: OpenApi;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  description?: string;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-patch-strategy"?: string;
  "x-kubernetes-patch-merge-key"?: string;
  "x-kubernetes-group-version-kind"?: Gvk[];
};
type Discovered = { responseKind: Gvk; verbs: string[] };
type DiscoveredResource = Discovered & {
  resource: string;
  singularResource: string;
  scope: string;
  shortNames?: string[];
  categories?: string[];
  subresources?: (Discovered & { subresource: string })[];
};
type DiscoveredGroup = {
  metadata: { name?: string };
  versions: { version: string; resources: DiscoveredResource[] }[];
};
type RecordedColumn = { name: string; type: string; format: string; priority: number; description: string };

/** What the documents call a plain object or string, and what it really holds. */
const leaves: Record<string, { row: object; type: string }> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": { row: { type: "string", format: "quantity" }, type: "string" },
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
    row: { type: "string", format: "int-or-string" },
    type: "number | string",
  },
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": { row: { type: "string", format: "date-time" }, type: "string" },
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": { row: { type: "string", format: "micro-time" }, type: "string" },
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": { row: { type: "any" }, type: "Record<string, unknown>" },
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": { row: { type: "any" }, type: "Record<string, unknown>" },
  "io.k8s.apimachinery.pkg.runtime.RawExtension": { row: { type: "any" }, type: "Record<string, unknown>" },
};
const apiextensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";
for (const name of ["JSON", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool", "JSONSchemaPropsOrStringArray"])
  leaves[apiextensions + name] = { row: { type: "any" }, type: "unknown" };

const goSource = new GoSource(process.argv[3] ?? ".");
const folder = process.argv[2] ?? ".";
const read = <T>(path: string): T => JSON.parse(readFileSync(join(folder, path), "utf8")) as T;
const output = join(import.meta.dirname, "generated");
const write = (file: string, lines: readonly string[]) =>
  writeFileSync(join(output, file), `// Made by worker/kinds/generate.ts. Do not edit.\n${lines.join("\n")}\n`);

/** The documents show all that there is; kube-apiserver serves no alpha or beta version unless it is told to. */
const isStable = (version: string) => /^v\d+$/.test(version);

/** What is served when it is asked for, as group, version and plural. */
const optional: readonly string[] = [
  "admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies",
  "admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings",
];
const optionalDefinitions = [
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyList",
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBindingList",
];

/** Defaults are only in the version 3 documents. */
function readDefinitions(): [string, OpenApi][] {
  const definitions = new Map<string, OpenApi>();
  for (const file of readdirSync(join(folder, "openapi-v3"))) {
    const document = read<{ components?: { schemas?: Record<string, OpenApi> } }>(join("openapi-v3", file));
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) definitions.set(name, schema);
  }
  for (const name of Object.keys(read<{ definitions: object }>("swagger.json").definitions))
    if (!definitions.has(name)) throw new Error(`${name} is in swagger.json only`);
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const [, inner = ""] of JSON.stringify(definitions.get(name)).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      want(inner);
  };
  for (const name of optionalDefinitions) want(name);
  const served = [...definitions].filter(([name]) => !/\.v\d+(alpha|beta)\d+\./.test(name) || wanted.has(name));
  return served.sort(([a], [b]) => (a < b ? -1 : 1));
}

const refOf = (schema: OpenApi) => (schema.$ref ?? schema.allOf?.[0]?.$ref)?.replace("#/components/schemas/", "");

const compact = (row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));

/** One field: a plain string where its type says it all (`integer int32`, `#Definition`), else its facts. */
function row(schema: OpenApi): unknown {
  const ref = refOf(schema);
  const items = schema.items ?? schema.additionalProperties;
  const type = schema.type === "array" ? "list" : schema.additionalProperties ? "map" : schema.type;
  const plain = ref ? `#${ref}` : [type ?? "any", schema.format].filter(Boolean).join(" ");
  const facts = compact({
    items: items && row(items),
    enum: schema.enum,
    listType: schema["x-kubernetes-list-type"],
    listKeys: schema["x-kubernetes-list-map-keys"],
    atomic: schema["x-kubernetes-map-type"] && schema["x-kubernetes-map-type"] === "atomic",
    patchStrategy: schema["x-kubernetes-patch-strategy"],
    patchMergeKey: schema["x-kubernetes-patch-merge-key"],
  });
  return Object.keys(facts).length ? { is: plain, ...facts } : plain;
}

/** How an error names a field's Go type where nothing else is known; `tables.ts` says the same. */
function plainGoType(schema: OpenApi): string {
  const ref = refOf(schema);
  if (ref) return GoSource.typeName(ref);
  if (schema.items) return `[]${plainGoType(schema.items)}`;
  if (schema.additionalProperties) return `map[string]${plainGoType(schema.additionalProperties)}`;
  const names: Record<string, string> = { boolean: "bool", integer: schema.format ?? "int", number: "float64" };
  return names[schema.type ?? ""] ?? schema.type ?? "";
}

const isZero = (value: unknown) => value === "" || value === 0 || value === false || JSON.stringify(value) === "{}";

/** The documents give Go's zero values as defaults too; those are no defaults unless the field is a pointer. */
function fieldRow(schema: OpenApi, goField: GoField | undefined): unknown {
  if (!goField) throw new Error(`no Go field for ${JSON.stringify(schema)}`);
  const plain = row(schema);
  const isDefault = goField.pointer || !isZero(schema.default);
  const facts = compact({
    default: isDefault ? schema.default : undefined,
    zero: goField.zero,
    pointer: (goField.pointer && !refOf(schema)) || undefined,
    goType: goField.type === plainGoType(schema) ? undefined : goField.type,
  });
  if (!Object.keys(facts).length) return plain;
  return { ...(typeof plain === "string" ? { is: plain } : (plain as object)), ...facts };
}

function definitionRow(name: string, schema: OpenApi): unknown {
  const leaf = leaves[name];
  if (leaf) return leaf.row;
  const goFields = goSource.fields(name);
  return compact({
    type: "object",
    fields: Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([field, s]) => [field, fieldRow(s, goFields.get(field))]),
    ),
    required: schema.required,
    atomic: schema["x-kubernetes-map-type"] === "atomic" || undefined,
    kinds: schema["x-kubernetes-group-version-kind"]?.map((k) => [k.group, k.version, k.kind]),
  });
}

/** `io.k8s.api.core.v1.Pod` → `CoreV1Pod`. */
function typeName(definition: string): string {
  const parts = definition
    .replace(/^io\.k8s\.(api|apimachinery\.pkg\.(apis|api|util)|apimachinery\.pkg)\./, "")
    .replace(/^io\.k8s\.[a-z-]+\.pkg\.apis\./, "")
    .split(".");
  return parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("");
}

function typeOf(schema: OpenApi): string {
  const ref = refOf(schema);
  if (ref) return typeName(ref);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.items) return `Array<${typeOf(schema.items)}>`;
  if (schema.additionalProperties) return `{ [key: string]: ${typeOf(schema.additionalProperties)} }`;
  const types: Record<string, string> = { integer: "number", object: "Record<string, unknown>" };
  return schema.type ? (types[schema.type] ?? schema.type) : "unknown";
}

/**
 * `metadata` and `spec` of a whole object are always there after decoding, when Go holds them by value; the documents
 * call them optional.
 */
const alwaysThere = (owner: OpenApi, field: string) =>
  owner["x-kubernetes-group-version-kind"] !== undefined &&
  (field === "spec" || field === "metadata") &&
  owner.properties?.[field]?.default !== undefined;

/** Lists that valid objects may hold as `null`. */
const nullLists = new Set([
  "Role.rules",
  "ClusterRole.rules",
  "EndpointSlice.endpoints",
  "EndpointSlice.ports",
  "HorizontalPodAutoscalerStatus.currentMetrics",
  "CustomResourceDefinitionStatus.conditions",
  "CustomResourceDefinitionStatus.storedVersions",
]);

function typeDeclaration(name: string, schema: OpenApi): string {
  const head = `export type ${typeName(name)} =`;
  const leaf = leaves[name];
  if (leaf) return `${head} ${leaf.type};`;
  const fields = Object.entries(schema.properties ?? {}).map(([field, s]) => {
    const needed = schema.required?.includes(field) || alwaysThere(schema, field);
    const nullable = s.items && !refOf(s) && nullLists.has(`${name.split(".").at(-1)}.${field}`) ? " | null" : "";
    return `  ${/^\w+$/.test(field) ? field : JSON.stringify(field)}${needed ? "" : "?"}: ${typeOf(s)}${nullable};`;
  });
  return fields.length ? `${head} {\n${fields.join("\n")}\n};` : `${head} Record<string, unknown>;`;
}

function writeDefinitions(definitions: [string, OpenApi][]): Map<string, string> {
  const names = new Set(definitions.map(([name]) => typeName(name)));
  if (names.size !== definitions.length) throw new Error("two definitions share a type name");
  write("types.ts", [
    ...definitions.map(([name, schema]) => typeDeclaration(name, schema)),
    "/** Every definition of the official documents, by its name there. */",
    "export type Schemas = {",
    ...definitions.map(([name]) => `  ${JSON.stringify(name)}: ${typeName(name)};`),
    "};",
  ]);
  const byKind = new Map<string, string>();
  for (const [name, schema] of definitions) {
    const kinds = schema["x-kubernetes-group-version-kind"] ?? [];
    for (const k of kinds.length === 1 ? kinds : []) byKind.set(`${k.group}/${k.version}/${k.kind}`, name);
  }
  const quote = (row: unknown) => JSON.stringify(JSON.stringify(row)).slice(1, -1).replaceAll('\\"', '"');
  const lines = definitions.map(
    ([name, schema]) => `  ${JSON.stringify(name)}: '${quote(definitionRow(name, schema))}',`,
  );
  write("schemas.ts", [
    "/** Tells these definitions from those of another version. */",
    `export const tableHash = "${createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 32)}";`,
    "/** One definition a line, as JSON that is parsed when it is first asked for. */",
    "export const definitions: Readonly<Record<string, string>> = {",
    ...lines,
    "};",
    "/** `group/version/Kind` → definition. */",
    "export const definitionOfKind: Readonly<Record<string, string>> = {",
    ...[...byKind].sort().map(([kind, name]) => `  ${JSON.stringify(kind)}: ${JSON.stringify(name)},`),
    "};",
  ]);
  return byKind;
}

/** The core group has a document and recordings of its own form: `core/v1/pods`. */
const recordedAs = (group: string, version: string, resource: string) => `${group || "core"}/${version}/${resource}`;

/** `/apis` and `/api` each have a document; that of the core group is among the recorded answers. */
function readGroups(): DiscoveredGroup[] {
  type Recorded = { cases: { name: string; steps: { response: { body: { items: DiscoveredGroup[] } } }[] }[] };
  const recorded = read<Recorded>("golden/cases/discovery.json");
  const core = recorded.cases.find((c) => c.name === "aggregated-discovery-core")?.steps[0]?.response.body.items;
  return [...(core ?? []), ...read<{ items: DiscoveredGroup[] }>("discovery-aggregated-v2.json").items];
}

/** Where the field stands whose description a column has, as most do: `=` and the field. Else what the column says. */
function columnTexts(definitions: [string, OpenApi][]): (text: string) => string {
  const fields = new Map<string, string>();
  for (const [name, { properties = {} }] of definitions)
    for (const [field, { description = "" }] of Object.entries(properties)) {
      const text = description.replace(/\n+Possible enum values:[\s\S]*$/, "");
      if (!fields.has(text)) fields.set(text, `=${name}.${field}`);
    }
  return (text) => (text && fields.get(text)) ?? text;
}

function writeResources(byKind: Map<string, string>, columnText: (text: string) => string): void {
  const columns = read<Record<string, RecordedColumn[]>>("table-columns.json");
  const selectors = read<{ resources: Record<string, { accepted: string[] }> }>("field-selectors.json").resources;
  const isOptional = (group: string | undefined, version: string, resource: string) =>
    optional.includes(`${group}/${version}/${resource}`);
  const lines = readGroups().flatMap((group) =>
    group.versions.flatMap(({ version, resources }) =>
      resources
        .filter(({ resource }) => isStable(version) || isOptional(group.metadata.name, version, resource))
        .map((r) => {
          const groupName = group.metadata.name ?? "";
          const fullKind = (k: Gvk) => [k.group || groupName, k.version || version, k.kind] as const;
          const [kindGroup, kindVersion, kind] = fullKind(r.responseKind);
          const recorded = recordedAs(groupName, version, r.resource);
          const schema = byKind.get(`${kindGroup}/${kindVersion}/${kind}`);
          if (!schema) throw new Error(`no definition for ${recorded} ${kind}`);
          return JSON.stringify(
            compact({
              group: groupName,
              version,
              kind,
              resource: r.resource,
              singular: r.singularResource,
              namespaced: r.scope === "Namespaced",
              schema,
              shortNames: r.shortNames,
              categories: r.categories,
              verbs: r.verbs,
              optional: isStable(version) ? undefined : true,
              subresources: r.subresources?.map((s) => {
                const [bodyGroup, bodyVersion, bodyKind] = fullKind(s.responseKind);
                const own = bodyKind === kind && bodyGroup === groupName && bodyVersion === version;
                return compact({
                  name: s.subresource,
                  body: own ? undefined : { group: bodyGroup, version: bodyVersion, kind: bodyKind },
                  verbs: s.verbs,
                });
              }),
              fieldSelectors: selectors[recorded]?.accepted.filter((field) => !field.startsWith("metadata.")),
              columns: columns[recorded]?.map((c) => [
                c.name,
                c.type,
                c.format,
                c.priority,
                columnText(c.description ?? ""),
              ]),
            }),
          );
        }),
    ),
  );
  write("resources.ts", [
    'import type { ResourceFacts } from "../tables.ts";',
    "/** The discovery document's resources, in its order: the order of groups and versions is their priority. */",
    "export const resources: readonly ResourceFacts[] = [",
    ...lines.map((line) => `  ${line},`),
    "];",
  ]);
}

const definitions = readDefinitions();
writeResources(writeDefinitions(definitions), columnTexts(definitions));
