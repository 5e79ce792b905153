/** The parts that validating and mutating policies share: their variables, and the environments after them. */
import type { Environment } from "../../lib/cel/environment.ts";
import { CelError, compile } from "../../lib/cel/program.ts";
import { DYN, type Type } from "../../lib/cel/types.ts";
import { type FieldError, invalidValue, required } from "../../lib/status.ts";
import type { AdmissionregistrationV1Variable as Variable } from "../generated/types.ts";
import { admissionEnvironment, type Scope } from "./expressions.ts";

const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const isIdentifier = (name: string) => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.has(name);

/** What the variables of a policy are, by their names; what does not compile is of any type. */
export function variableTypes(variables: readonly Variable[], scope: Scope): Map<string, Type> {
  const types = new Map<string, Type>();
  for (const { name, expression } of variables) {
    const environment = admissionEnvironment({ ...scope, variables: types });
    types.set(name, typeOf(environment, expression));
  }
  return types;
}

function typeOf(environment: Environment, expression: string): Type {
  try {
    return compile(environment, expression).type;
  } catch (error) {
    if (error instanceof CelError) return DYN;
    throw error;
  }
}

/** Adds the types of those that compile to `known`. */
export function* variableProblems(
  variables: readonly Variable[],
  path: string,
  scope: Scope,
  known: Map<string, Type>,
): Iterable<FieldError> {
  for (const [index, { name, expression }] of variables.entries()) {
    const at = `${path}[${index}]`;
    if (!name?.trim()) yield required(`${at}.name`, "name is not specified");
    else if (!isIdentifier(name)) yield invalidValue(`${at}.name`, name, "must be a valid CEL identifier");
    if (!expression?.trim()) {
      yield required(`${at}.expression`, "expression is not specified");
      continue;
    }
    try {
      known.set(name, compile(admissionEnvironment({ ...scope, variables: known }), expression).type);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      known.set(name, DYN);
      yield invalidValue(`${at}.expression`, expression, error.message);
    }
  }
}
