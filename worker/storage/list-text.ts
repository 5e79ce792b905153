/** Lists as text that SQLite joins itself: most of the time of a long list goes into making its rows JavaScript's. */
import { range } from "./range.ts";
import type { ListOptions, Scope, Sql } from "./store.ts";

/** The items of a list as they stand in it, with commas between; `last` is the key of the last. */
export type ListText = { text: string; count: number; last?: { namespace: string; name: string } };

/** Objects joined by one statement: at 1.5 MB each they could be more than a value may hold, and then rows are read. */
const OBJECTS_AT_ONCE = 100;
/** Stands between the parts of a key, and before all that may be in one. */
const SEPARATOR = "\u0001";

type Row = { text: string | null; count: number; plain: number; last: string | null };

/**
 * All objects of a scope now, in key order, at most `limit`. Every one must begin with `opening`, of which only the brace
 * is left; undefined where one does not, or they are too large to be joined.
 */
export function listText(
  sql: Sql,
  scope: Scope,
  opening: string,
  { after, limit = Number.POSITIVE_INFINITY }: Pick<ListOptions, "after" | "limit">,
): ListText | undefined {
  const texts: string[] = [];
  let [count, last] = [0, after];
  while (count < limit) {
    const wanted = Math.min(OBJECTS_AT_ONCE, limit - count);
    const row = join(sql, scope, opening, last, wanted);
    if (!row || row.plain !== row.count) return undefined;
    if (row.text !== null) texts.push(row.text);
    count += row.count;
    const [namespace = "", name = ""] = row.last?.split(SEPARATOR) ?? [];
    if (row.count > 0) last = { namespace, name };
    if (row.count < wanted) break;
  }
  return { text: texts.join(","), count, ...(count > 0 && { last }) };
}

function join(sql: Sql, scope: Scope, opening: string, after: ListOptions["after"], limit: number): Row | undefined {
  const { where, parameters } = range(scope, after, "o");
  try {
    const rows = sql.all<Row>(
      `SELECT group_concat('{' || substr(json, ?), ',') AS text, COUNT(*) AS count,
         TOTAL(substr(json, 1, ?) = ?) AS plain, MAX(namespace || char(1) || name) AS last
       FROM (SELECT o.namespace, o.name, o.json FROM objects o WHERE ${where}
         ORDER BY o.resource, o.namespace, o.name LIMIT ?)`,
      opening.length + 1,
      opening.length,
      opening,
      ...parameters,
      limit,
    );
    return rows[0];
  } catch (error) {
    if (error instanceof Error && /too big|TOOBIG/i.test(error.message)) return undefined;
    throw error;
  }
}
