import type { Schema } from "../../schema.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type Element, field, showElement, showPath } from "./element.ts";
import { goValue, show } from "./go-text.ts";
import { elementOf, fieldSchema, isDeclared, itemSchema } from "./shape.ts";

/** Why a value does not fit its schema, in the words of structured-merge-diff; empty when it does. */
export function misfits(schema: Schema, of: unknown): string[] {
  const problems: string[] = [];
  check(schema, of, [], problems);
  return problems;
}

type Problems = string[];

function check(schema: Schema, of: unknown, path: readonly Element[], problems: Problems): void {
  if (of === null || of === undefined || schema.type === "any") return;
  const report = (message: string) => problems.push(path.length > 0 ? `${showPath(path)}: ${message}` : message);
  if (schema.type === "object" || schema.type === "map") {
    if (isObject(of)) checkFields(schema, of, path, problems);
    else report(`expected map, got &{${show(of)}}`);
  } else if (schema.type === "list") {
    if (Array.isArray(of)) checkItems(schema, of, path, problems);
    else report(`expected list, got &{${show(of)}}`);
  } else checkScalar(schema, of, report);
}

function checkFields(schema: Schema, of: JsonObject, path: readonly Element[], problems: Problems): void {
  for (const [name, child] of Object.entries(of)) {
    const here = [...path, field(name)];
    if (schema.type === "object" && schema.fields && !isDeclared(schema, name) && !schema.preserveUnknown)
      problems.push(`${showPath(here)}: field not declared in schema`);
    else check(fieldSchema(schema, name), child, here, problems);
  }
}

function checkItems(schema: Schema, of: readonly unknown[], path: readonly Element[], problems: Problems): void {
  const seen = new Set<Element>();
  of.forEach((child, index) => {
    let element: Element = `i:${index}`;
    if (schema.listType === "map" || schema.listType === "set") {
      const problem = schema.listType === "map" ? keyProblem(schema, child) : setProblem(child);
      if (problem) {
        problems.push(`${showPath([...path, element])}: ${problem}`);
        return;
      }
      element = elementOf(schema, child);
      if (seen.has(element)) {
        problems.push(`${showPath(path)}: duplicate entries for key ${showElement(element)}`);
        return;
      }
      seen.add(element);
    }
    check(itemSchema(schema), child, [...path, element], problems);
  });
}

function keyProblem(schema: Schema, of: unknown): string | undefined {
  if (of === null) return "associative list with keys may not have a null element";
  if (!isObject(of)) return "associative list with keys may not have non-map elements";
  const fields = itemSchema(schema).fields;
  const absent = schema.listKeys?.find((key) => of[key] === undefined && fields?.[key]?.default === undefined);
  return absent === undefined
    ? undefined
    : `associative list with keys has an element that omits key field "${absent}" (and doesn't have default value)`;
}

function setProblem(of: unknown): string | undefined {
  if (isObject(of)) return "associative list without keys has an element that's a map type";
  return Array.isArray(of) ? "not supported: associative list with lists as elements" : undefined;
}

function checkScalar({ type, format }: Schema, of: unknown, report: (message: string) => void): void {
  if (format === "quantity" || format === "int-or-string") {
    if (typeof of === "object") report(`expected any scalar, got &value.valueUnstructured{Value:${goValue(of)}}`);
  } else if (type === "string") {
    if (typeof of !== "string") report(`expected string, got &value.valueUnstructured{Value:${goValue(of)}}`);
  } else if (type === "boolean") {
    if (typeof of !== "boolean") report(`expected boolean, got &value.valueUnstructured{Value:${goValue(of)}}`);
  } else if (typeof of !== "number")
    report(`expected numeric (int or float), got ${goTypes[jsonType(of)] ?? jsonType(of)}`);
}

const goTypes: Readonly<Record<string, string>> = {
  boolean: "bool",
  list: "[]interface {}",
  map: "map[string]interface {}",
};
const jsonType = (of: unknown): string => (Array.isArray(of) ? "list" : isObject(of) ? "map" : typeof of);
