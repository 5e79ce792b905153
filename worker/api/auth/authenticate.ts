/**
 * Who presents a token: the administrator, a ServiceAccount, a node, or a user whom the administrator or an issuer names. Hashes and
 * signatures are computed first, asynchronously; `identify` then decides against the store in the request's own turn.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/
 */
import { hex } from "../../lib/bytes.ts";
import type { Effects } from "../../lib/effects.ts";
import { PROTOCOL_TOKEN } from "../../lib/websocket.ts";
import type { Store } from "../../storage/store.ts";
import type { User } from "../request.ts";
import { ADMINISTRATORS } from "./authorize.ts";
import type { Logins } from "./logins.ts";
import type { Login } from "./oidc/issuers.ts";
import { serviceAccount } from "./service-accounts.ts";
import { ISSUER, type SignedClaims, type SigningKey } from "./signing-key.ts";

const AUTHENTICATED = "system:authenticated";

export const ANONYMOUS: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const ADMINISTRATOR: User = { name: "kubernetes-admin", groups: [ADMINISTRATORS, AUTHENTICATED] };

/** A token, digested: its claims when this cluster signed it, whom it stands for when a known issuer did, else its hash. */
export type Presented = { hash: string; claims: SignedClaims | undefined; token?: string; login?: Login };

export type Identity = { user: User; audiences: readonly string[] };
export type Known = Identity | { refused: string };

const INVALID = "invalid bearer token";

/** Hex of the SHA-256 of a text: how secrets are kept. */
export async function sha256(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

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
  if (claims) return { hash: "", claims, token };
  const login = (await key.forgery(token)) ?? (await issuers.login(token));
  return login ? { hash: "", claims, login } : { hash: await sha256(token), claims };
}

export type Authentication = { store: Store; effects: Effects; adminTokenHash: string; logins: Logins };

/** The user behind a token, or why it is none. `audiences` are those that the asker accepts. */
export function identify(
  { store, effects, adminTokenHash, logins }: Authentication,
  { hash, claims, token, login }: Presented,
  audiences: readonly string[] = [ISSUER],
): Identity | { refused: string } {
  if (claims) return serviceAccount(store, claims, { audiences, token, now: effects.now() });
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
  if (login.expires <= now || login.notBefore > now) return { refused: login.untimely };
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
