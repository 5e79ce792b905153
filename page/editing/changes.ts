/**
 * What somebody changed of an object, field by field, as server-side apply takes it: lists are of items with keys where the
 * schema says so, else a whole. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
import { canonical, type Element, field, item, showPath, value } from "../../worker/kinds/patch/fields/element.ts";
import { fieldOf, itemOf, type KindSchema, resolved, type Schema } from "./schema.ts";

/** Without `to`, what is there is removed. */
export type Change = { path: readonly Element[]; to?: unknown };
type Fields = Record<string, unknown>;

const isObject = (of: unknown): of is Fields => typeof of === "object" && of !== null && !Array.isArray(of);
export const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
export const shown = (path: readonly Element[]): string => showPath(path).replace(/^\./, "");

export function changesOf(before: unknown, after: unknown, kind: KindSchema | undefined): readonly Change[] {
  const all = kind?.all ?? {};
  const found: Change[] = [];
  const walk = (a: unknown, b: unknown, schema: Schema | undefined, path: readonly Element[]): void => {
    if (isSame(a, b)) return;
    const members = membersOf(a, b, schema, all);
    if (!members) found.push(b === undefined ? { path } : { path, to: b });
    else for (const [element, one, other, of] of members) walk(one, other, of, [...path, element]);
  };
  walk(before, after, kind && resolved(kind.root, all), []);
  return found;
}

type Member = readonly [Element, unknown, unknown, Schema | undefined];

/** What two values are made of, one beside the other; undefined where they are changed as a whole. */
function membersOf(a: unknown, b: unknown, schema: Schema | undefined, all: KindSchema["all"]): Member[] | undefined {
  if (isObject(a) && isObject(b) && schema?.["x-kubernetes-map-type"] !== "atomic")
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [
      field(name),
      a[name],
      b[name],
      fieldOf(schema, name, all),
    ]);
  const readBy = Array.isArray(a) && Array.isArray(b) && itemsBy(schema, all);
  if (!readBy) return undefined;
  const [one, other] = [readBy(a as unknown[]), readBy(b as unknown[])];
  if (!one || !other) return undefined;
  const items = itemOf(schema, all);
  return [...new Set([...one.keys(), ...other.keys()])].map((each) => [each, one.get(each), other.get(each), items]);
}

type Items = ReadonlyMap<Element, unknown> | undefined;

/** A list's items by what tells one from another, of which defaults are written out; undefined where it is a whole. */
function itemsBy(
  schema: Schema | undefined,
  all: KindSchema["all"],
): ((list: readonly unknown[]) => Items) | undefined {
  const type = schema?.["x-kubernetes-list-type"];
  if (type === "set") return (list) => unique(list.map((each) => [value(each), each]));
  if (type !== "map") return undefined;
  const keys = schema?.["x-kubernetes-list-map-keys"] ?? [];
  const items = itemOf(schema, all);
  const defaults = Object.fromEntries(
    keys.flatMap((key) => {
      const known = fieldOf(items, key, all)?.default;
      return known === undefined ? [] : [[key, known]];
    }),
  );
  return (list) =>
    list.every(isObject)
      ? unique(
          list.map((each) => {
            const whole = { ...defaults, ...each };
            return [item(Object.fromEntries(keys.map((key) => [key, (whole as Fields)[key]]))), whole];
          }),
        )
      : undefined;
}

/** Two items that claim to be the same are for the server to refuse. */
function unique(items: readonly (readonly [Element, unknown])[]): Items {
  const found = new Map(items);
  return found.size === items.length ? found : undefined;
}

function isAt(element: Element, of: unknown): boolean {
  const wanted = JSON.parse(element.slice(2)) as unknown;
  if (element.startsWith("v:")) return isSame(wanted, of);
  return Object.entries(wanted as Fields).every(([key, each]) => isSame((of as Fields | undefined)?.[key], each));
}

/** What lies at a path; undefined where nothing does. */
export function at(object: unknown, path: readonly Element[]): unknown {
  let here = object;
  for (const element of path) {
    if (element.startsWith("f:")) here = isObject(here) ? here[element.slice(2)] : undefined;
    else here = Array.isArray(here) ? here.find((each) => isAt(element, each)) : undefined;
  }
  return here;
}

/** The object with the changes made; what they lie in is made, too. */
export function changed(object: unknown, changes: readonly Change[]): Fields {
  return changes.reduce<unknown>((made, { path, to }) => put(made, path, to), object) as Fields;
}

function put(here: unknown, [element, ...rest]: readonly Element[], to: unknown): unknown {
  if (element === undefined) return to;
  if (element.startsWith("f:")) {
    const name = element.slice(2);
    const { [name]: old, ...others } = isObject(here) ? here : {};
    const made = rest.length > 0 && old === undefined && to === undefined ? undefined : put(old, rest, to);
    if (made === undefined) return others;
    return old === undefined ? { ...others, [name]: made } : { ...(here as Fields), [name]: made };
  }
  const items = Array.isArray(here) ? here : [];
  const found = items.findIndex((each) => isAt(element, each));
  if (found < 0 && to === undefined) return items;
  const keys = element.startsWith("k:") ? (JSON.parse(element.slice(2)) as Fields) : undefined;
  const made = put(items[found] ?? keys, rest, to);
  if (found < 0) return [...items, made];
  return items.flatMap((each, index) => (index !== found ? [each] : made === undefined ? [] : [made]));
}
