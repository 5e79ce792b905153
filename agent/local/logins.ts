/** Ways in beside the administrator's, as kube-apiserver's flags name them, read and checked before anything starts. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type AuthenticationConfig, readAuthenticationConfig } from "../../worker/lib/authentication-config.ts";
import { readLoginClients } from "../../worker/lib/login-clients.ts";
import { readTokenFile } from "../../worker/lib/token-file.ts";

/** https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ */
export type LoginOptions = {
  tokenAuthFile?: string;
  authenticationConfig?: string;
  oidcIssuerUrl?: string;
  oidcClientId?: string;
  oidcUsernameClaim?: string;
  oidcUsernamePrefix?: string;
  oidcGroupsClaim?: string;
  oidcGroupsPrefix?: string;
  /** Each `claim=value`. */
  oidcRequiredClaim?: readonly string[];
  oidcCaFile?: string;
  loginClients?: string;
  /** Joined by commas. */
  oidcSigningAlgs?: string;
};

/** What the Worker is given: see `worker/env.ts`. */
export type LoginSettings = {
  tokens?: string;
  authentication?: string;
  loginClients?: string;
  /** PEMs of what issuers are trusted by, beside the system's authorities; undefined where there is no issuer. */
  issuerAuthorities?: readonly string[];
};

/** Throws what is wrong with the files and flags. */
export function readLoginSettings(options: LoginOptions): LoginSettings {
  const { tokenAuthFile, authenticationConfig, oidcIssuerUrl, oidcClientId } = options;
  const tokens = tokenAuthFile && readFileSync(tokenAuthFile, "utf8");
  if (tokens) readTokenFile(tokens);
  if (oidcIssuerUrl && !oidcClientId) throw new Error("--oidc-issuer-url needs --oidc-client-id");
  if (oidcClientId && !oidcIssuerUrl) throw new Error("--oidc-client-id needs --oidc-issuer-url");
  if (oidcIssuerUrl && authenticationConfig)
    throw new Error("--authentication-config and the --oidc flags exclude each other");
  const document: unknown = authenticationConfig
    ? parse(readFileSync(authenticationConfig, "utf8"))
    : oidcIssuerUrl && fromFlags(options);
  const config = document ? readAuthenticationConfig(document) : undefined;
  if (options.loginClients && !config) throw new Error("--login-clients needs an issuer: --oidc-issuer-url or others");
  const clients =
    options.loginClients &&
    readLoginClients(parse(readFileSync(options.loginClients, "utf8")), config ?? { issuers: [] });
  return {
    ...(clients && { loginClients: JSON.stringify(clients) }),
    ...(tokens && { tokens }),
    ...(config && { authentication: JSON.stringify(document) }),
    ...(config?.issuers.length && { issuerAuthorities: authoritiesOf(config) }),
  };
}

const authoritiesOf = ({ issuers }: AuthenticationConfig) =>
  issuers.flatMap(({ certificateAuthority }) => certificateAuthority ?? []);

function fromFlags(options: LoginOptions): object {
  const { oidcIssuerUrl: url = "", oidcClientId, oidcCaFile, oidcUsernameClaim: claim = "sub" } = options;
  const { oidcGroupsClaim, oidcGroupsPrefix = "", oidcRequiredClaim = [], oidcSigningAlgs = "RS256" } = options;
  const { oidcUsernamePrefix = claim === "email" ? "" : `${url}#` } = options;
  return {
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "AuthenticationConfiguration",
    jwt: [
      {
        issuer: {
          url,
          audiences: [oidcClientId],
          ...(oidcCaFile && { certificateAuthority: readFileSync(oidcCaFile, "utf8") }),
        },
        claimMappings: {
          username: { claim, prefix: oidcUsernamePrefix === "-" ? "" : oidcUsernamePrefix },
          ...(oidcGroupsClaim && { groups: { claim: oidcGroupsClaim, prefix: oidcGroupsPrefix } }),
        },
        claimValidationRules: oidcRequiredClaim.map((pair) => {
          const [, name, requiredValue] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
          if (!name) throw new Error(`--oidc-required-claim ${pair}: claim=value is expected`);
          return { claim: name, requiredValue };
        }),
        signingAlgorithms: oidcSigningAlgs.split(",").map((name) => name.trim()),
      },
    ],
  };
}
