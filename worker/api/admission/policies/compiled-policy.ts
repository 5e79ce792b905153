import { admissionEnvironment, type Scope } from "../../../kinds/admissionregistration/expressions.ts";
import {
  MUTATION_RESULTS,
  type MutatingAdmissionPolicy,
} from "../../../kinds/admissionregistration/mutating-admission-policy.ts";
import { variableTypes } from "../../../kinds/admissionregistration/policy-expressions.ts";
import type { ValidatingAdmissionPolicy } from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type {
  AdmissionregistrationV1MatchCondition as MatchCondition,
  AdmissionregistrationV1ParamKind as ParamKind,
  AdmissionregistrationV1Variable as Variable,
} from "../../../kinds/generated/types.ts";
import { BOOL, NULL, STRING } from "../../../lib/cel/types.ts";
import { type Compiled, type CompiledVariables, compiled } from "./evaluation.ts";

/** What both kinds of policies have. */
export type Common = { scope: Scope; conditions: readonly Compiled[]; variables: CompiledVariables };

type CommonSpec = {
  paramKind?: ParamKind;
  matchConditions?: readonly MatchCondition[];
  variables?: readonly Variable[];
};

function compileCommon({ paramKind, matchConditions = [], variables = [] }: CommonSpec): Common {
  const scope: Scope = { params: paramKind !== undefined, authorizer: true };
  const types = variableTypes(variables, scope);
  const before = admissionEnvironment(scope);
  const within = { ...scope, variables: types };
  const environment = admissionEnvironment(within);
  return {
    scope: within,
    conditions: matchConditions.map(({ expression }) => compiled(before, expression.trim(), [BOOL])),
    variables: variables.map(({ name, expression }) => ({ name, compiled: compiled(environment, expression) })),
  };
}

type Spec = NonNullable<ValidatingAdmissionPolicy["spec"]>;
export type Validation = NonNullable<Spec["validations"]>[number];

export type CompiledPolicy = Common & {
  readonly validations: readonly { written: Validation; rule: Compiled; message?: Compiled }[];
  readonly annotations: readonly { key: string; value: Compiled }[];
};

const known = new WeakMap<object, CompiledPolicy>();

/** Compiled once for a stored policy. */
export function compiledPolicy(policy: ValidatingAdmissionPolicy): CompiledPolicy {
  const before = known.get(policy);
  if (before) return before;
  const made = compile(policy.spec ?? {});
  known.set(policy, made);
  return made;
}

function compile(spec: Spec): CompiledPolicy {
  const common = compileCommon(spec);
  const environment = admissionEnvironment(common.scope);
  const ofMessages = admissionEnvironment({ ...common.scope, authorizer: false });
  return {
    ...common,
    validations: (spec.validations ?? []).map((written) => ({
      written,
      rule: compiled(environment, written.expression, [BOOL]),
      ...(written.messageExpression && { message: compiled(ofMessages, written.messageExpression, [STRING]) }),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: compiled(environment, valueExpression.trim(), [STRING, NULL]),
    })),
  };
}

export type CompiledMutatingPolicy = Common & { readonly mutations: readonly Compiled[] };

const knownMutating = new WeakMap<object, CompiledMutatingPolicy>();

/** Compiled once for a stored policy. */
export function compiledMutatingPolicy(policy: MutatingAdmissionPolicy): CompiledMutatingPolicy {
  const before = knownMutating.get(policy);
  if (before) return before;
  const common = compileCommon(policy.spec ?? {});
  const environment = admissionEnvironment({ ...common.scope, patches: true });
  const mutations = (policy.spec?.mutations ?? []).map(({ patchType, jsonPatch, applyConfiguration }) =>
    compiled(environment, (jsonPatch ?? applyConfiguration)?.expression ?? "", MUTATION_RESULTS[patchType]),
  );
  const made = { ...common, mutations };
  knownMutating.set(policy, made);
  return made;
}
