/**
 * Fills Secrets that are to hold a ServiceAccount's token, and deletes those whose account is gone.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller
 */
import { Secret } from "../../kinds/core/secret.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";

export const TOKENS = "tokens-controller";

const TOKEN_TYPE = "kubernetes.io/service-account-token";
const ACCOUNT_NAME = "kubernetes.io/service-account.name";
const ACCOUNT_UID = "kubernetes.io/service-account.uid";

/** What a token that does not end says of its bearer. */
export type LegacyToken = { namespace: string; secret: string; account: string; uid: string };

export type TokenParts = {
  /** PEM of the cluster's CA. */
  ca: string;
  /** The token; undefined while it is being signed: the key runs again then. */
  sign(key: string, print: string, token: LegacyToken): string | undefined;
};

const accountOf = ({ metadata }: Readonly<KubeObject>) => metadata?.annotations?.[ACCOUNT_NAME] ?? "";
const isToken = (secret: Readonly<Secret>) => secret.type === TOKEN_TYPE && accountOf(secret) !== "";

export function tokensController({ ca, sign }: TokenParts): Controller {
  return {
    name: TOKENS,
    watches: [
      watch(Secret, (secret) => (isToken(secret) ? ownKey(secret) : [])),
      watch(ServiceAccount, function* ({ metadata }, _, view, type) {
        if (type !== "DELETED") return;
        for (const secret of view.list(Secret, metadata?.namespace))
          if (isToken(secret) && accountOf(secret) === metadata?.name) yield keyOf(secret);
      }),
    ],
    reconcile(view, key): Intent[] {
      const [namespace, name] = splitKey(key);
      const secret = view.get(Secret, namespace, name);
      if (!secret || !isToken(secret) || secret.metadata?.deletionTimestamp) return [];
      const account = view.get(ServiceAccount, namespace, accountOf(secret));
      const { uid: secretUid = "", annotations = {} } = secret.metadata ?? {};
      const uid = account?.metadata?.uid ?? "";
      if (!account || (annotations[ACCOUNT_UID] && annotations[ACCOUNT_UID] !== uid))
        return [{ do: "delete", kind: Secret, namespace, name, uid: secretUid }];
      const { data = {} } = secret;
      const authority = btoa(ca);
      if (data.token && data.namespace && data["ca.crt"] === authority) return [];
      const claims: LegacyToken = { namespace, secret: name, account: accountOf(secret), uid };
      const token = data.token || encoded(sign(key, `${secretUid} ${uid}`, claims));
      if (!token) return [];
      const filled: Secret = {
        ...secret,
        metadata: { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: uid } },
        data: { ...data, token, "ca.crt": authority, namespace: data.namespace || btoa(namespace) },
      };
      return [{ do: "update", kind: Secret, object: filled }];
    },
  };
}

const encoded = (token: string | undefined) => token && btoa(token);
