import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import type { Controller, Intent } from "../controller.ts";
import { watch } from "../keys.ts";

const NAMESPACE = "kube-system";
const NAME = "extension-apiserver-authentication";
const KEY = `${NAMESPACE}/${NAME}`;

/** The subject by which extension servers know that a request comes from this API. */
export const FRONT_PROXY = "front-proxy-client";

/** PEM: whose signature makes a client, and whose makes the front proxy, which speaks for others in headers. */
export type Authorities = { client: string; frontProxy: string };

/**
 * Tells extension servers whom to believe. What others have added to the ConfigMap stays.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#original-request-username-and-group
 */
export function authenticationPublisher({ client, frontProxy }: Authorities): Controller {
  const wanted: Record<string, string> = {
    "client-ca-file": client,
    "requestheader-allowed-names": JSON.stringify([FRONT_PROXY]),
    "requestheader-client-ca-file": frontProxy,
    "requestheader-extra-headers-prefix": JSON.stringify(["X-Remote-Extra-"]),
    "requestheader-group-headers": JSON.stringify(["X-Remote-Group"]),
    "requestheader-uid-headers": JSON.stringify(["X-Remote-Uid"]),
    "requestheader-username-headers": JSON.stringify(["X-Remote-User"]),
  };
  return {
    name: "cluster_authentication_trust_controller",
    watches: [
      watch(Namespace, function* ({ metadata }, old) {
        if (metadata.name === NAMESPACE && !old) yield KEY;
      }),
      watch(ConfigMap, function* ({ metadata }) {
        if (metadata.name === NAME && metadata.namespace === NAMESPACE) yield KEY;
      }),
    ],
    reconcile(view): Intent[] {
      const existing = view.get(ConfigMap, NAMESPACE, NAME);
      if (!existing) {
        const object = { metadata: { name: NAME, namespace: NAMESPACE }, data: wanted } as ConfigMap;
        return [{ do: "create", kind: ConfigMap, object }];
      }
      const data = { ...existing.data };
      for (const [key, value] of Object.entries(wanted)) data[key] = joined(data[key], value);
      if (Object.keys(wanted).every((key) => data[key] === existing.data?.[key])) return [];
      return [{ do: "update", kind: ConfigMap, object: { ...existing, data } as ConfigMap }];
    },
  };
}

/** Certificates one after another, lists as one list, each item once. */
function joined(known: string | undefined, value: string): string {
  if (!known || known.includes(value)) return known || value;
  if (!value.startsWith("[")) return `${known.trimEnd()}\n${value}`;
  return JSON.stringify([...new Set([...listOf(known), ...listOf(value)])]);
}

function listOf(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map(String) : [];
  } catch {
    return []; // what cannot be read is no use to anyone
  }
}
