import type { KubeObject } from "../../lib/object.ts";
import { type FieldError, invalidValue } from "../../lib/status.ts";
import type { ScalePaths } from "../kind.ts";

const MAX_REPLICAS = 2 ** 31 - 1;

/** What is wrong with the number that is scaled. */
export function specReplicasProblems({ specReplicas }: ScalePaths, object: KubeObject): FieldError[] {
  return replicasProblems(specReplicas, object);
}

/** What is wrong with the numbers and the selector that a scale tells. */
export function scaleStatusProblems({ statusReplicas, selector }: ScalePaths, object: KubeObject): FieldError[] {
  const problems = replicasProblems(statusReplicas, object);
  const { value, problem } = selector ? at(selector, object) : { value: undefined };
  const misfit =
    problem ?? (value === undefined || typeof value === "string" ? undefined : wrong(selector, value, "string"));
  return misfit ? [...problems, invalidValue(selector, "", misfit)] : problems;
}

function replicasProblems(path: string, object: KubeObject): FieldError[] {
  const { value, problem } = at(path, object);
  if (problem) return [invalidValue(path, 0, problem)];
  if (value === undefined) return [];
  if (!Number.isInteger(value)) return [invalidValue(path, 0, wrong(path, value, "int64"))];
  if ((value as number) < 0) return [invalidValue(path, value, "should be a non-negative integer")];
  return (value as number) > MAX_REPLICAS
    ? [invalidValue(path, value, `should be less than or equal to ${MAX_REPLICAS}`)]
    : [];
}

function at(path: string, object: KubeObject): { value?: unknown; problem?: string } {
  let value: unknown = object;
  for (const step of path.split(".").slice(1)) {
    if (value === undefined || value === null) return {};
    if (typeof value !== "object" || Array.isArray(value))
      return { problem: wrong(path, value, "map[string]interface {}") };
    value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
  }
  return { value };
}

const wrong = (path: string, value: unknown, wanted: string): string =>
  `${path} accessor error: ${typeof value === "object" ? JSON.stringify(value) : value} is of the type ${goType(value)}, expected ${wanted}`;

function goType(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return { boolean: "bool", string: "string" }[typeof value as string] ?? "map[string]interface {}";
}
