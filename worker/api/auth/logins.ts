/** Ways in that the deployment names, the same for each of its clusters: static tokens and issuers of ID tokens. */
import { type AuthenticationConfig, NO_ISSUERS, readAuthenticationConfig } from "../../lib/authentication-config.ts";
import { readTokenFile } from "../../lib/token-file.ts";
import type { User } from "../request.ts";
import { sha256 } from "./authenticate.ts";
import type { Fetcher } from "./oidc/issuer-keys.ts";
import { Issuers } from "./oidc/issuers.ts";

export type Logins = {
  /** By the hash of the token: what is compared tells nothing of a token that comes close. */
  tokens: ReadonlyMap<string, User>;
  issuers: Issuers;
  anonymous: AuthenticationConfig["anonymous"];
};

export type LoginSettings = { SKERRY_TOKENS?: string; SKERRY_AUTHENTICATION?: string };

export const NO_LOGINS: Logins = { tokens: new Map(), issuers: new Issuers([], notThere, () => 0), anonymous: "all" };

async function notThere(): Promise<string> {
  throw new Error("there is no way to it");
}

export type LoginParts = {
  fetch?: Fetcher | undefined;
  now(): number;
  /** Hears what is wrong with a setting. */
  report(setting: string, error: unknown): void;
};

/** A setting that cannot be read lets nobody in, and keeps out none of those whom others let in. */
export async function readLogins(
  settings: LoginSettings,
  { fetch = notThere, now, report }: LoginParts,
): Promise<Logins> {
  const read = <T>(setting: keyof LoginSettings, parse: (text: string) => T, absent: T, broken: T): T => {
    try {
      const text = settings[setting];
      return text ? parse(text) : absent;
    } catch (error) {
      report(setting, error);
      return broken;
    }
  };
  const tokens = read("SKERRY_TOKENS", readTokenFile, [], []);
  const nobody: AuthenticationConfig = { issuers: [], anonymous: [] };
  const parse = (text: string) => readAuthenticationConfig(JSON.parse(text));
  const { issuers, anonymous } = read("SKERRY_AUTHENTICATION", parse, NO_ISSUERS, nobody);
  const users = tokens.map(
    async ({ token, name, uid, groups }): Promise<[string, User]> => [
      await sha256(token),
      { name, groups: [...new Set([...groups, "system:authenticated"])], ...(uid && { uid }) },
    ],
  );
  return { tokens: new Map(await Promise.all(users)), issuers: new Issuers(issuers, fetch, now), anonymous };
}
