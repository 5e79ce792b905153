/**
 * Lists as bytes that SQLite joins itself: most of the time of a long list goes into making its rows JavaScript's, and
 * then into making strings that are only encoded again.
 */
import { range } from "./range.ts";
import type { ListOptions, Scope, Sql } from "./store.ts";

/** The items of a list as they stand in it, in parts that want commas between; `last` is the key of the last. */
export type ListText = { parts: Uint8Array[]; count: number; last?: { namespace: string; name: string } };

/** Objects joined by one statement: at 1.5 MB each they could be more than a value may hold, and then rows are read. */
const OBJECTS_AT_ONCE = 100;
/** Stands between the parts of a key, and before all that may be in one. */
const SEPARATOR = "\u0001";

type Row = { text: ArrayBuffer | null; count: number; plain: number; last: string | null };

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
  const parts: Uint8Array[] = [];
  let [count, last] = [0, after];
  while (count < limit) {
    const wanted = Math.min(OBJECTS_AT_ONCE, limit - count);
    const row = join(sql, scope, opening, last, wanted);
    if (!row || row.plain !== row.count) return undefined;
    if (row.text !== null) parts.push(new Uint8Array(row.text));
    count += row.count;
    const [namespace = "", name = ""] = row.last?.split(SEPARATOR) ?? [];
    if (row.count > 0) last = { namespace, name };
    if (row.count < wanted) break;
  }
  return { parts, count, ...(count > 0 && { last }) };
}

/** As BLOBs, of which a part is found without counting characters. */
function join(sql: Sql, scope: Scope, opening: string, after: ListOptions["after"], limit: number): Row | undefined {
  const { where, parameters } = range(scope, after, "o");
  try {
    const rows = sql.all<Row>(
      `SELECT CAST('{' || group_concat(substr(json, ?), ',{') AS BLOB) AS text, COUNT(*) AS count,
         TOTAL(substr(json, 1, ?) = CAST(? AS BLOB)) AS plain, MAX(namespace || char(1) || name) AS last
       FROM (SELECT o.namespace, o.name, CAST(o.json AS BLOB) AS json FROM objects o WHERE ${where}
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
