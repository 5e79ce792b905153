/**
 * Makes `generated/descriptions.ts` from the doc comments of pinned packages, so that what Kubernetes says of its fields
 * is served and not kept here. It runs when dependencies are installed. As `generate-descriptions.ts FOLDER`, where
 * FOLDER holds the swagger.json of the version that is served, it also notes in `generated/older-descriptions.ts` of which
 * fields the older package, and not the newer, says the same as that version.
 */
import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, deflateRawSync } from "node:zlib";
import { olderDescriptions } from "./generated/older-descriptions.ts";
import { resources } from "./generated/resources.ts";
import { definitions } from "./generated/schemas.ts";

/** Texts by field of a definition; "" is the definition itself. */
type Texts = Map<string, string>;

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const modules = join(import.meta.dirname, "../../node_modules");
const output = (file: string) => join(import.meta.dirname, "generated", file);

/** Comments escape what Markdown, or the end of a comment, would take for its own. */
const unescaped = (text: string) => text.replace(/\\([*_[\]<>`\\#~|/])/g, "$1");

/** The comments of an interface and of its fields; those of what is nested inside stand further in. */
function textsOf(source: string): Texts {
  const texts: Texts = new Map();
  for (const [, indent = "", comment = "", subject = ""] of source.matchAll(
    /^( {4})?\/\*\*\n((?:\s*\*(?!\/).*\n)*)\s*\*\/\n(.*)$/gm,
  )) {
    const text = comment
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^\s*\* ?/, ""));
    const field = /^ {4}"([^"]+)"\??:/.exec(subject)?.[1];
    const name = indent ? field : "";
    if (name !== undefined && !texts.has(name)) texts.set(name, unescaped(text.join("\n")));
  }
  return texts;
}

/** By the name that a definition has as a type: `IoK8sApiCoreV1Pod`. */
function readPackages(...names: string[]): Map<string, Texts> {
  const found = new Map<string, Texts>();
  for (const name of names)
    for (const path of globSync("**/*.d.ts", {
      cwd: join(modules, name),
      exclude: (path) => path.includes("_schemas"),
    })) {
      const source = readFileSync(join(modules, name, path), "utf8");
      const type = /\bas I(IoK8s\w+)/.exec(source)?.[1];
      if (type) found.set(type, textsOf(source));
    }
  return found;
}

const typeName = (definition: string) =>
  definition
    .split(/[.-]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");

const newer = readPackages("kubernetes-models", "@kubernetes-models/apimachinery");
const older = readPackages("kubernetes-models-older");
/** Whole objects say the same of these two; the packages leave it out. */
const shared = newer.get(typeName(`${META}DeleteOptions`));

function described(definition: string, isOlder: (key: string) => boolean): Texts {
  const [texts, former] = [newer, older].map((source) => source.get(typeName(definition)) ?? new Map<string, string>());
  const result: Texts = new Map(texts);
  for (const [field, text] of former ?? [])
    if (!result.has(field) || isOlder(`${definition}.${field}`)) result.set(field, text);
  const { fields = {} } = JSON.parse(definitions[definition] ?? "{}") as { fields?: object };
  if ("apiVersion" in fields && "kind" in fields && ("metadata" in fields || definition.startsWith(META)))
    for (const field of ["apiVersion", "kind"]) if (!result.has(field)) result.set(field, shared?.get(field) ?? "");
  return new Map([...result].filter(([field]) => field === "" || field in fields));
}

type Described = { description?: string; properties?: Record<string, { description?: string }> };

/** The fields of which the older package is right. Tells how many texts are those of the version. */
function compare(folder: string): string[] {
  const { definitions: official } = JSON.parse(readFileSync(join(folder, "swagger.json"), "utf8")) as {
    definitions: Record<string, Described>;
  };
  const keys: string[] = [];
  const counts = { same: 0, other: 0, none: 0 };
  for (const definition of Object.keys(definitions)) {
    const { description, properties = {} } = official[definition] ?? {};
    const wanted: [string, string | undefined][] = [["", description]];
    for (const [field, property] of Object.entries(properties)) wanted.push([field, property.description]);
    const [now, before] = [described(definition, () => false), described(definition, () => true)];
    for (const [field, text] of wanted) {
      if (!text) continue;
      if (now.get(field) === text) counts.same += 1;
      else if (before.get(field) === text) {
        counts.same += 1;
        keys.push(`${definition}.${field}`);
      } else counts[now.has(field) ? "other" : "none"] += 1;
    }
  }
  console.log("texts of fields and definitions:", counts);
  return keys;
}

function write(isOlder: (key: string) => boolean): void {
  const all: Record<string, Record<string, string>> = {};
  for (const definition of Object.keys(definitions)) {
    const texts = described(definition, isOlder);
    if (texts.size) all[definition] = Object.fromEntries(texts);
  }
  const used = resources.flatMap(({ columns = [] }) =>
    columns.flatMap(([, , , , text]) => (text[0] === "=" ? text.slice(1) : [])),
  );
  const general = ["name", "creationTimestamp"].map((field) => `${META}ObjectMeta.${field}`);
  const columnTexts = Object.fromEntries(
    [...new Set([...general, ...used])].map((key) => {
      const at = key.lastIndexOf(".");
      const text = all[key.slice(0, at)]?.[key.slice(at + 1)] ?? "";
      return [key, text.replace(/\n+Possible enum values:[\s\S]*$/, "")];
    }),
  );
  const compressed = deflateRawSync(JSON.stringify(all), { level: constants.Z_BEST_COMPRESSION }).toString("base64");
  writeFileSync(
    output("descriptions.ts"),
    `// Made by worker/kinds/generate-descriptions.ts when dependencies are installed. Not kept in the repository.
/** Texts of the columns of tables, by field. */
export const columnTexts: Readonly<Record<string, string>> = ${JSON.stringify(columnTexts, undefined, 2)};
/** Tells these texts from others. */
export const textsHash = "${createHash("sha256").update(compressed).digest("hex").slice(0, 32)}";
/** Base64 of the raw deflate of a JSON object: definition → field → text; "" is the definition's own. */
export const compressedTexts = "${compressed}";
`,
  );
}

const folder = process.argv[2];
const keys = folder ? compare(folder) : olderDescriptions;
if (folder)
  writeFileSync(
    output("older-descriptions.ts"),
    `// Made by worker/kinds/generate-descriptions.ts. Do not edit.
/** Fields of which the older package says what the served version does. */
export const olderDescriptions: readonly string[] = [\n${keys.map((key) => `  ${JSON.stringify(key)},`).join("\n")}\n];\n`,
  );
const right = new Set(keys);
write((key) => right.has(key));
