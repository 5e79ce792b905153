/**
 * Whom a token stands for that this cluster signed, and whether what it is bound to is still there.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
 */
import type { Reader, StoredObject } from "../../storage/store.ts";
import type { User } from "../request.ts";
import type { Known } from "./authenticate.ts";
import { quoted } from "./rules.ts";
import { type Claims, ISSUER, type LegacyClaims, type SignedClaims } from "./signing-key.ts";

const PREFIX = "system:serviceaccount:";
/** How far the clocks of a token's maker and of the cluster may be apart; and how long what is deleted still counts. */
const LEEWAY_MS = 60_000;

export const serviceAccountGroups = (namespace: string) => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
  "system:authenticated",
];

/** Namespace and name when a user's name is a ServiceAccount's. */
export function parseServiceAccount(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...rest] = userName.slice(PREFIX.length).split(":");
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

type Presentation = { audiences: readonly string[]; token: string | undefined; now: number };

export function serviceAccount(reader: Reader, claims: SignedClaims, presented: Presentation): Known {
  const isLegacy = !("kubernetes.io" in claims);
  const own = isLegacy ? [ISSUER] : claims.aud;
  const accepted = presented.audiences.filter((audience) => own.includes(audience));
  if (accepted.length === 0)
    return {
      refused: `token audiences ${quoted(own)} is invalid for the target audiences ${quoted(presented.audiences)}`,
    };
  const refused = isLegacy ? legacyProblem(reader, claims, presented) : boundProblem(reader, claims, presented.now);
  if (refused) return { refused };
  return { user: isLegacy ? legacyUser(claims) : boundUser(claims), audiences: accepted };
}

/** Parsed only where there is such a time in it. */
function deletedAt({ json }: StoredObject): number {
  if (!json.includes('"deletionTimestamp"')) return Number.POSITIVE_INFINITY;
  const { metadata } = JSON.parse(json) as { metadata?: { deletionTimestamp?: string } };
  return metadata?.deletionTimestamp ? Date.parse(metadata.deletionTimestamp) : Number.POSITIVE_INFINITY;
}

const INVALIDATED = "service account token has been invalidated";

function boundProblem(reader: Reader, { exp, nbf, ...claims }: Claims, now: number): string | undefined {
  const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
  if (exp * 1000 <= now) return "service account token has expired";
  if (nbf * 1000 > now + LEEWAY_MS) return "service account token is not valid yet";
  const account = reader.get({ resource: "serviceaccounts", namespace, name: serviceaccount.name });
  if (!account) return `serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`;
  if (account.uid !== serviceaccount.uid)
    return `service account UID (${account.uid}) does not match claim (${serviceaccount.uid})`;
  if (deletedAt(account) < now - LEEWAY_MS)
    return `service account ${namespace}/${serviceaccount.name} has been deleted`;
  const problem = (kind: string, inNamespace: string, bound: { name: string; uid?: string } | undefined) => {
    if (!bound) return undefined;
    const stored = reader.get({ resource: `${kind}s`, namespace: inNamespace, name: bound.name });
    if (!stored) return INVALIDATED;
    if (stored.uid !== bound.uid)
      return `${kind} UID (${stored.uid}) does not match service account ${kind} ref claim (${bound.uid})`;
    return deletedAt(stored) < now - LEEWAY_MS ? INVALIDATED : undefined;
  };
  // With a pod, the node is only told; without one, the token lives as long as its node.
  return (
    problem("secret", namespace, secret) ??
    problem("pod", namespace, pod) ??
    (pod ? undefined : problem("node", "", node))
  );
}

function boundUser(claims: Claims): User {
  const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
  const extra: Record<string, string[]> = { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] };
  if (pod) {
    extra["authentication.kubernetes.io/pod-name"] = [pod.name];
    extra["authentication.kubernetes.io/pod-uid"] = [pod.uid];
  }
  if (node) {
    extra["authentication.kubernetes.io/node-name"] = [node.name];
    if (node.uid) extra["authentication.kubernetes.io/node-uid"] = [node.uid];
  }
  return {
    name: `${PREFIX}${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: serviceAccountGroups(namespace),
    extra,
  };
}

const IN_SECRET = {
  namespace: "kubernetes.io/serviceaccount/namespace",
  secret: "kubernetes.io/serviceaccount/secret.name",
  account: "kubernetes.io/serviceaccount/service-account.name",
  uid: "kubernetes.io/serviceaccount/service-account.uid",
} as const;
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

/** A token that a Secret holds is good as long as that Secret holds it. */
function legacyProblem(reader: Reader, claims: LegacyClaims, { token }: Presentation): string | undefined {
  const namespace = claims[IN_SECRET.namespace];
  const [secretName, name, uid] = [claims[IN_SECRET.secret], claims[IN_SECRET.account], claims[IN_SECRET.uid]];
  const stored = reader.get({ resource: "secrets", namespace, name: secretName });
  if (!stored || deletedAt(stored) < Number.POSITIVE_INFINITY) return "Token has been invalidated";
  const secret = JSON.parse(stored.json) as {
    metadata?: { labels?: Record<string, string> };
    data?: { token?: string };
  };
  // Its signature is good already, so how it is compared tells nothing.
  if (!token || secret.data?.token !== btoa(token)) return "Token does not match server's copy";
  const account = reader.get({ resource: "serviceaccounts", namespace, name });
  if (!account) return `serviceaccounts ${JSON.stringify(name)} not found`;
  if (deletedAt(account) < Number.POSITIVE_INFINITY) return `ServiceAccount ${namespace}/${name} has been deleted`;
  if (account.uid !== uid) return `ServiceAccount UID (${account.uid}) does not match claim (${uid})`;
  if (secret.metadata?.labels?.[INVALID_SINCE])
    return `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`;
  return undefined;
}

function legacyUser(claims: LegacyClaims): User {
  const namespace = claims[IN_SECRET.namespace];
  return {
    name: `${PREFIX}${namespace}:${claims[IN_SECRET.account]}`,
    uid: claims[IN_SECRET.uid],
    groups: serviceAccountGroups(namespace),
  };
}

/** What a token says that a Secret is to hold. */
export const legacyClaims = (of: {
  namespace: string;
  secret: string;
  account: string;
  uid: string;
}): LegacyClaims => ({
  iss: "kubernetes/serviceaccount",
  [IN_SECRET.namespace]: of.namespace,
  [IN_SECRET.secret]: of.secret,
  [IN_SECRET.account]: of.account,
  [IN_SECRET.uid]: of.uid,
  sub: `${PREFIX}${of.namespace}:${of.account}`,
});
