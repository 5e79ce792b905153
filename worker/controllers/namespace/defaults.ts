import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { ownKey, splitKey } from "../keys.ts";

const ROOT_CA = "kube-root-ca.crt";
const ROOT_CA_DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the " +
  "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Keeps one object of a fixed name in every namespace that is there to stay. */
function inEveryNamespace<T extends KubeObject>(
  name: string,
  kind: Kind<T>,
  objectName: string,
  settle: (namespace: string, existing: Readonly<T> | undefined) => Intent[],
): Controller {
  return {
    name,
    watches: [
      { kind: Namespace, keys: ownKey },
      {
        kind,
        *keys({ metadata }) {
          if (metadata?.name === objectName) yield `/${metadata.namespace}`;
        },
      },
    ],
    reconcile(view: View, key: string) {
      const [, namespace] = splitKey(key);
      const found = view.get(Namespace, "", namespace);
      if (!found || found.metadata.deletionTimestamp) return [];
      return settle(namespace, view.get(kind, namespace, objectName));
    },
  };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#serviceaccount-controller */
export const serviceAccountController = inEveryNamespace(
  "serviceaccount-controller",
  ServiceAccount,
  "default",
  (namespace, existing) =>
    existing ? [] : [{ do: "create", kind: ServiceAccount, object: { metadata: { name: "default", namespace } } }],
);

/** The ConfigMap from which pods learn the cluster's CA. `ca` is PEM. */
export function rootCaPublisher(ca: string): Controller {
  const data = { "ca.crt": ca };
  return inEveryNamespace("root-ca-certificate-publisher-controller", ConfigMap, ROOT_CA, (namespace, existing) => {
    const annotations = { "kubernetes.io/description": ROOT_CA_DESCRIPTION };
    if (!existing)
      return [
        {
          do: "create",
          kind: ConfigMap,
          object: { metadata: { name: ROOT_CA, namespace, annotations }, data } as ConfigMap,
        },
      ];
    if (same(existing.data, data)) return [];
    return [{ do: "update", kind: ConfigMap, object: { ...existing, data } as ConfigMap }];
  });
}
