import { admissionEnvironment, type Scope } from "../../kinds/admissionregistration/expressions.ts";
import { variableTypes } from "../../kinds/admissionregistration/policy-expressions.ts";
import { ValidatingAdmissionPolicy } from "../../kinds/admissionregistration/validating-admission-policy.ts";
import { declare, fieldTypes } from "../../kinds/custom/cel-types.ts";
import type { AdmissionregistrationV1NamedRuleWithOperations as Rule } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { FieldTypes } from "../../lib/cel/environment.ts";
import { CelError, compile } from "../../lib/cel/program.ts";
import type { Type } from "../../lib/cel/types.ts";
import type { Controller, View } from "../controller.ts";
import { ownKey, splitKey, watch } from "../keys.ts";

/**
 * Tells in the status of a ValidatingAdmissionPolicy which of its expressions cannot be right for the kinds that it is
 * for. https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
 */
export const policyTypeChecker: Controller = {
  name: "validatingadmissionpolicy-status-controller",
  watches: [watch(ValidatingAdmissionPolicy, ownKey)],
  reconcile(view, key) {
    const [, name] = splitKey(key);
    const policy = view.get(ValidatingAdmissionPolicy, "", name);
    const { generation = 0 } = policy?.metadata ?? {};
    if (!policy || generation <= (policy.status?.observedGeneration ?? 0)) return [];
    const warnings = warningsOf(policy, view);
    const typeChecking = warnings.length ? { expressionWarnings: warnings } : {};
    const status = { ...policy.status, observedGeneration: generation, typeChecking };
    if (same(status, policy.status)) return [];
    return [{ do: "updateStatus", kind: ValidatingAdmissionPolicy, object: { ...policy, status } }];
  },
};

type Warning = { fieldRef: string; warning: string };

function warningsOf({ spec }: ValidatingAdmissionPolicy, view: View): Warning[] {
  const { matchConstraints, paramKind, variables = [], validations = [] } = spec ?? {};
  const kinds = kindsOf(matchConstraints?.resourceRules ?? [], view);
  const params = paramKind && view.kind(paramKind.apiVersion ?? "", paramKind.kind ?? "");
  const checks = kinds.map((kind) => {
    const scope = scopeOf(kind, params);
    return { kind, environment: admissionEnvironment({ ...scope, variables: variableTypes(variables, scope) }) };
  });
  const found: Warning[] = [];
  const check = (fieldRef: string, expression: string | undefined): void => {
    if (!expression) return;
    const texts = checks.flatMap(({ kind, environment }) => {
      try {
        compile(environment, expression);
        return [];
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        const problem = error.message.replace(/^compilation failed: /, "");
        return [`${kind.group}/${kind.version}, Kind=${kind.kind}: ${problem}\n`];
      }
    });
    if (texts.length) found.push({ fieldRef, warning: texts.join("\n") });
  };
  for (const [index, { expression, messageExpression }] of validations.entries()) {
    check(`spec.validations[${index}].expression`, expression);
    check(`spec.validations[${index}].messageExpression`, messageExpression);
  }
  return found;
}

/** Objects and parameters are of the types that their kinds declare. */
function scopeOf(kind: Kind, params: Kind | undefined): Scope {
  const object = typesOf(kind);
  const parameter = params && typesOf(params);
  const types: FieldTypes = {
    hasType: (name) => object.types.hasType(name) || (parameter?.types.hasType(name) ?? false),
    field: (type, field) => object.types.field(type, field) ?? parameter?.types.field(type, field),
  };
  return {
    params: params !== undefined,
    authorizer: true,
    object: { type: object.type, types },
    ...(parameter && { parameter: parameter.type }),
  };
}

function typesOf({ schema, kind }: Kind): { type: Type; types: FieldTypes } {
  const declared = declare(schema, false, kind);
  if (!declared) throw new Error(`${kind} declares no type`);
  return { type: declared.type, types: fieldTypes(declared) };
}

/** Each policy is checked against so many kinds at most. */
const MAX_KINDS = 10;

/** The kinds that rules name, sorted; those behind a wildcard or a subresource are not looked for. */
function kindsOf(rules: readonly Rule[], view: View): Kind[] {
  const served = view.kinds();
  const found = new Map<string, Kind>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes("*"))) continue;
    const plain = resources.filter((name) => !/[*/]/.test(name)).toSorted();
    let count = 0;
    for (const kind of named(served, apiGroups.toSorted(), apiVersions.toSorted(), plain, view)) {
      found.set(`${kind.group} ${kind.version} ${kind.kind}`, kind);
      if (++count === MAX_KINDS) return sorted(found);
    }
  }
  return sorted(found);
}

const sorted = (kinds: ReadonlyMap<string, Kind>): Kind[] =>
  [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind);

function* named(
  served: readonly Kind[],
  groups: readonly string[],
  versions: readonly string[],
  resources: readonly string[],
  view: View,
): Iterable<Kind> {
  for (const group of groups)
    for (const version of versions)
      for (const resource of resources)
        for (const kind of served) {
          if (kind.resource !== resource || (group !== "" && kind.group !== group)) continue;
          const inVersion = view.kind(kind.group ? `${kind.group}/${version}` : version, kind.kind);
          if (inVersion) yield inVersion;
        }
}
