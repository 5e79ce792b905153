import type {
  AdmissionregistrationV1MutatingWebhookConfiguration as Configuration,
  AdmissionregistrationV1MutatingWebhook as MutatingWebhook,
} from "../../../kinds/generated/types.ts";
import type { Store } from "../../../storage/store.ts";
import { cached } from "../../cached.ts";

/** One webhook of a configuration. Validating ones have no reinvocationPolicy. */
export type Hook = MutatingWebhook & { id: string };

export type Hooks = { mutating(): readonly Hook[]; validating(): readonly Hook[] };

const MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io";

/** The webhooks of all configurations, in the order of their names. */
export function storedHooks(store: Store): Hooks {
  const of = (resource: string) => cached(store, [resource], () => read(store, resource));
  return { mutating: of(MUTATING), validating: of(VALIDATING) };
}

function read(store: Store, resource: string): Hook[] {
  return store.list({ resource }).items.flatMap(({ json, uid, revision }) =>
    ((JSON.parse(json) as Configuration).webhooks ?? []).map((hook, index) => ({
      ...hook,
      id: `${uid}/${revision}/${index}`,
    })),
  );
}
