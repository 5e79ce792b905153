import { age } from "../../lib/duration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { ApiextensionsV1CustomResourceColumnDefinition as Declared } from "../generated/types.ts";
import type { Column } from "../kind.ts";
import { parseJsonPath, valuesAt } from "./json-path.ts";

/** Other than of built-in kinds, a custom resource's age is told as a date. */
const createdAge: Column = { ...ageColumn, type: "date" };

/** The columns of a custom resource; without any declared, its age. */
export function customColumns(declared: readonly Declared[]): readonly Column[] {
  return [nameColumn, ...(declared.length ? declared.map(column) : [createdAge])];
}

function column({ name, type, format, priority, description, jsonPath }: Declared): Column {
  const steps = parseJsonPath(jsonPath);
  return {
    name,
    type: type as Column["type"],
    ...(format && { format }),
    ...(priority && { priority }),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    value: (object, now) => cell(type, valuesAt(steps, object), now),
  };
}

function cell(type: string, values: readonly unknown[], now: number): string | number | boolean | null {
  const [value] = values;
  if (value === undefined || value === null) return null;
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? age(value, now) : null;
    default:
      return typeof value === "string" ? value : JSON.stringify(value);
  }
}
