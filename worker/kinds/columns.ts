import { age } from "../lib/duration.ts";
import type { KubeObject } from "../lib/object.ts";
import { columnTexts } from "./generated/descriptions.ts";
import type { Column } from "./kind.ts";
import { read } from "./paths.ts";
import type { ResourceFacts } from "./tables.ts";

type Cell = Column["value"];

const nameCell: Cell = (object) => object.metadata?.name ?? "";
const createdCell: Cell = (object) => object.metadata?.creationTimestamp ?? null;
const ageCell: Cell = (object, now) => age(object.metadata?.creationTimestamp, now);

const described = (field: string) => `=io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.${field}`;

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: described("name"),
  value: nameCell,
};
export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: described("creationTimestamp"),
  value: ageCell,
};
export const createdColumn: Column = {
  name: "Created At",
  type: "date",
  description: described("creationTimestamp"),
  value: createdCell,
};

const known: Readonly<Record<string, Cell>> = { Name: nameCell, Age: ageCell, "Created At": createdCell };

/** `Current Replicas`, `AddressType` → `currentReplicas`, `addressType`. */
const fieldNamed = (column: string) => {
  const joined = column.replace(/[^A-Za-z0-9]/g, "");
  return joined.charAt(0).toLowerCase() + joined.slice(1);
};

/** A cell found by the column's name at the top of the object, in `spec` or in `status`. */
function cellNamed(column: string, type: string): Cell {
  const field = fieldNamed(column);
  return (object) => {
    for (const path of [field, `spec.${field}`, `status.${field}`]) {
      const value = read(object, path);
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
      if (Array.isArray(value)) return type === "integer" ? value.length : value.join(",");
    }
    return type === "integer" ? 0 : type === "boolean" ? false : "<none>";
  };
}

/** A description, of which most are those of a field: `=` and the field stand for its text. */
export const columnText = (description: string): string =>
  description.startsWith("=") ? (columnTexts[description.slice(1)] ?? "") : description;

/** Columns with the descriptions that were recorded of them. */
export const describedColumns = <T>(
  columns: readonly Column<T>[],
  recorded: ResourceFacts["columns"] = [],
): readonly Column<T>[] =>
  columns.map((column) => {
    const description = recorded.find(([name]) => name === column.name)?.[4];
    return description === undefined ? column : { ...column, description };
  });

/** Columns as recorded; without a record, what every kind can show. */
export function derivedColumns(columns: ResourceFacts["columns"]): readonly Column<KubeObject>[] {
  if (!columns) return [nameColumn, createdColumn];
  return columns.map(([name, type, format, priority]) => ({
    name,
    type: type as Column["type"],
    ...(format && { format }),
    ...(priority && { priority }),
    value: known[name] ?? cellNamed(name, type),
  }));
}
