/** The deployment's secret: administrators' tokens derive from it, and the keys under which clusters are stored. */
import { SIGNING_KEY_SETTING } from "./api/auth/signing-key.ts";
import type { ClusterConfig } from "./lib/config.ts";
import { ApiError } from "./lib/status.ts";
import type { Encryption } from "./storage/encryption/data-keys.ts";

const MIN_SECRET_CHARACTERS = 24;

export const AUTHORITY_SETTING = "cluster.authority";
export const FRONT_PROXY_SETTING = "cluster.front-proxy";

/** Private keys of the cluster's own. */
const ENCRYPTED_SETTINGS = [AUTHORITY_SETTING, FRONT_PROXY_SETTING, SIGNING_KEY_SETTING];

/**
 * The present secret and, in lines below it, former ones, by which what is stored can still be read. With one that is
 * guessable, or none, anyone could make tokens.
 */
export function secretsOf({ SKERRY_SECRET: text }: { SKERRY_SECRET?: string }): [present: string, ...former: string[]] {
  const [present = "", ...former] = (text ?? "").split("\n").map((line) => line.trim());
  const isGood = (secret: string) => secret.length >= MIN_SECRET_CHARACTERS;
  if (isGood(present)) return [present, ...former.filter(isGood)];
  throw new ApiError(
    503,
    "ServiceUnavailable",
    `this deployment has no SKERRY_SECRET of at least ${MIN_SECRET_CHARACTERS} characters: use skerry deploy`,
  );
}

export const encryptionOf = (settings: { SKERRY_SECRET?: string }, config: ClusterConfig): Encryption => ({
  secrets: secretsOf(settings),
  resources: config.encryptedResources,
  settings: ENCRYPTED_SETTINGS,
});
