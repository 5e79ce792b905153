/**
 * Expressions about writes: match conditions of webhooks and policies, validations, messages.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
import type { Environment } from "@marcbachmann/cel-js";
import { celEnvironment } from "../../lib/cel/environment.ts";
import { CelError, compile, type Program } from "../../lib/cel/program.ts";
import { qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, type FieldError, invalidValue, required } from "../../lib/status.ts";
import type { AdmissionregistrationV1MatchCondition as MatchCondition } from "../generated/types.ts";
import { registerAuthorizer } from "./authorizer.ts";

/** What an expression may mention beside `object`, `oldObject`, `request` and `authorizer`. */
type Scope = { params?: boolean; namespaceObject?: boolean; variables?: boolean };

function admissionEnvironment(scope: Scope): Environment {
  const environment = celEnvironment();
  registerAuthorizer(environment);
  for (const name of ["object", "oldObject", "request"]) environment.registerVariable(name, "dyn");
  if (scope.params) environment.registerVariable("params", "dyn");
  if (scope.namespaceObject) environment.registerVariable("namespaceObject", "dyn");
  if (scope.variables) environment.registerVariable("variables", "dyn");
  return environment;
}

/** Programs kept; they come from configurations, which are few. */
const MAX_PROGRAMS = 2000;

/** Compiles what may mention the scope; its environment is made for the first. */
function compiler(scope: Scope): (expression: string) => Program {
  const programs = new Map<string, Program>();
  let environment: Environment | undefined;
  return (expression) => {
    const known = programs.get(expression);
    if (known) return known;
    environment ??= admissionEnvironment(scope);
    const program = compile(environment, expression);
    if (programs.size >= MAX_PROGRAMS) programs.clear();
    programs.set(expression, program);
    return program;
  };
}

/** Each throws CelError for what does not compile. */
export const webhookCondition = compiler({});
export const policyCondition = compiler({ params: true, namespaceObject: true });
export const policyExpression = compiler({ params: true, namespaceObject: true, variables: true });

const MAX_CONDITIONS = 64;

export function* conditionProblems(
  conditions: readonly MatchCondition[],
  path: string,
  compileCondition: (expression: string) => Program,
): Iterable<FieldError> {
  if (conditions.length > MAX_CONDITIONS)
    yield {
      field: path,
      reason: "FieldValueTooMany",
      message: `Too many: ${conditions.length}: must have at most ${MAX_CONDITIONS} items`,
    };
  const names = new Set<string>();
  for (const [index, { name, expression }] of conditions.entries()) {
    const at = `${path}[${index}]`;
    yield* expressionProblems(expression, `${at}.expression`, compileCondition, "bool");
    if (!name) yield required(`${at}.name`);
    else for (const why of qualifiedNameProblems(name)) yield invalidValue(`${at}.name`, name, why);
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
  }
}

export function* expressionProblems(
  expression: string | undefined,
  path: string,
  compileExpression: (expression: string) => Program,
  type?: string,
): Iterable<FieldError> {
  if (!expression?.trim()) {
    yield required(path);
    return;
  }
  try {
    const program = compileExpression(expression);
    if (type && program.type !== type && program.type !== "dyn")
      yield invalidValue(path, expression, `must evaluate to ${type}`);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    yield invalidValue(path, expression, `compilation failed: ERROR: <input>:1:1: ${error.message}`);
  }
}
