/**
 * Joining: an administrator makes a join token, a machine turns it into its node's own credential. All secrets are
 * kept as hashes only; they are shown once.
 */

import type { Effects } from "../../lib/effects.ts";
import { JsonError, parseJson } from "../../lib/json.ts";
import { dnsSubdomainProblems } from "../../lib/names.ts";
import { ApiError, badRequest, invalid, invalidValue, notFound } from "../../lib/status.ts";
import type { Credential, Store } from "../../storage/store.ts";
import { sha256 } from "../auth/authenticate.ts";

const DEFAULT_TTL_SECONDS = 24 * 3600;
const MAX_TTL_SECONDS = 365 * 24 * 3600;
/** Characters of a token's hash that name it in lists. */
const ID_LENGTH = 12;

/** What a join token allows; kept as the credential's subject. */
type Terms = {
  /** Good for one node only. */
  once: boolean;
  /** May take the name of a node that lives. */
  replace: boolean;
};

export type JoinParts = { store: Store; effects: Effects; ca: string; caHash?: string | undefined };

type Secret = { token: string; hash: string };
/** 244 random bits. */
const random = (effects: Effects) => `${effects.uid()}${effects.uid()}`.replaceAll("-", "");

export async function newSecret(effects: Effects, prefix: string): Promise<Secret> {
  const token = `${prefix}:${random(effects)}`;
  return { token, hash: await sha256(token) };
}

function parse(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(body || "{}");
  } catch (error) {
    throw error instanceof JsonError ? badRequest(error.message) : error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw badRequest("a JSON object is expected");
  return value as Record<string, unknown>;
}

const isLive = (credential: Credential, now: number) => credential.expires === null || credential.expires > now;

/** `POST /skerry/tokens` {ttlSeconds?, once?, replace?} → the token, shown this once, and `caHash` where the server needs one to be known. */
export function createJoinToken({ store, effects, caHash }: JoinParts, body: string, secret: Secret): object {
  const { ttlSeconds = DEFAULT_TTL_SECONDS, once = false, replace = false } = parse(body);
  if (typeof ttlSeconds !== "number" || !(ttlSeconds > 0) || ttlSeconds > MAX_TTL_SECONDS)
    throw badRequest(`ttlSeconds must be a number above 0 and at most ${MAX_TTL_SECONDS}`);
  const expires = effects.now() + ttlSeconds * 1000;
  const terms: Terms = { once: once === true, replace: replace === true };
  store.credentials.add({ hash: secret.hash, kind: "join", subject: JSON.stringify(terms), expires });
  return {
    id: secret.hash.slice(0, ID_LENGTH),
    token: secret.token,
    ...(caHash !== undefined && { caHash }),
    ...terms,
    expires: new Date(expires).toISOString(),
  };
}

/** Drops what expired on the way. */
function liveJoinTokens({ store, effects }: JoinParts): Credential[] {
  const [live, dead] = [[] as Credential[], [] as Credential[]];
  for (const token of store.credentials.list("join")) (isLive(token, effects.now()) ? live : dead).push(token);
  for (const { hash } of dead) store.credentials.remove(hash);
  return live;
}

/** `GET /skerry/tokens`: what was made and still works, without the secrets. */
export function listJoinTokens(parts: JoinParts): object {
  return {
    items: liveJoinTokens(parts).map(({ hash, subject, expires }) => ({
      id: hash.slice(0, ID_LENGTH),
      ...(JSON.parse(subject) as Terms),
      expires: expires === null ? null : new Date(expires).toISOString(),
    })),
  };
}

/** `DELETE /skerry/tokens/ID`. */
export function revokeJoinToken(parts: JoinParts, id: string): object {
  const token = liveJoinTokens(parts).find(({ hash }) => hash.slice(0, ID_LENGTH) === id);
  if (!token) throw notFound({ group: "", resource: "tokens", name: id });
  parts.store.credentials.remove(token.hash);
  return { id };
}

/** `POST /skerry/join` {token, name} → the node's credential and the cluster's CA. `presented` is the token's hash. */
export function join({ store, effects, ca }: JoinParts, body: string, presented: string, secret: Secret): object {
  const { name } = parse(body);
  const now = effects.now();
  const token = store.credentials.find(presented);
  if (token?.kind !== "join" || !isLive(token, now))
    throw new ApiError(401, "Unauthorized", "the join token is unknown or has expired");
  if (typeof name !== "string" || name === "") throw badRequest("name is required");
  const problems = dnsSubdomainProblems(name);
  if (problems.length)
    throw invalid(
      { group: "", kind: "Node", name },
      problems.map((why) => invalidValue("name", name, why)),
    );
  const terms = JSON.parse(token.subject) as Terms;
  const former = store.credentials.of("node", name);
  const exists = store.get({ resource: "nodes", namespace: "", name }) !== undefined;
  if (exists && former.some((credential) => isLive(credential, now)) && !terms.replace)
    throw new ApiError(
      409,
      "AlreadyExists",
      `a machine named ${JSON.stringify(name)} has joined already: choose another name, delete that node, or use a token that allows replacing it`,
      { kind: "nodes", name },
    );
  for (const { hash } of former) store.credentials.remove(hash);
  if (terms.once) store.credentials.remove(token.hash);
  store.credentials.add({ hash: secret.hash, kind: "node", subject: name, expires: null });
  return { node: name, token: secret.token, ca };
}

/** The join token in a body, before the body is checked. */
export function joinTokenOf(body: string): string {
  const { token } = parse(body);
  if (typeof token !== "string") throw badRequest("token is required");
  return token;
}
