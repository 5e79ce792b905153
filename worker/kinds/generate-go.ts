/**
 * What the OpenAPI documents do not say and clients notice: whether an empty or absent field is written, and the Go
 * type that a decoding error names. Read from the struct declarations of the official Go modules.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type GoField = {
  /** As reflection prints it, without the pointer: `[]v1.Container`. */
  type: string;
  /** Written when nothing was set; absent when the field is then left out. */
  zero?: unknown;
  /** An empty value that was set is kept apart from an absent one. */
  pointer: boolean;
};
type Struct = { fields: { name: string; type: string; tag: string }[] };
type Package = { name: string; imports: Map<string, string>; structs: Map<string, Struct>; named: Map<string, string> };
type Shape =
  | "struct"
  | "pointer"
  | "list"
  | "map"
  | "string"
  | "number"
  | "boolean"
  | "time"
  | "raw"
  | "quantity"
  | "int";

const zeros: Record<Shape, unknown> = {
  struct: {},
  pointer: null,
  list: null,
  map: null,
  string: "",
  number: 0,
  boolean: false,
  time: null,
  raw: null,
  quantity: "0",
  int: 0,
};
/** Types that write themselves. */
const selfWritten: Record<string, Shape> = {
  "resource.Quantity": "quantity",
  "intstr.IntOrString": "int",
  "v1.Time": "time",
  "v1.MicroTime": "time",
  "v1.Duration": "string",
  "runtime.RawExtension": "raw",
  "runtime.Object": "raw",
  "types.UID": "string",
  "types.NamespacedName": "struct",
};
const basic: Record<string, Shape> = { string: "string", bool: "boolean", float64: "number", byte: "number" };
const isNumber = (type: string) => /^u?int\d*$/.test(type);

function parsePackage(folder: string): Package {
  const result: Package = {
    name: folder.split("/").at(-1) ?? "",
    imports: new Map(),
    structs: new Map(),
    named: new Map(),
  };
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".go") || file.endsWith("_test.go") || /^(zz_generated|generated)/.test(file)) continue;
    const text = readFileSync(join(folder, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, alias, path = ""] of text.matchAll(/^\s*(?:import )?(\w+)? ?"((?:k8s\.io|sigs\.k8s\.io)[^"]*)"$/gm))
      result.imports.set(alias || (path.split("/").at(-1) ?? ""), path);
    for (const [, name = "", body = ""] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
      result.structs.set(name, { fields: [...structFields(body)] });
    for (const [, name = "", type = ""] of text.matchAll(/^type (\w+) (?:= )?(?!struct|interface)([^\s{]+)$/gm))
      result.named.set(name, type);
  }
  return result;
}

function* structFields(body: string): Iterable<{ name: string; type: string; tag: string }> {
  for (const line of body.split("\n")) {
    const match = /^\t(?:(\w+)\s+)?([*[\]\w.]+)\s+`json:"([^"]*)"/.exec(line);
    if (match) yield { name: match[1] ?? "", type: match[2] ?? "", tag: match[3] ?? "" };
  }
}

/** Reads packages of the modules in `modules`, a module cache's `k8s.io` folder. */
export class GoSource {
  readonly #modules: string;
  readonly #packages = new Map<string, Package>();

  constructor(modules: string) {
    this.#modules = modules;
  }

  /** The fields of `io.k8s.api.core.v1.Pod`, by JSON name, those of inlined structs included. */
  fields(definition: string): Map<string, GoField> {
    const parts = definition.replace(/^io\.k8s\./, "").split(".");
    const type = parts.pop() ?? "";
    return this.#fieldsOf(this.#package(parts.join("/")), type);
  }

  #package(path: string): Package {
    const known = this.#packages.get(path);
    if (known) return known;
    const [module = "", ...folders] = path.split("/");
    const versions = readdirSync(this.#modules).filter((name) => name.startsWith(`${module}@`));
    const parsed = parsePackage(join(this.#modules, versions.at(-1) ?? module, ...folders));
    this.#packages.set(path, parsed);
    return parsed;
  }

  #fieldsOf(home: Package, type: string): Map<string, GoField> {
    const other = home.named.get(type);
    const found = other === undefined ? undefined : this.#find(home, other);
    if (found) return this.#fieldsOf(...found);
    const fields = new Map<string, GoField>();
    for (const field of home.structs.get(type)?.fields ?? []) {
      const [name = "", ...options] = field.tag.split(",");
      if (options.includes("inline")) {
        const inlined = this.#find(home, field.type);
        for (const [inner, facts] of inlined ? this.#fieldsOf(...inlined) : []) fields.set(inner, facts);
      } else if (name !== "-") fields.set(name, this.#field(home, field.type, options));
    }
    return fields;
  }

  #field(home: Package, type: string, options: readonly string[]): GoField {
    const shape = this.#shape(home, type);
    const omitted = options.includes("omitzero") || (options.includes("omitempty") && !byValue.has(shape));
    return {
      type: this.#printed(home, type.replace(/^\*/, "")),
      ...(omitted ? {} : { zero: zeros[shape] }),
      pointer: shape === "pointer",
    };
  }

  /** How an error names a value of the definition: `v1.PodSpec`. */
  static typeName(definition: string): string {
    return definition.split(".").slice(-2).join(".");
  }

  /** The package and name of a type that is written `Name` or `alias.Name` in `home`. */
  #find(home: Package, type: string): [Package, string] | undefined {
    const [alias, name] = type.includes(".") ? type.split(".") : [undefined, type];
    if (!alias) return [home, type];
    const path = home.imports.get(alias)?.replace(/^k8s\.io\//, "");
    return path && name ? [this.#package(path), name] : undefined;
  }

  #shape(home: Package, type: string): Shape {
    if (type.startsWith("*")) return "pointer";
    if (type.startsWith("[]")) return "list";
    if (type.startsWith("map[")) return "map";
    const known = basic[type] ?? selfWritten[this.#printed(home, type)] ?? (isNumber(type) ? "number" : undefined);
    if (known) return known;
    const [owner, name] = this.#find(home, type) ?? [];
    if (!owner || !name) throw new Error(`unknown Go type ${type} in ${home.name}`);
    const underlying = owner.named.get(name);
    return underlying ? this.#shape(owner, underlying) : "struct";
  }

  #printed(home: Package, type: string): string {
    if (type.startsWith("*")) return `*${this.#printed(home, type.slice(1))}`;
    if (type.startsWith("[]")) return `[]${this.#printed(home, type.slice(2))}`;
    const map = /^map\[([\w.]+)\](.*)$/.exec(type);
    if (map) return `map[${this.#printed(home, map[1] ?? "")}]${this.#printed(home, map[2] ?? "")}`;
    if (type === "byte") return "uint8";
    if (basic[type] || isNumber(type)) return type;
    const [alias, name] = type.includes(".") ? type.split(".") : [undefined, type];
    return `${alias ? (home.imports.get(alias)?.split("/").at(-1) ?? alias) : home.name}.${name}`;
  }
}

/** `omitempty` does not leave these out. */
const byValue = new Set<Shape>(["struct", "time", "raw", "quantity", "int"]);
