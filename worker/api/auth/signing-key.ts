/**
 * The key that signs ServiceAccount tokens: P-256, made at the cluster's first start and kept in its settings.
 * Signatures are checked at the asynchronous edge; what was verified once is remembered.
 */
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from "jose";
import type { Store } from "../../storage/store.ts";

export const SIGNING_KEY_SETTING = "serviceaccount.key";
/** Of ServiceAccount tokens: the API as pods reach it. */
export const ISSUER = "https://kubernetes.default.svc";
const ALGORITHM = "ES256";
/** Tokens whose signature is remembered as good; beyond it the oldest is forgotten. */
const REMEMBERED_TOKENS = 10_000;

/** The claims of a token that Kubernetes signed. https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
export type Claims = {
  iss: string;
  sub: string;
  aud: string[];
  exp: number;
  iat: number;
  nbf: number;
  jti: string;
  "kubernetes.io": {
    namespace: string;
    serviceaccount: { name: string; uid: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
    node?: { name: string; uid?: string };
    /** Seconds since the epoch. */
    warnafter?: number;
  };
};

/** Those of a token in a Secret, which does not end: https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets */
export type LegacyClaims = {
  iss: "kubernetes/serviceaccount";
  sub: string;
  "kubernetes.io/serviceaccount/namespace": string;
  "kubernetes.io/serviceaccount/secret.name": string;
  "kubernetes.io/serviceaccount/service-account.name": string;
  "kubernetes.io/serviceaccount/service-account.uid": string;
};

export type SignedClaims = Claims | LegacyClaims;

export type SigningKey = {
  sign(claims: SignedClaims): Promise<string>;
  /** The claims of a token of this cluster, whatever its times and audiences; undefined for any other text. */
  verify(token: string): Promise<SignedClaims | undefined>;
  /** Why a text that says it is a token of this cluster is none; undefined for any other. */
  forgery(token: string): Promise<{ refused: string } | undefined>;
  /** For `/openid/v1/jwks`. */
  publicKey(): Promise<JWK>;
};

/** What jose signs and verifies with. */
type Key = Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>;

type Loaded = { privateKey: Key; publicKey: Key; publicJwk: JWK & { kid: string } };

async function load(store: Store): Promise<Loaded> {
  const saved = store.getSetting(SIGNING_KEY_SETTING);
  const jwk = saved ? (JSON.parse(saved) as JWK) : await create();
  // Another start of the same object may have saved one while this one made its own: the saved one counts.
  const winner = store.getSetting(SIGNING_KEY_SETTING);
  const used = winner ? (JSON.parse(winner) as JWK) : jwk;
  if (!winner) store.setSetting(SIGNING_KEY_SETTING, JSON.stringify(used));
  const { d: _, ...publicPart } = used;
  const publicJwk = { ...publicPart, use: "sig", alg: ALGORITHM, kid: await calculateJwkThumbprint(publicPart) };
  return {
    privateKey: (await importJWK(used, ALGORITHM)) as Key,
    publicKey: (await importJWK(publicPart, ALGORITHM)) as Key,
    publicJwk,
  };
}

async function create(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  return exportJWK(privateKey);
}

export function signingKey(store: Store): SigningKey {
  let loading: Promise<Loaded> | undefined;
  const key = () => {
    loading ??= load(store);
    return loading;
  };
  const verified = new Map<string, SignedClaims>();
  return {
    async sign(claims) {
      const { privateKey, publicJwk } = await key();
      return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: publicJwk.kid }).sign(privateKey);
    },
    async verify(token) {
      const known = verified.get(token);
      if (known) return known;
      if (token.split(".").length !== 3) return undefined;
      const { publicKey } = await key();
      // Times are checked against the cluster's own clock at each use, so here they must not decide.
      const result = await jwtVerify(token, publicKey, {
        algorithms: [ALGORITHM],
        currentDate: new Date(0),
        clockTolerance: Number.MAX_SAFE_INTEGER,
      }).catch(() => undefined);
      if (!result) return undefined;
      const claims = result.payload as unknown as SignedClaims;
      if (verified.size >= REMEMBERED_TOKENS) verified.delete(verified.keys().next().value as string);
      verified.set(token, claims);
      return claims;
    },
    async forgery(token) {
      try {
        if (decodeJwt(token).iss !== ISSUER) return undefined;
        const isOurKey = decodeProtectedHeader(token).kid === (await key()).publicJwk.kid;
        return {
          refused: isOurKey ? "go-jose/go-jose: error in cryptographic primitive" : "invalid signature, no keys found",
        };
      } catch {
        return undefined;
      }
    },
    async publicKey() {
      return (await key()).publicJwk;
    },
  };
}
