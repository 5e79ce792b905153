import type {
  AdmissionregistrationV1MutatingWebhookConfiguration as Configuration,
  AdmissionregistrationV1MutatingWebhook as MutatingWebhook,
} from "../../../kinds/generated/types.ts";
import type { Store } from "../../../storage/store.ts";

/** One webhook of a configuration. Validating ones have no reinvocationPolicy. */
export type Hook = MutatingWebhook & { id: string };

export type Hooks = { mutating(): readonly Hook[]; validating(): readonly Hook[] };

const MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io";

/** The webhooks of all configurations, in the order of their names; read again after a commit that touched any. */
export function storedHooks(store: Store): Hooks {
  const known = new Map<string, readonly Hook[]>();
  store.onChange((changes) => {
    for (const { resource } of changes) known.delete(resource);
  });
  const of = (resource: string) => {
    const hooks = known.get(resource) ?? read(store, resource);
    known.set(resource, hooks);
    return hooks;
  };
  return { mutating: () => of(MUTATING), validating: () => of(VALIDATING) };
}

function read(store: Store, resource: string): Hook[] {
  const page = store.list({ resource });
  if (page === "expired") return [];
  return page.items.flatMap(({ json, uid, revision }) =>
    ((JSON.parse(json) as Configuration).webhooks ?? []).map((hook, index) => ({
      ...hook,
      id: `${uid}/${revision}/${index}`,
    })),
  );
}
