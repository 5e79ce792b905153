/** What is wrong with an object's YAML, by the schema of its kind, told before it is sent. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { fieldOf, isOpen, itemOf, type KindSchema, resolved, type Schema, typesOf } from "./schema.ts";
import { YAML } from "./yaml.ts";

/** `line` counts from 1; `isYaml`: it is no YAML at all, which nobody need be asked about. */
export type Problem = { line: number; what: string; isYaml?: true };

const MOST_PROBLEMS = 20;

/** Without a schema, only what is no YAML is told. */
export function problemsOf(text: string, kind: KindSchema | undefined): readonly Problem[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...YAML, lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number) => lines.linePos(offset).line;
  if (document.errors.length > 0)
    return document.errors.map(({ pos: [at], message }) => ({ line: lineAt(at), what: message, isYaml: true }));
  if (!kind || !document.contents) return [];
  const found: Problem[] = [];
  const walk = new Walk(document, kind.all, (node, what) => found.push({ line: lineAt(node?.range?.[0] ?? 0), what }));
  walk.value(document.contents, resolved(kind.root, kind.all), "");
  return found.toSorted((a, b) => a.line - b.line).slice(0, MOST_PROBLEMS);
}

class Walk {
  readonly #document: Document;
  readonly #all: KindSchema["all"];
  readonly #tell: (at: Node | undefined, what: string) => void;

  constructor(document: Document, all: KindSchema["all"], tell: (at: Node | undefined, what: string) => void) {
    this.#document = document;
    this.#all = all;
    this.#tell = tell;
  }

  value(given: unknown, schema: Schema, path: string): void {
    const node = isAlias(given) ? given.resolve(this.#document) : (given as Node | undefined);
    const type = typeOf(node);
    if (type === "null") return; // the API takes it for a field that is not there
    const types = typesOf(schema);
    if (types.length > 0 && !types.some((wanted) => wanted === type || (wanted === "number" && type === "integer"))) {
      this.#tell(
        given as Node,
        `${path || "the object"} must be ${types.map(withArticle).join(" or ")}, not ${withArticle(type)}`,
      );
      return;
    }
    if (isMap(node)) this.#object(node as MapNode, schema, path);
    else if (isSeq(node)) {
      const items = itemOf(schema, this.#all);
      if (items) for (const [at, item] of node.items.entries()) this.value(item, items, `${path}[${at}]`);
    } else if (isScalar(node) && schema.enum && !schema.enum.includes(node.value))
      this.#tell(node, `${path} must be one of ${schema.enum.join(", ")}, not ${String(node.value)}`);
  }

  #object(node: MapNode, schema: Schema, path: string): void {
    const names = new Set<string>();
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      names.add(name);
      const at = path ? `${path}.${name}` : name;
      const field = fieldOf(schema, name, this.#all);
      if (field) this.value(value ?? undefined, field, at);
      else if (!isOpen(schema)) this.#tell(key as Node, `${at} is no field of this kind${similar(name, schema)}`);
    }
    for (const name of schema.required ?? [])
      if (!names.has(name)) this.#tell(node, `${path ? `${path}.${name}` : name} is required`);
  }
}

type MapNode = Node & { items: { key: unknown; value?: unknown }[] };

/** A field that is named the same but for how it is written. */
function similar(name: string, { properties = {} }: Schema): string {
  const plain = (text: string) => text.toLowerCase().replace(/[-_]|s$/g, "");
  const other = Object.keys(properties).find((each) => plain(each) === plain(name));
  return other ? `; ${other} is` : "";
}

const withArticle = (type: string) => `${/^[aio]/.test(type) ? "an" : "a"} ${type}`;

function typeOf(node: unknown): string {
  if (isMap(node)) return "object";
  if (isSeq(node)) return "array";
  const value = isScalar(node) ? node.value : null;
  if (value === null || value === undefined) return "null";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value === "boolean" ? "boolean" : "string"; // moments and bytes are texts to the API
}
