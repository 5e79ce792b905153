import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from "../../../kinds/admissionregistration/mutating-admission-policy.ts";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "../../../kinds/admissionregistration/validating-admission-policy.ts";
import type { Kinds } from "../../../kinds/registry.ts";
import type { Store } from "../../../storage/store.ts";
import { cached } from "../../cached.ts";

/** A policy with what binds it; one that nothing binds asks for nothing. */
export type Policy = { policy: ValidatingAdmissionPolicy; bindings: readonly ValidatingAdmissionPolicyBinding[] };

const POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io";
const BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

/** The policies in the order of their names. */
export function storedPolicies(store: Store): () => readonly Policy[] {
  return cached(store, [POLICIES, BINDINGS], () => read<Policy>(store, POLICIES, BINDINGS));
}

export type MutatingPolicy = {
  policy: MutatingAdmissionPolicy;
  bindings: readonly MutatingAdmissionPolicyBinding[];
};

const MUTATING = "mutatingadmissionpolicies.admissionregistration.k8s.io";
const MUTATING_BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io";

/** Those that change what is written, where they are served. */
export function storedMutatingPolicies(store: Store, kinds: Kinds): () => readonly MutatingPolicy[] {
  if (!kinds.preferred(MUTATING)) return () => [];
  return cached(store, [MUTATING, MUTATING_BINDINGS], () => read<MutatingPolicy>(store, MUTATING, MUTATING_BINDINGS));
}

type Bound = { policy: { metadata: { name?: string } }; bindings: readonly { spec?: { policyName?: string } }[] };

function read<P extends Bound>(store: Store, policies: string, bindings: string): P[] {
  const all = <T>(resource: string) => store.list({ resource }).items.map(({ json }) => JSON.parse(json) as T);
  const bound = Map.groupBy(all<P["bindings"][number]>(bindings), ({ spec }) => spec?.policyName);
  return all<P["policy"]>(policies).flatMap((policy) => {
    const its = bound.get(policy.metadata.name);
    return its ? [{ policy, bindings: its } as unknown as P] : [];
  });
}
