import { ApiError } from "../../lib/status.ts";
import { showPath } from "./fields/element.ts";
import type { FieldSet } from "./fields/field-set.ts";
import type { Manager } from "./managed-fields.ts";

/** What others own and an apply would change, by the id of the owner. */
export type Conflicts = ReadonlyMap<string, { manager: Manager; fields: FieldSet }>;

/** Conflicts but for those over `allowed`. */
export function conflictsWithout(conflicts: Conflicts, allowed: FieldSet): Conflicts {
  const left = [...conflicts].map(([id, { manager, fields }]) => [
    id,
    { manager, fields: fields.difference(allowed) },
  ]) satisfies [string, unknown][];
  return new Map(left.filter(([, { fields }]) => !fields.isEmpty));
}

/** 409 that lists every field with its owner. */
export function conflictError(conflicts: Conflicts): ApiError {
  const owners = [...conflicts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { manager, fields }]) => ({ name: show(manager), paths: [...fields.paths()].map(showPath) }));
  const causes = owners.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  const [only] = owners;
  const text =
    only && causes.length === 1
      ? `1 conflict: conflict with ${only.name}: ${only.paths[0]}`
      : `${causes.length} conflicts: ${owners
          .map(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)].join("\n"))
          .join("\n")}`;
  return new ApiError(409, "Conflict", `Apply failed with ${text}`, { causes });
}

function show({ name, operation, subresource, apiVersion }: Manager): string {
  const via = subresource ? ` with subresource ${JSON.stringify(subresource)}` : "";
  return `${JSON.stringify(name)}${via}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}
