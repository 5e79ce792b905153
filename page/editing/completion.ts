/**
 * What may be written at a place of a YAML text: fields of the object there, or values of the field. The text is read by
 * its indentation, since what somebody is about to write is seldom YAML yet.
 */
import { fieldOf, itemOf, type KindSchema, resolved, type Schema, typesOf } from "./schema.ts";

/** `text` goes in place of what lies between `from` and the place. */
export type Suggestion = { label: string; text: string; hint: string };
export type Completion = { from: number; suggestions: readonly Suggestion[] };

const KEY = /^((?: |- +)*)([\w.$/-]*)$/;
const VALUE = /^((?: |- +)*)([\w.$/-]+): +(\S*)$/;
const LINE = /^((?: |- +)*)(?:(?:"([^"]*)"|'([^']*)'|([^\s#"'-][^\s:]*)):(?: +(.*))?)?$/;
const ITEM = "-";
const MOST = 50;

/** Undefined where nothing is known to fit. */
export function completionAt(text: string, at: number, { root, all }: KindSchema): Completion | undefined {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const before = text.slice(start, at);
  const above = text.slice(0, start).split("\n").slice(0, -1);
  const inValue = VALUE.exec(before);
  const [, lead = "", name = "", word = ""] = inValue ?? [];
  if (inValue) {
    const parent = schemaAt(root, above, lead, all);
    return offer(at - word.length, valuesOf(fieldOf(parent?.schema, name, all)), word);
  }
  const key = KEY.exec(before);
  if (!key) return undefined;
  const [, indent = "", begun = ""] = key;
  const parent = schemaAt(root, above, indent, all);
  if (!parent) return undefined;
  const rest = text.slice(at).split("\n").slice(1);
  const taken = new Set([...parent.taken, ...takenBelow(rest, indent.length)]);
  const values = valuesOf(parent.schema);
  return offer(
    at - begun.length,
    values.length > 0 ? values : fieldsOf(parent.schema, indent.length, taken, all),
    begun,
  );
}

function offer(from: number, all: readonly Suggestion[], word: string): Completion | undefined {
  const wanted = word.toLowerCase();
  const starting = all.filter(({ label }) => label.toLowerCase().startsWith(wanted) && label !== word);
  const within = all.filter(({ label }) => label.toLowerCase().indexOf(wanted) > 0);
  const suggestions = [...starting, ...within].slice(0, MOST);
  return suggestions.length > 0 ? { from, suggestions } : undefined;
}

function fieldsOf(schema: Schema, column: number, taken: ReadonlySet<string>, all: KindSchema["all"]): Suggestion[] {
  const required = schema.required ?? [];
  return Object.keys(schema.properties ?? {})
    .filter((name) => !taken.has(name) && !(column === 0 && name === "status"))
    .toSorted((a, b) => Number(required.includes(b)) - Number(required.includes(a)))
    .map((name) => {
      const field = fieldOf(schema, name, all) ?? {};
      const [type = ""] = typesOf(field);
      const under = `\n${" ".repeat(column + 2)}`;
      const after = type === "object" ? under : type === "array" ? `${under}- ` : " ";
      return { label: name, text: `${name}:${after}`, hint: required.includes(name) ? `${type}, required` : type };
    });
}

function valuesOf(schema: Schema | undefined): Suggestion[] {
  if (!schema) return [];
  const values = schema.enum ?? (schema.type === "boolean" ? [true, false] : []);
  return values.map((value) => ({
    label: String(value),
    text: String(value),
    hint: value === schema.default ? "default" : "",
  }));
}

type Within = { schema: Schema; taken: readonly string[] };

/** Of the object, or the list's item, that what stands after `lead` belongs to; and the names it has above. */
function schemaAt(root: Schema, above: readonly string[], lead: string, all: KindSchema["all"]): Within | undefined {
  const path: string[] = [];
  const taken: string[] = [];
  // A parent is left of this column; of a list, whose items may stand below their field's first letter, in it too.
  let column = lead.length;
  let ofItem = false;
  const enter = (dashes: readonly number[]) => {
    for (const dash of dashes.toReversed())
      if (dash < column) {
        path.unshift(ITEM);
        column = dash;
        ofItem = true;
      }
  };
  enter(dashesOf(lead));
  for (const line of above.toReversed()) {
    const match = LINE.exec(line);
    if (!match || line.trim() === "") continue;
    const [, indent = "", quoted, single, plain, value = ""] = match;
    const name = quoted ?? single ?? plain;
    if (name !== undefined) {
      if (path.length === 0 && indent.length === column) taken.push(name);
      if (indent.length < column || (ofItem && indent.length === column && dashesOf(indent).length === 0)) {
        if (value !== "" && !value.startsWith("#")) return undefined; // a text of several lines
        path.unshift(name);
        column = indent.length;
        ofItem = false;
      }
    }
    enter(dashesOf(indent));
  }
  if (column !== 0) return undefined;
  let schema: Schema | undefined = resolved(root, all);
  for (const part of path) schema = part === ITEM ? itemOf(schema, all) : fieldOf(schema, part, all);
  return schema && { schema, taken };
}

const dashesOf = (lead: string): number[] => [...lead.matchAll(/-/g)].map(({ index }) => index);

/** Names beside the one that is written, until something else begins. */
function takenBelow(rest: readonly string[], column: number): string[] {
  const end = rest.findIndex((line) => line.trim() !== "" && line.search(/\S/) < column);
  return rest.slice(0, end < 0 ? undefined : end).flatMap((line) => {
    const [, indent = "", quoted, single, plain] = LINE.exec(line) ?? [];
    return indent.length === column && !indent.includes("-") ? (quoted ?? single ?? plain ?? []) : [];
  });
}
