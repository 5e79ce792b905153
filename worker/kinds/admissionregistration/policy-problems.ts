import type { Type } from "../../lib/cel/types.ts";
import { dnsSubdomainProblems } from "../../lib/names.ts";
import { type FieldError, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { Schemas } from "../generated/types.ts";
import { admissionEnvironment, type Scope } from "./expressions.ts";
import { conditionProblems, matchResourcesProblems, paramKindProblems } from "./matching.ts";
import { variableProblems } from "./policy-expressions.ts";

/** What policies of both kinds say. */
type Spec = Pick<
  NonNullable<Schemas["io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy"]["spec"]>,
  "failurePolicy" | "paramKind" | "matchConstraints" | "matchConditions" | "variables"
>;
type Rules = NonNullable<Spec["matchConstraints"]>["resourceRules"];

const FAILURE_POLICIES: readonly string[] = ["Fail", "Ignore"];

/** What a policy's expressions may mention, but for its variables. */
export const policyScope = ({ paramKind }: Spec): Scope => ({ params: paramKind !== undefined, authorizer: true });

/** The variables and their types are put into `known`. `ruleProblems`: what one kind of policy asks of its rules besides. */
export function* policyProblems(
  spec: Spec,
  known: Map<string, Type>,
  ruleProblems: (rules: Rules, path: string) => Iterable<FieldError> = () => [],
): Iterable<FieldError> {
  const { failurePolicy, paramKind, matchConstraints, matchConditions = [], variables = [] } = spec;
  if (failurePolicy === undefined) yield required("spec.failurePolicy");
  else if (!FAILURE_POLICIES.includes(failurePolicy))
    yield notSupported("spec.failurePolicy", failurePolicy, FAILURE_POLICIES);
  if (paramKind) yield* paramKindProblems(paramKind, "spec.paramKind");
  if (!matchConstraints) yield required("spec.matchConstraints");
  else {
    yield* matchResourcesProblems(matchConstraints, "spec.matchConstraints");
    if (!matchConstraints.resourceRules?.length) yield required("spec.matchConstraints.resourceRules");
    yield* ruleProblems(matchConstraints.resourceRules, "spec.matchConstraints");
  }
  const scope = policyScope(spec);
  yield* conditionProblems(matchConditions, "spec.matchConditions", () => admissionEnvironment(scope));
  yield* variableProblems(variables, "spec.variables", scope, known);
}

/** The name of the policy that a binding binds. */
export function* policyNameProblems(name: string | undefined): Iterable<FieldError> {
  if (!name) yield required("spec.policyName");
  else for (const why of dnsSubdomainProblems(name)) yield invalidValue("spec.policyName", name, why);
}
