import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type { Store } from "../../../storage/store.ts";
import { cached } from "../../cached.ts";

/** A policy with what binds it; one that nothing binds asks for nothing. */
export type Policy = { policy: ValidatingAdmissionPolicy; bindings: readonly ValidatingAdmissionPolicyBinding[] };

const POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io";
const BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

/** The policies in the order of their names. */
export function storedPolicies(store: Store): () => readonly Policy[] {
  return cached(store, [POLICIES, BINDINGS], () => read(store));
}

function read(store: Store): Policy[] {
  const all = <T>(resource: string) => store.list({ resource }).items.map(({ json }) => JSON.parse(json) as T);
  const bindings = Map.groupBy(all<ValidatingAdmissionPolicyBinding>(BINDINGS), ({ spec }) => spec?.policyName);
  return all<ValidatingAdmissionPolicy>(POLICIES).flatMap((policy) => {
    const its = bindings.get(policy.metadata.name);
    return its ? [{ policy, bindings: its }] : [];
  });
}
