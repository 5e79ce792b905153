import type { ListOptions, Scope, SqlValue } from "./store.ts";

/** A condition on a table's key columns with its parameters: the keys of a scope, those after a key when given. */
export type Range = { where: string; parameters: SqlValue[] };

/** `alias` names the table. Ranges only, which an index on (resource, namespace, name) answers. */
export function range(scope: Scope, after: ListOptions["after"], alias: string): Range {
  const where = [`${alias}.resource = ?`];
  const parameters: SqlValue[] = [scope.resource];
  if (scope.namespace !== undefined) {
    where.push(`${alias}.namespace = ?`);
    parameters.push(scope.namespace);
  }
  if (after && after.namespace === scope.namespace) {
    // SQLite looks for no name by a pair of which the first is fixed: it would pass over all that came before.
    where.push(`${alias}.name > ?`);
    parameters.push(after.name);
  } else if (after) {
    where.push(`(${alias}.namespace, ${alias}.name) > (?, ?)`);
    parameters.push(after.namespace, after.name);
  }
  return { where: where.join(" AND "), parameters };
}
