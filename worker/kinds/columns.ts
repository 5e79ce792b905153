import { age } from "../lib/duration.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Column } from "./kind.ts";
import { read } from "./paths.ts";
import type { ResourceFacts } from "./tables.ts";

type Cell = Column["value"];

const nameCell: Cell = (object) => object.metadata?.name ?? "";
const createdCell: Cell = (object) => object.metadata?.creationTimestamp ?? null;
const ageCell: Cell = (object, now) => age(object.metadata?.creationTimestamp, now);

export const nameColumn: Column = { name: "Name", type: "string", format: "name", value: nameCell };
export const ageColumn: Column = { name: "Age", type: "string", value: ageCell };
export const createdColumn: Column = { name: "Created At", type: "date", value: createdCell };

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
