/**
 * Who may log in beside the cluster's own credentials: issuers of OpenID Connect, and whether anyone may come without.
 * The form is kube-apiserver's AuthenticationConfiguration without its CEL expressions.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
export type MappedClaim = { claim: string; prefix: string };

export type Issuer = {
  url: string;
  /** Where its configuration lies, when that is not below `url`. */
  discoveryUrl: string;
  audiences: readonly string[];
  /** PEM; trusted beside the system's. Only where the control plane runs on one's own machine. */
  certificateAuthority: string | undefined;
  /** Names of JWS algorithms: RFC 7518. */
  algorithms: readonly string[];
  username: MappedClaim;
  groups: MappedClaim | undefined;
  uid: string | undefined;
  /** Claims that must be there, with this value. */
  required: readonly { claim: string; value: string }[];
};

export type AuthenticationConfig = {
  issuers: readonly Issuer[];
  /** Paths that may be asked for without a credential: all of them, or those named. */
  anonymous: "all" | readonly string[];
};

export const NO_ISSUERS: AuthenticationConfig = { issuers: [], anonymous: "all" };

const GROUP = "apiserver.config.k8s.io/";
const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
const ON_CLUSTER = "https://kubernetes.default.svc";

class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const fail = (field: string, why: string): never => {
  throw new ConfigError(`${field}: ${why}`);
};

type Fields = Record<string, unknown>;

/** An object with these fields at most: a misspelt rule must not be one that is not held. */
function fieldsOf(value: unknown, field: string, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(field, "must be an object");
  for (const name of Object.keys(value))
    if (!known.includes(name)) fail(`${field}.${name}`, "is not known, or not supported here");
  return value as Fields;
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : fail(field, "must be a list");
}

function textOf(value: unknown, field: string): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : fail(field, "must be a text");
}

const needed = (value: unknown, field: string): string => textOf(value, field) || fail(field, "is required");

function checkedUrl(text: string, field: string): string {
  const url = URL.canParse(text) ? new URL(text) : fail(field, "is no URL");
  if (url.protocol !== "https:") fail(field, "URL scheme must be https");
  if (url.username || url.password) fail(field, "URL must not contain a username or password");
  if (url.search || url.hash) fail(field, "URL must not contain a query or a fragment");
  return text;
}

function mapped(value: unknown, field: string): MappedClaim | undefined {
  const { claim, prefix } = fieldsOf(value ?? {}, field, ["claim", "prefix"]);
  if (!textOf(claim, `${field}.claim`)) return prefix ? fail(`${field}.claim`, "is required with a prefix") : undefined;
  if (prefix === undefined || prefix === null) fail(`${field}.prefix`, 'is required when claim is set; it may be ""');
  return { claim: textOf(claim, `${field}.claim`), prefix: textOf(prefix, `${field}.prefix`) };
}

function issuer(value: unknown, field: string): Issuer {
  const known = ["issuer", "claimMappings", "claimValidationRules", "signingAlgorithms"];
  const { issuer: named, claimMappings, claimValidationRules, signingAlgorithms } = fieldsOf(value, field, known);
  const at = `${field}.issuer`;
  const place = ["url", "discoveryURL", "audiences", "audienceMatchPolicy", "certificateAuthority"];
  const { url, discoveryURL, audiences, audienceMatchPolicy, certificateAuthority } = fieldsOf(named, at, place);
  const issuerUrl = checkedUrl(needed(url, `${at}.url`), `${at}.url`);
  if (issuerUrl === ON_CLUSTER) fail(`${at}.url`, "is the cluster's own issuer");
  const discovery = textOf(discoveryURL, `${at}.discoveryURL`);
  const wanted = listOf(audiences, `${at}.audiences`).map((audience, i) => needed(audience, `${at}.audiences[${i}]`));
  if (wanted.length === 0) fail(`${at}.audiences`, "at least one is required");
  const policy = textOf(audienceMatchPolicy, `${at}.audienceMatchPolicy`);
  if (policy ? policy !== "MatchAny" : wanted.length > 1)
    fail(`${at}.audienceMatchPolicy`, "must be MatchAny for multiple audiences");
  const mappings = `${field}.claimMappings`;
  const { username, groups, uid } = fieldsOf(claimMappings, mappings, ["username", "groups", "uid"]);
  const algorithms = listOf(signingAlgorithms, `${field}.signingAlgorithms`);
  for (const algorithm of algorithms)
    if (!ALGORITHMS.includes(String(algorithm)))
      fail(`${field}.signingAlgorithms`, `not one of ${ALGORITHMS.join(", ")}`);
  return {
    url: issuerUrl,
    discoveryUrl: discovery
      ? checkedUrl(discovery, `${at}.discoveryURL`)
      : `${issuerUrl.replace(/\/$/, "")}/.well-known/openid-configuration`,
    audiences: wanted,
    certificateAuthority: textOf(certificateAuthority, `${at}.certificateAuthority`) || undefined,
    algorithms: algorithms.length > 0 ? (algorithms as string[]) : ALGORITHMS,
    username: mapped(username, `${mappings}.username`) ?? fail(`${mappings}.username.claim`, "is required"),
    groups: mapped(groups, `${mappings}.groups`),
    uid: textOf(fieldsOf(uid ?? {}, `${mappings}.uid`, ["claim"]).claim, `${mappings}.uid.claim`) || undefined,
    required: listOf(claimValidationRules, `${field}.claimValidationRules`).map((rule, i) => {
      const where = `${field}.claimValidationRules[${i}]`;
      const { claim, requiredValue } = fieldsOf(rule, where, ["claim", "requiredValue"]);
      return { claim: needed(claim, `${where}.claim`), value: textOf(requiredValue, `${where}.requiredValue`) };
    }),
  };
}

function anonymousPaths(value: unknown): AuthenticationConfig["anonymous"] {
  if (value === undefined || value === null) return "all";
  const { enabled, conditions } = fieldsOf(value, "anonymous", ["enabled", "conditions"]);
  const paths = listOf(conditions, "anonymous.conditions").map((condition, i) => {
    const field = `anonymous.conditions[${i}]`;
    return needed(fieldsOf(condition, field, ["path"]).path, `${field}.path`);
  });
  if (enabled !== true) {
    if (paths.length > 0) fail("anonymous.conditions", "enabled should be set to true when conditions are defined");
    return [];
  }
  return paths.length > 0 ? paths : "all";
}

/** Throws an error that names the field which is wrong. `value` is the parsed document. */
export function readAuthenticationConfig(value: unknown): AuthenticationConfig {
  const { apiVersion, kind, jwt, anonymous } = fieldsOf(value, "authentication", [
    "apiVersion",
    "kind",
    "jwt",
    "anonymous",
  ]);
  if (kind !== "AuthenticationConfiguration" || !textOf(apiVersion, "apiVersion").startsWith(GROUP))
    fail("kind", `must be AuthenticationConfiguration of ${GROUP}v1`);
  const issuers = listOf(jwt, "jwt").map((entry, i) => issuer(entry, `jwt[${i}]`));
  const urls = issuers.map(({ url }) => url);
  for (const [i, url] of urls.entries())
    if (urls.indexOf(url) < i) fail(`jwt[${i}].issuer.url`, `${url} is named twice`);
  return { issuers, anonymous: anonymousPaths(anonymous) };
}
