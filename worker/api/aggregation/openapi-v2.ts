/**
 * One OpenAPI document of version 2 out of this server's and those of others: of each other one what lies below its
 * group and version, with all that this refers to. What two documents describe differently by one name gets another.
 */
import { same } from "../../kinds/paths.ts";

type Section = Record<string, unknown>;
export type Swagger = { paths?: Section; definitions?: Section; parameters?: Section };
const SECTIONS = ["definitions", "parameters"] as const;
const REFERENCE = /^#\/(definitions|parameters)\/(.+)$/;

/** Adds to `merged`, in place, what `other` has below `prefix`: `/apis/GROUP/VERSION/`. */
export function mergeV2(merged: Swagger, other: Swagger, prefix: string): void {
  const paths = Object.entries(other.paths ?? {}).filter(([path]) => path.startsWith(prefix));
  const referred = new Set<string>();
  for (const [, item] of paths) collect(item, other, referred);
  const renamed = new Map<string, string>();
  for (const reference of referred) renamed.set(reference, free(merged, other, reference));
  for (const reference of referred) {
    const { section, name } = parsed(renamed.get(reference) ?? reference);
    merged[section] ??= {};
    const known = merged[section];
    if (!Object.hasOwn(known, name)) known[name] = renaming(find(other, reference), renamed);
  }
  merged.paths ??= {};
  for (const [path, item] of paths) merged.paths[path] ??= renaming(item, renamed);
}

function parsed(reference: string): { section: (typeof SECTIONS)[number]; name: string } {
  const [, section, name] = REFERENCE.exec(reference) ?? [];
  return { section: section as (typeof SECTIONS)[number], name: name ?? "" };
}

function find(document: Swagger, reference: string): unknown {
  const { section, name } = parsed(reference);
  const known = document[section] ?? {};
  return Object.hasOwn(known, name) ? known[name] : undefined;
}

/** Every reference in a value, and in what those lead to. */
function collect(value: unknown, document: Swagger, found: Set<string>): void {
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== "object" || next === null) continue;
    for (const [key, part] of Object.entries(next)) {
      if (key !== "$ref" || typeof part !== "string" || !REFERENCE.test(part)) waiting.push(part ?? null);
      else if (!found.has(part)) {
        found.add(part);
        waiting.push(find(document, part) ?? null);
      }
    }
  }
}

/** The reference under which it can stand: its own where nothing else has that name. */
function free(merged: Swagger, other: Swagger, reference: string): string {
  const wanted = find(other, reference);
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? reference : `${reference}_v${n}`;
    const known = find(merged, candidate);
    if (known === undefined || same(known, wanted)) return candidate;
  }
}

function renaming(value: unknown, renamed: ReadonlyMap<string, string>): unknown {
  return JSON.parse(
    JSON.stringify(value ?? {}, (key, part: unknown) =>
      key === "$ref" && typeof part === "string" ? (renamed.get(part) ?? part) : part,
    ),
  );
}
