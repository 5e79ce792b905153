/**
 * Expressions about writes: match conditions of webhooks and policies, validations, messages, mutations.
 * https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
import type { Environment, FieldTypes } from "../../lib/cel/environment.ts";
import { AUTHORIZER, RESOURCE_CHECK } from "../../lib/cel/library/authorizer.ts";
import { jsonPatch, KUBERNETES } from "../../lib/cel/library/kubernetes.ts";
import { CelError, compile, type Program } from "../../lib/cel/program.ts";
import { BOOL, DYN, formatType, parseType, sameType, structType, type Type } from "../../lib/cel/types.ts";
import { type FieldError, invalidValue, required } from "../../lib/status.ts";

/** Fields of what expressions can look at beside objects. */
const STRUCTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "kubernetes.GroupVersionKind": { group: "string", version: "string", kind: "string" },
  "kubernetes.GroupVersionResource": { group: "string", version: "string", resource: "string" },
  "kubernetes.UserInfo": {
    username: "string",
    uid: "string",
    groups: "list(string)",
    extra: "map(string, list(string))",
  },
  "kubernetes.AdmissionRequest": {
    kind: "kubernetes.GroupVersionKind",
    resource: "kubernetes.GroupVersionResource",
    subResource: "string",
    requestKind: "kubernetes.GroupVersionKind",
    requestResource: "kubernetes.GroupVersionResource",
    requestSubResource: "string",
    name: "string",
    namespace: "string",
    operation: "string",
    userInfo: "kubernetes.UserInfo",
    dryRun: "bool",
    options: "dyn",
  },
  "kubernetes.NamespaceSpec": { finalizers: "list(string)" },
  "kubernetes.NamespaceCondition": {
    status: "string",
    type: "string",
    lastTransitionTime: "timestamp",
    message: "string",
    reason: "string",
  },
  "kubernetes.NamespaceStatus": { conditions: "list(kubernetes.NamespaceCondition)", phase: "string" },
  "kubernetes.NamespaceMetadata": {
    name: "string",
    generateName: "string",
    namespace: "string",
    labels: "map(string, string)",
    annotations: "map(string, string)",
    UID: "string",
    creationTimestamp: "timestamp",
    deletionGracePeriodSeconds: "int",
    deletionTimestamp: "timestamp",
    generation: "int",
    resourceVersion: "string",
    finalizers: "list(string)",
  },
  "kubernetes.Namespace": {
    metadata: "kubernetes.NamespaceMetadata",
    spec: "kubernetes.NamespaceSpec",
    status: "kubernetes.NamespaceStatus",
  },
};

const VARIABLES = "kubernetes.variables";
/** The type of one operation of a JSON patch. */
export const PATCH = "JSONPatch";
const PATCH_FIELDS: Readonly<Record<string, Type>> = {
  op: parseType("string"),
  path: parseType("string"),
  from: parseType("string"),
  value: DYN,
};

/** What kube-apiserver takes a field for that there is not. */
const NO_FIELD = structType("");

/** What an expression may mention beside `object`, `oldObject`, `request` and `namespaceObject`. */
export type Scope = {
  params?: boolean;
  authorizer?: boolean;
  /** Those of the policy that stand before, with their types. */
  variables?: ReadonlyMap<string, Type>;
  /** `Object{…}` and `JSONPatch{…}`. */
  patches?: boolean;
  /** Where the type of objects is known. */
  object?: { type: Type; types: FieldTypes };
  parameter?: Type;
};

function fieldTypes({ variables, patches, object }: Scope): FieldTypes {
  const isPatch = (name: string) => patches === true && (name === PATCH || /^Object(?:\.|$)/.test(name));
  return {
    hasType: (name) =>
      Object.hasOwn(STRUCTS, name) ||
      (name === VARIABLES && variables !== undefined) ||
      isPatch(name) ||
      (object?.types.hasType(name) ?? false),
    field(type, field) {
      if (type === VARIABLES) return variables?.get(field);
      if (isPatch(type)) return type === PATCH ? (PATCH_FIELDS[field] ?? NO_FIELD) : DYN;
      const text = STRUCTS[type]?.[field];
      return text === undefined ? object?.types.field(type, field) : parseType(text);
    },
  };
}

/** The environment of one kind of expressions. */
export function admissionEnvironment(scope: Scope): Environment {
  const base = scope.patches ? KUBERNETES.withLibrary(jsonPatch) : KUBERNETES;
  const object = scope.object?.type ?? DYN;
  return base.with(
    {
      object,
      oldObject: object,
      namespaceObject: structType("kubernetes.Namespace"),
      request: structType("kubernetes.AdmissionRequest"),
      ...(scope.params && { params: scope.parameter ?? DYN }),
      ...(scope.authorizer && {
        authorizer: structType(AUTHORIZER),
        "authorizer.requestResource": structType(RESOURCE_CHECK),
      }),
      ...(scope.variables && { variables: structType(VARIABLES) }),
    },
    fieldTypes(scope),
  );
}

/** Types that results may have; none are any. */
export type Results = readonly Type[];

/** Throws CelError for what does not compile or has another type than one of these. */
export function compileFor(environment: Environment, expression: string, results: Results = []): Program {
  const program = compile(environment, expression);
  if (results.length === 0 || results.some((type) => sameType(type, program.type))) return program;
  const wanted = results.map(typeText);
  const what = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(" ")}]`;
  throw new CelError(`must evaluate to ${what} but got ${typeText(program.type)}`);
}

/** As cel-go prints a type outside of its own messages. */
const typeText = (type: Type): string =>
  formatType(type)
    .replace(/\bnull\b/g, "null_type")
    .replace(/\btimestamp\b/g, "google.protobuf.Timestamp")
    .replace(/\bduration\b/g, "google.protobuf.Duration");

/** What is wrong with an expression; nothing for one that compiles. */
export function* expressionProblems(
  environment: Environment,
  expression: string,
  path: string,
  results: Results = [],
): Iterable<FieldError> {
  try {
    compileFor(environment, expression, results);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    yield invalidValue(path, expression, error.message);
  }
}

/** Match conditions of webhooks are compiled once. */
const webhookEnvironment = (): Environment => {
  webhooks ??= admissionEnvironment({ authorizer: true });
  return webhooks;
};
let webhooks: Environment | undefined;

/** Programs kept; they come from configurations, which are few. */
const MAX_PROGRAMS = 2000;
const programs = new Map<string, Program>();

/** Throws CelError for what does not compile. */
export function webhookCondition(expression: string): Program {
  const known = programs.get(expression);
  if (known) return known;
  const program = compileFor(webhookEnvironment(), expression, [BOOL]);
  if (programs.size >= MAX_PROGRAMS) programs.clear();
  programs.set(expression, program);
  return program;
}

/** What is wrong with the text of an expression that must be there. */
export function* neededExpression(
  environment: Environment,
  expression: string | undefined,
  path: string,
  results: Results,
  missing = "",
): Iterable<FieldError> {
  if (!expression?.trim()) yield required(path, missing);
  else yield* expressionProblems(environment, expression, path, results);
}

export { webhookEnvironment };
