/**
 * The server's own structs, whose fields messages show by other names and in another order than JSON has: what an
 * `Invalid value` of a whole struct prints, and what a forbidden update's difference is made of.
 * `node worker/kinds/generate-go-structs.ts MODULES`; MODULES is the `k8s.io` folder of a Go module cache.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Groups of the API, by the folders of their internal and their published types. */
const GROUPS = [
  ["core", "core/v1"],
  ["apps", "apps/v1"],
  ["autoscaling", "autoscaling/v2"],
  ["batch", "batch/v1"],
  ["flowcontrol", "flowcontrol/v1"],
  ["networking", "networking/v1"],
  ["resource", "resource/v1"],
  ["storage", "storage/v1"],
] as const;

/** What messages show; all that these hold comes along. */
const ROOTS = [
  "apps.DaemonSetUpdateStrategy",
  "apps.DeploymentStrategy",
  "apps.StatefulSetSpec",
  "apps.StatefulSetUpdateStrategy",
  "autoscaling.MetricSpec",
  "batch.JobSpec",
  "core.EphemeralContainer",
  "core.EventSource",
  "core.ObjectReference",
  "core.PersistentVolumeClaimSpec",
  "core.PersistentVolumeSpec",
  "core.PodIP",
  "core.HostIP",
  "core.PodTemplateSpec",
  "core.Sysctl",
  "core.Taint",
  "flowcontrol.PriorityLevelConfigurationSpec",
  "networking.IPAddressSpec",
  "networking.IngressClassSpec",
  "networking.ParentReference",
  "networking.ServiceCIDRSpec",
  "resource.DeviceAttribute",
  "resource.DeviceClassSpec",
  "resource.ResourceClaimSpec",
  "resource.ResourceClaimStatus",
  "resource.ResourceClaimTemplateSpec",
  "resource.ResourceSliceSpec",
  "storage.VolumeAttachmentSpec",
] as const;

type Field = { name: string; type: string; json: string };
type Package = { structs: Map<string, Field[]>; named: Map<string, string> };

function parse(folder: string): Package {
  const result: Package = { structs: new Map(), named: new Map() };
  for (const file of readdirSync(folder).filter((name) => /^types.*\.go$/.test(name))) {
    const text = readFileSync(join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, name = "", body = ""] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
      result.structs.set(name, [...fieldsOf(body)]);
    for (const [, name = "", type = ""] of text.matchAll(
      /^\s*(?:type )?(\w+) (?:= )?(?!struct|interface)([\w.[\]*]+)$/gm,
    ))
      result.named.set(name, type);
  }
  return result;
}

function* fieldsOf(body: string): Iterable<Field> {
  for (const line of body.split("\n")) {
    const [, name, type = "", tag = ""] =
      /^\t(?:(\w+)\s+)?([*[\]\w.]+)(?:\s+`(?:.*json:"([^",]*).*)?`)?\s*(?:\/\/.*)?$/.exec(line) ?? [];
    if (type) yield { name: name ?? "", type, json: tag };
  }
}

const modules = process.argv[2] ?? "";
const newest = (name: string) =>
  join(
    modules,
    readdirSync(modules)
      .filter((folder) => folder.startsWith(`${name}@`))
      .at(-1) ?? "",
  );
const internal = new Map(
  GROUPS.map(([group]) => [group as string, parse(join(newest("kubernetes"), "pkg/apis", group))]),
);
const published = new Map(GROUPS.map(([group, folder]) => [group as string, parse(join(newest("api"), folder))]));
internal.set("api", internal.get("core") as Package);

const table = new Map<string, string>();

/** Where a type named in `group` is declared. Those of other modules write themselves. */
function place(group: string, type: string): { group: string; name: string } | undefined {
  const [alias, name] = type.includes(".") ? type.split(".") : [group, type];
  const home = { v1: "core", corev1: "core", api: "core" }[alias ?? ""] ?? alias ?? group;
  return internal.get(home)?.structs.has(name ?? "") ? { group: home, name: name ?? "" } : undefined;
}

/** A letter for what an absent field shows as, or the struct that it holds. */
function code(group: string, type: string): string {
  const pointer = type.startsWith("*");
  const list = type.startsWith("[]");
  const inner = type.replace(/^(\*|\[\])+/, "");
  if (type.startsWith("map[")) return "m";
  const found = place(group, inner);
  if (found) {
    add(found.group, found.name);
    return `${list ? "[" : pointer ? "*" : "{"}${found.group}.${found.name}`;
  }
  if (pointer || list) return "n";
  const [alias, short] = inner.includes(".") ? inner.split(".") : [group, inner];
  const underlying = internal.get({ api: "core" }[alias ?? ""] ?? alias ?? "")?.named.get(short ?? "");
  const basic = underlying && !underlying.includes(".") ? underlying : inner;
  if (basic.startsWith("[]")) return "n";
  if (basic.startsWith("map[") || basic.endsWith("ResourceList")) return "m";
  if (/^(u?int\d*|float64)$/.test(basic)) return "i";
  if (basic === "bool") return "b";
  if (basic.endsWith("resource.Quantity")) return "q";
  if (basic.endsWith("IntOrString")) return "i";
  if (basic.endsWith("ObjectMeta")) return "o";
  return /Time$|RawExtension$|runtime\.Object$|JSON$/.test(basic) ? "n" : "s";
}

function add(group: string, name: string): void {
  const key = `${group}.${name}`;
  if (table.has(key)) return;
  table.set(key, "");
  const tags = published.get(group)?.structs.get(name) ?? [];
  const fields = internal.get(group)?.structs.get(name) ?? [];
  const taken = new Set<string>();
  const named = fields.map((field) => {
    const bare = field.name || (field.type.split(".").at(-1) ?? "");
    const tag = tags.find(
      (one) => one.name.toLowerCase() === bare.toLowerCase() || one.json.toLowerCase() === bare.toLowerCase(),
    );
    if (tag) taken.add(tag.json);
    return { ...field, bare, json: tag?.json };
  });
  const left = tags.map(({ json }) => json).filter((json) => json && !taken.has(json));
  const parts = named.map(({ name: own, bare, type, json }) => {
    if (!own && place(group, type)) {
      const found = place(group, type) as { group: string; name: string };
      add(found.group, found.name);
      return `:${found.group}.${found.name}`;
    }
    if (!own) return `${bare}::e`;
    return `${bare}:${json || left.shift() || bare.charAt(0).toLowerCase() + bare.slice(1)}:${code(group, type)}`;
  });
  table.set(key, parts.join(" "));
}

for (const root of ROOTS) {
  const [group = "", name = ""] = root.split(".");
  add(group, name);
}
const lines = [...table]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, fields]) => `  ${JSON.stringify(name)}: ${JSON.stringify(fields)},\n`);
writeFileSync(
  new URL("generated/go-structs.ts", import.meta.url),
  `// Made by worker/kinds/generate-go-structs.ts. Do not edit.
/**
 * The server's structs: fields in order as \`GoName:jsonName:kind\`, or \`:struct\` for one that is part of this.
 * Kinds: s text, b boolean, i number, q quantity, m map, o metadata, e metadata that is part of this, n what is null when absent; \`{\`, \`*\` and \`[\`
 * before a struct's name for one held by value, by pointer, in a list.
 */
export const goStructs: Readonly<Record<string, string>> = {
${lines.join("")}};
`,
);
