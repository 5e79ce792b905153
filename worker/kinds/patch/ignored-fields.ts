import type { Kind } from "../kind.ts";

/**
 * Dotted names of the fields that a write to this endpoint cannot change, and that its manager so does not come to own:
 * a status is written through its own subresource, and that one writes nothing else.
 */
export function ignoredFields(kind: Kind, subresource: string): readonly string[] {
  if (kind.resetFields) return kind.resetFields(subresource);
  if (subresource !== "status") return kind.subresources.some(({ name }) => name === "status") ? ["status"] : [];
  return kind.schema.name === undefined ? ["spec", "metadata"] : ["spec"];
}
