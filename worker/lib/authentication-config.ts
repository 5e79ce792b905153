/**
 * Who may log in beside the cluster's own credentials: issuers of OpenID Connect, and whether anyone may come without.
 * The form is kube-apiserver's AuthenticationConfiguration.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
import { claimExpression, type Expression, type Rule, userExpression } from "./authentication-expressions.ts";
import { errorText } from "./error-text.ts";

export type MappedClaim = { claim: string; prefix: string };

export type Issuer = {
  url: string;
  /** Where its configuration lies, when that is not below `url`. */
  discoveryUrl: string;
  /** Where its keys lie, where that is known without asking. */
  keysUrl: string | undefined;
  audiences: readonly string[];
  /** PEM; trusted beside the system's. Only where the control plane runs on one's own machine. */
  certificateAuthority: string | undefined;
  /** Names of JWS algorithms: RFC 7518. */
  algorithms: readonly string[];
  username: MappedClaim | Expression;
  groups: MappedClaim | Expression | undefined;
  uid: MappedClaim | Expression | undefined;
  extra: readonly { key: string; value: Expression }[];
  /** Claims that must be there, with this value, and expressions that must be true. */
  required: readonly ({ claim: string; value: string } | Rule)[];
  /** What must be true of the user. */
  userRules: readonly Rule[];
};

export type AuthenticationConfig = {
  issuers: readonly Issuer[];
  /** Paths that may be asked for without a credential: all of them, or those named. */
  anonymous: "all" | readonly string[];
};

export const NO_ISSUERS: AuthenticationConfig = { issuers: [], anonymous: "all" };

const GROUP = "apiserver.config.k8s.io/";
const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
/** https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/ */
const ACCESS = /^https:\/\/[^/]+\.cloudflareaccess\.com$/;
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

function compiled(make: (text: string) => Expression, value: unknown, field: string): Expression {
  const text = needed(value, field);
  try {
    return make(text);
  } catch (error) {
    return fail(field, errorText(error));
  }
}

function mapped(value: unknown, field: string): MappedClaim | Expression | undefined {
  const { claim, prefix, expression } = fieldsOf(value ?? {}, field, ["claim", "prefix", "expression"]);
  if (expression) {
    if (claim || prefix) fail(field, "expression excludes claim and prefix");
    return compiled(claimExpression, expression, `${field}.expression`);
  }
  if (!textOf(claim, `${field}.claim`)) return prefix ? fail(`${field}.claim`, "is required with a prefix") : undefined;
  if (prefix === undefined || prefix === null) fail(`${field}.prefix`, 'is required when claim is set; it may be ""');
  return { claim: textOf(claim, `${field}.claim`), prefix: textOf(prefix, `${field}.prefix`) };
}

function issuer(value: unknown, field: string): Issuer {
  const known = ["issuer", "claimMappings", "claimValidationRules", "userValidationRules", "signingAlgorithms"];
  const {
    issuer: named,
    claimMappings,
    claimValidationRules,
    userValidationRules,
    signingAlgorithms,
  } = fieldsOf(value, field, known);
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
  const { username, groups, uid, extra } = fieldsOf(claimMappings, mappings, ["username", "groups", "uid", "extra"]);
  const algorithms = listOf(signingAlgorithms, `${field}.signingAlgorithms`);
  for (const algorithm of algorithms)
    if (!ALGORITHMS.includes(String(algorithm)))
      fail(`${field}.signingAlgorithms`, `not one of ${ALGORITHMS.join(", ")}`);
  return {
    url: issuerUrl,
    discoveryUrl: discovery
      ? checkedUrl(discovery, `${at}.discoveryURL`)
      : `${issuerUrl.replace(/\/$/, "")}/.well-known/openid-configuration`,
    keysUrl: !discovery && ACCESS.test(issuerUrl) ? `${issuerUrl}/cdn-cgi/access/certs` : undefined,
    audiences: wanted,
    certificateAuthority: textOf(certificateAuthority, `${at}.certificateAuthority`) || undefined,
    algorithms: algorithms.length > 0 ? (algorithms as string[]) : ALGORITHMS,
    username: mapped(username, `${mappings}.username`) ?? fail(`${mappings}.username.claim`, "is required"),
    groups: mapped(groups, `${mappings}.groups`),
    uid: uidOf(uid, `${mappings}.uid`),
    extra: listOf(extra, `${mappings}.extra`).map((entry, i) => extraOf(entry, `${mappings}.extra[${i}]`)),
    required: listOf(claimValidationRules, `${field}.claimValidationRules`).map((rule, i) =>
      claimRule(rule, `${field}.claimValidationRules[${i}]`),
    ),
    userRules: listOf(userValidationRules, `${field}.userValidationRules`).map((rule, i) =>
      ruleOf(userExpression, rule, `${field}.userValidationRules[${i}]`),
    ),
  };
}

function uidOf(value: unknown, field: string): Issuer["uid"] {
  const { claim, expression } = fieldsOf(value ?? {}, field, ["claim", "expression"]);
  if (claim && expression) fail(field, "expression excludes claim");
  if (expression) return compiled(claimExpression, expression, `${field}.expression`);
  return claim ? { claim: textOf(claim, `${field}.claim`), prefix: "" } : undefined;
}

/** `example.com/key`: lower case, with a domain that is not Kubernetes' own. */
const EXTRA_KEY =
  /^(?!(?:[^/]+\.)?(?:kubernetes|k8s)\.io\/)[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[a-z0-9._~!$&'()*+,;=:@%-]+$/;

function extraOf(value: unknown, field: string): Issuer["extra"][number] {
  const { key, valueExpression } = fieldsOf(value, field, ["key", "valueExpression"]);
  if (!EXTRA_KEY.test(needed(key, `${field}.key`)))
    fail(`${field}.key`, "must be a lower-case path below a domain of yours");
  return { key: textOf(key, field), value: compiled(claimExpression, valueExpression, `${field}.valueExpression`) };
}

function ruleOf(make: (text: string) => Expression, value: unknown, field: string): Rule {
  const { expression, message } = fieldsOf(value, field, ["expression", "message"]);
  return { ...compiled(make, expression, `${field}.expression`), message: textOf(message, `${field}.message`) };
}

function claimRule(value: unknown, field: string): Issuer["required"][number] {
  if ((value as Fields | null)?.expression !== undefined) return ruleOf(claimExpression, value, field);
  const { claim, requiredValue } = fieldsOf(value, field, ["claim", "requiredValue"]);
  return { claim: needed(claim, `${field}.claim`), value: textOf(requiredValue, `${field}.requiredValue`) };
}

const mentions = (pattern: RegExp, values: readonly unknown[]) =>
  values.some((value) => pattern.test((value as Partial<Expression> | undefined)?.text ?? ""));

/** Who takes an address for a name must look whether it was verified. */
function checkEmail({ username, extra, required }: Issuer, field: string): void {
  if (!mentions(/claims\.email\b/, [username])) return;
  if (!mentions(/claims\.?\??\.?email_verified\b/, [username, ...extra.map(({ value }) => value), ...required]))
    fail(
      `${field}.claimMappings.username.expression`,
      "claims.email_verified must be used in it, in extra or in claimValidationRules when claims.email is",
    );
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
  for (const [i, entry] of issuers.entries()) checkEmail(entry, `jwt[${i}]`);
  const urls = issuers.map(({ url }) => url);
  for (const [i, url] of urls.entries())
    if (urls.indexOf(url) < i) fail(`jwt[${i}].issuer.url`, `${url} is named twice`);
  return { issuers, anonymous: anonymousPaths(anonymous) };
}
