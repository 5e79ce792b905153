/** Logging in at an issuer of ID tokens, which the Worker asks for the page: `worker/edge/login.ts`. */
import { bytesOf, fromBase64Url } from "./base64url.ts";
import { statusOf } from "./client.ts";

/** How a login goes on when its token ends. `skew`: by how many ms the cluster's clock is ahead of this device's. */
export type Renewal = { issuer: string; refreshToken: string; skew: number };
/** `name` is what it is called to people. */
export type Issuer = { url: string; name: string };
/** `at` is when by the cluster's clock, in milliseconds since 1970. */
export type Given = { idToken: string; refreshToken?: string; at: number };
export type Endpoint = { authorizationEndpoint: string; clientId: string; scope: string };
type Exchange = { issuer: string } & (
  | { code: string; verifier: string; redirectUri: string }
  | { refreshToken: string }
);

/** None where the cluster knows none, or does not answer. */
export async function issuersOf(base: string): Promise<readonly Issuer[]> {
  const answer = await fetch(`${base}/ui/login`).catch(() => undefined);
  return answer?.ok ? ((await answer.json()) as { issuers: Issuer[] }).issuers : [];
}

export const endpointOf = (base: string, issuer: string): Promise<Endpoint> => post(base, { issuer });

export const exchange = (base: string, asked: Exchange): Promise<Given> => post(base, asked);

async function post<T>(base: string, body: object): Promise<T> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${base}/ui/login`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw statusOf(answer.status, await answer.text());
  return answer.json();
}

type Claims = { iss?: string; sub?: string; exp?: number; iat?: number; nonce?: string };

/** What a token says; whether that is true, the API knows. */
export function claimsOf(token: string): Claims {
  try {
    const [, payload = ""] = token.split(".");
    return JSON.parse(new TextDecoder().decode(bytesOf(fromBase64Url(payload)))) as Claims;
  } catch {
    return {};
  }
}

/** Whether a fifth of its time at most is left of a token. `now` in milliseconds since 1970. */
export function isEnding(token: string, now: number): boolean {
  const { exp, iat } = claimsOf(token);
  return exp !== undefined && exp - now / 1000 < (exp - (iat ?? exp - 300)) / 5;
}
