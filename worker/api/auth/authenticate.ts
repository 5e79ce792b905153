/**
 * Who presents a token: the administrator, a ServiceAccount, a node, or a user whom the administrator or an issuer names. Hashes and
 * signatures are computed first, asynchronously; `identify` then decides against the store in the request's own turn.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/
 */
import type { Effects } from "../../lib/effects.ts";
import type { Reader, Store } from "../../storage/store.ts";
import type { User } from "../request.ts";
import { ADMINISTRATORS } from "./authorize.ts";
import type { Logins } from "./logins.ts";
import type { Login } from "./oidc/issuers.ts";
import { type Claims, ISSUER, type SigningKey } from "./signing-key.ts";

const quoted = (list: readonly string[]) => `[${list.map((text) => JSON.stringify(text)).join(" ")}]`;
const AUTHENTICATED = "system:authenticated";
const SERVICE_ACCOUNT = "system:serviceaccount:";
/** Seconds that a token's start may lie ahead of the cluster's clock. */
const LEEWAY_SECONDS = 60;

export const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const ADMINISTRATOR: User = { name: "kubernetes-admin", groups: [ADMINISTRATORS, AUTHENTICATED] };

/** A token, digested: its claims when this cluster signed it, whom it stands for when a known issuer did, else its hash. */
export type Presented = { hash: string; claims: Claims | undefined; login?: Login };

export type Identity = { user: User; audiences: readonly string[] };
type Known = Identity | { refused: string };

const INVALID = "invalid bearer token";

/** Hex of the SHA-256 of a text: how secrets are kept. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const PROTOCOL_TOKEN = "base64url.bearer.authorization.k8s.io.";

/** The bearer token of a request; browsers send it as a WebSocket subprotocol. */
export function bearerToken(headers: Headers): string | undefined {
  const [scheme, token] = (headers.get("authorization") ?? "").trim().split(" ");
  if (scheme?.toLowerCase() === "bearer" && token) return token;
  const protocols = (headers.get("sec-websocket-protocol") ?? "").split(",").map((part) => part.trim());
  const encoded = protocols.find((part) => part.startsWith(PROTOCOL_TOKEN))?.slice(PROTOCOL_TOKEN.length);
  if (!encoded) return undefined;
  try {
    return atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return encoded;
  }
}

export async function digest(key: SigningKey, { issuers }: Logins, token: string): Promise<Presented> {
  const claims = await key.verify(token);
  if (claims) return { hash: "", claims };
  const login = (await key.forgery(token)) ?? (await issuers.login(token));
  return login ? { hash: "", claims, login } : { hash: await sha256(token), claims };
}

export type Authentication = { store: Store; effects: Effects; adminTokenHash: string; logins: Logins };

/** The user behind a token, or why it is none. `audiences` are those that the asker accepts. */
export function identify(
  { store, effects, adminTokenHash, logins }: Authentication,
  { hash, claims, login }: Presented,
  audiences: readonly string[] = [ISSUER],
): Identity | { refused: string } {
  if (claims) return serviceAccount(store, claims, audiences, effects.now());
  const own = (user: User) => forThisApi(user, audiences);
  if (login) return loggedIn(login, effects.now(), own);
  if (hash === adminTokenHash) return own(ADMINISTRATOR);
  const known = logins.tokens.get(hash);
  if (known) return own(known);
  const credential = store.credentials.find(hash);
  if (!credential || (credential.expires !== null && credential.expires <= effects.now())) return { refused: INVALID };
  const user = CREDENTIAL_USERS[credential.kind]?.(credential.subject);
  return user ? own(user) : { refused: INVALID };
}

function loggedIn(login: Login, now: number, own: (user: User) => Known): Known {
  if ("refused" in login) return login;
  if (login.expires <= now) return { refused: "oidc: verify token: oidc: token is expired" };
  if (login.notBefore > now) return { refused: "oidc: verify token: oidc: the token is not valid yet" };
  return own(login.user);
}

/** What is signed elsewhere or not at all is for this API alone. */
const forThisApi = (user: User, asked: readonly string[]): Known =>
  asked.includes(ISSUER) ? { user, audiences: [ISSUER] } : { refused: INVALID };

/** Kinds of credentials that speak to the API, and whom their subject means. Join tokens are none. */
const CREDENTIAL_USERS: Readonly<Record<string, (subject: string) => User>> = {
  node: (subject) => ({ name: `system:node:${subject}`, groups: ["system:nodes", AUTHENTICATED] }),
  user: (subject) => {
    const { name, groups = [] } = JSON.parse(subject) as { name: string; groups?: string[] };
    return { name, groups: [...new Set([...groups, AUTHENTICATED])] };
  },
};

export const serviceAccountGroups = (namespace: string) => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
  AUTHENTICATED,
];

/** Namespace and name when a user's name is a ServiceAccount's. */
export function parseServiceAccount(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(SERVICE_ACCOUNT)) return undefined;
  const [namespace, name, ...rest] = userName.slice(SERVICE_ACCOUNT.length).split(":");
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

function serviceAccount(
  reader: Reader,
  claims: Claims,
  audiences: readonly string[],
  now: number,
): Identity | { refused: string } {
  const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
  const accepted = audiences.filter((audience) => claims.aud.includes(audience));
  if (claims.iss !== ISSUER || accepted.length === 0)
    return {
      refused: `token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(audiences)}`,
    };
  if (claims.exp * 1000 <= now) return { refused: "service account token has expired" };
  if (claims.nbf > now / 1000 + LEEWAY_SECONDS) return { refused: "service account token is not valid yet" };
  const lives = (resource: string, inNamespace: string, bound: { name: string; uid?: string } | undefined) =>
    !bound ||
    (bound.uid !== undefined && reader.get({ resource, namespace: inNamespace, name: bound.name })?.uid === bound.uid);
  if (!lives("serviceaccounts", namespace, serviceaccount))
    return { refused: "service account token has been invalidated" };
  if (!lives("pods", namespace, pod) || !lives("secrets", namespace, secret))
    return { refused: "service account token has been invalidated" };
  // With a pod, the node is only told; without one, the token lives as long as its node.
  if (!pod && !lives("nodes", "", node)) return { refused: "service account token has been invalidated" };
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
    user: {
      name: `${SERVICE_ACCOUNT}${namespace}:${serviceaccount.name}`,
      uid: serviceaccount.uid,
      groups: serviceAccountGroups(namespace),
      extra,
    },
    audiences: accepted,
  };
}
