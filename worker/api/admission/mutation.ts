import type { Operation } from "../engine/operation.ts";
import type { Admission } from "./admission.ts";
import { mutateByPolicies } from "./policies/mutating-policies.ts";
import { Reinvocation } from "./reinvocation.ts";
import { mutateByWebhooks } from "./webhooks/webhooks.ts";

/**
 * Policies and webhooks that may change what is written. When one has, all that comes before runs again, and then those
 * of them that ask for it.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
 */
export const mutation = (before: readonly Admission[]): Admission => ({
  name: "Mutation",
  admits(operation) {
    const policies = new Reinvocation();
    const webhooks = new Reinvocation();
    if (!round(operation, policies, webhooks)) return;
    for (const admission of before) admission.admits(operation);
    round(operation, policies, webhooks, true);
  },
});

/** Whether the object was changed. */
function round(operation: Operation, policies: Reinvocation, webhooks: Reinvocation, isAgain = false): boolean {
  if (isAgain) policies.beginAgain(operation.object);
  const byPolicies = mutateByPolicies(operation, policies);
  policies.end(operation.object);
  if (isAgain) webhooks.beginAgain(operation.object);
  const byWebhooks = mutateByWebhooks(operation, webhooks);
  webhooks.end(operation.object);
  return byPolicies || byWebhooks;
}
