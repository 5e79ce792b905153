/**
 * Users who log in elsewhere: a token of a known issuer is checked here, before the request's turn, for signatures and
 * keys come asynchronously; its times count at each use.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens
 */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import type { Issuer } from "../../../lib/authentication-config.ts";
import { errorText } from "../../../lib/error-text.ts";
import type { User } from "../../request.ts";
import { quoted } from "../rules.ts";
import { userOfClaims } from "./claims.ts";
import { type Fetcher, IssuerKeys, type KeySet } from "./issuer-keys.ts";

/** Whom a credential stands for, between which times (ms), and what is said at others; or why for nobody. */
export type Login = { user: User; notBefore: number; expires: number; untimely: string } | { refused: string };

/** How far an issuer's clock may be ahead. */
const LEEWAY_MS = 5 * 60_000;

type Known = { issuer: Issuer; keys: IssuerKeys };

export class Issuers {
  readonly #known: ReadonlyMap<string, Known>;

  constructor(issuers: readonly Issuer[], fetch: Fetcher, now: () => number) {
    this.#known = new Map(issuers.map((issuer) => [issuer.url, { issuer, keys: new IssuerKeys(issuer, fetch, now) }]));
  }

  /** Whether a token claims to be from one of these issuers. */
  claims(token: string): boolean {
    return this.#known.size > 0 && this.#issuerOf(token) !== undefined;
  }

  /** Undefined for what is no token of these issuers. Never throws. */
  async login(token: string): Promise<Login | undefined> {
    const known = this.#known.size > 0 ? this.#issuerOf(token) : undefined;
    if (!known) return undefined;
    try {
      return await verified(known, token);
    } catch (error) {
      const why = reasonOf(error, known.issuer, token);
      return { refused: why.startsWith("oidc: ") ? why : `oidc: verify token: ${why}` };
    }
  }

  #issuerOf(token: string): Known | undefined {
    try {
      return this.#known.get(decodeJwt(token).iss ?? "");
    } catch {
      return undefined;
    }
  }
}

/** As kube-apiserver says it. */
function reasonOf(error: unknown, { audiences, algorithms }: Issuer, token: string): string {
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === "aud")
    return `oidc: verify token: oidc: expected audience in ${quoted(audiences)} got ${quoted([decodeJwt(token).aud ?? []].flat())}`;
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return "failed to verify signature: failed to verify id token signature";
  if (error instanceof errors.JOSEAlgNotAllowed)
    return `oidc: verify token: oidc: malformed jwt: go-jose/go-jose: unexpected signature algorithm ${JSON.stringify(decodeProtectedHeader(token).alg)}; expected ${quoted(algorithms)}`;
  return errorText(error);
}

async function verified({ issuer, keys }: Known, token: string): Promise<Login> {
  const current = await keys.current();
  const payload = await check(issuer, token, current).catch(async (error: unknown) => {
    const isUnknown =
      error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
    const renewed = isUnknown ? await keys.renewed() : undefined;
    if (!renewed) throw error;
    return check(issuer, token, renewed);
  });
  if (typeof payload.exp !== "number") throw new Error("the token never expires");
  return {
    user: userOfClaims(issuer, payload),
    notBefore: (payload.nbf ?? 0) * 1000 - LEEWAY_MS,
    expires: payload.exp * 1000,
    untimely: `oidc: verify token: oidc: token is expired (Token Expiry: ${goTime(payload.exp * 1000)})`,
  };
}

const goTime = (ms: number) =>
  new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " +0000 UTC");

async function check({ url, audiences, algorithms }: Issuer, token: string, keys: KeySet): Promise<JWTPayload> {
  const options = {
    issuer: url,
    audience: [...audiences],
    algorithms: [...algorithms],
    // Times are checked against the cluster's own clock at each use.
    currentDate: new Date(0),
    clockTolerance: Number.MAX_SAFE_INTEGER,
  };
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // The token names no key, and more than one could have signed it.
    for await (const key of error) {
      const result = await jwtVerify(token, key, options).catch((why: unknown) => {
        if (!(why instanceof errors.JWSSignatureVerificationFailed)) throw why;
      });
      if (result) return result.payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}
