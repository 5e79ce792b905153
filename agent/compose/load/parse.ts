/** YAML to a tree: anchors and merge keys resolved, variables put in. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node as YamlNode } from "yaml";
import { type ListNode, type MapNode, map, type Node, type Place, type Problem, type Scalar, scalar } from "../tree.ts";
import { InterpolationError, interpolate, type Variables } from "./interpolate.ts";

type Input = { text: string; file: string; folder: string; variables: Variables; problems: Problem[] };

/** A merge key, whose mappings give what the one around them lacks. https://yaml.org/type/merge.html */
const MERGE = "<<";
/** Of aliases of aliases: a few lines must not become gigabytes. */
const MAX_NODES = 200_000;

/** Undefined for what is no YAML, or no mapping; that is told. */
export function parseCompose({ text, file, folder, variables, problems }: Input): MapNode | undefined {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: "error" });
  const placeAt = (offset: number): Place => ({ file, folder, line: lines.linePos(offset).line });
  const tell = (at: Place, path: string, says: string, severity: Problem["severity"] = "invalid") =>
    problems.push({ severity, at, path, says });
  for (const { message, pos } of document.errors)
    tell(placeAt(pos[0]), "YAML", (message.split("\n")[0] ?? message).replace(/ at line \d+, column \d+:?$/, ""));
  if (document.errors.length > 0) return undefined;

  let nodes = 0;
  function build(yaml: unknown, at: Place, path: string): Node {
    if (++nodes > MAX_NODES) throw new Error(`${file}: more than ${MAX_NODES} values`);
    const node = yaml as YamlNode | null;
    if (isAlias(node)) return build(node.resolve(document), at, path);
    const tag = node?.tag === "!reset" ? "reset" : node?.tag === "!override" ? "override" : undefined;
    const tagged = <T extends Node>(built: T): T => (tag ? { ...built, tag } : built);
    if (isMap(node)) return tagged(buildMap(node.items, at, path));
    if (isSeq(node)) {
      const items = node.items.map((item, index) => build(item, placeOf(item, at), `${path}[${index}]`));
      return tagged({ kind: "list", at, items } satisfies ListNode);
    }
    if (!isScalar(node)) return scalar(at, null);
    const value = node.value as Scalar;
    if (typeof value !== "string")
      return tagged({ ...scalar(at, value), ...(value !== null && node.source && { text: node.source }) });
    return tagged(scalar(at, substituted(value, at, path)));
  }

  function buildMap(pairs: readonly { key: unknown; value: unknown }[], at: Place, path: string): MapNode {
    const own: [string, Node][] = [];
    const inherited: [string, Node][] = [];
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : String(key);
      const place = placeOf(key, at);
      const built = build(value, place, path ? `${path}.${name}` : name);
      if (name !== MERGE) own.push([name, built]);
      else
        for (const from of built.kind === "list" ? built.items : [built])
          if (from.kind === "map") inherited.unshift(...from.entries);
    }
    return map(at, [...inherited, ...own]);
  }

  function placeOf(yaml: unknown, otherwise: Place): Place {
    const range = (yaml as YamlNode | null)?.range;
    return range ? placeAt(range[0]) : otherwise;
  }

  function substituted(value: string, at: Place, path: string): string {
    try {
      return interpolate(value, variables, (name) =>
        tell(at, path, `the variable ${name} is not set: it is empty`, "note"),
      );
    } catch (error) {
      if (!(error instanceof InterpolationError)) throw error;
      tell(at, path, error.message);
      return "";
    }
  }

  const at = { file, folder, line: 1 };
  if (document.contents === null) return map(at, []);
  const root = build(document.contents, at, "");
  if (root.kind === "map") return root;
  tell(at, "file", "must be a mapping with services");
  return undefined;
}
