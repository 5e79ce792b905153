/** From the claims of an ID token to the user that they stand for. */
import type { Issuer } from "../../../lib/authentication-config.ts";
import { type Expression, ofClaims, ofUser, type Rule } from "../../../lib/authentication-expressions.ts";
import { errorText } from "../../../lib/error-text.ts";
import type { User } from "../../request.ts";

/** Of https://openid.net/specs/openid-connect-core-1_0.html#IDToken, and whatever else the issuer says. */
export type IdClaims = Readonly<Record<string, unknown>>;

const fail = (why: string): never => {
  throw new Error(`oidc: ${why}`);
};

function textOf(claims: IdClaims, claim: string, what: string): string {
  const value = claims[claim];
  if (value === undefined) return fail(`parse ${what} ${JSON.stringify(claim)}: claim not present`);
  return typeof value === "string" ? value : fail(`parse ${what} ${JSON.stringify(claim)}: not a string`);
}

/** A text or several, as groups and extras may be; none where there is nothing. */
function textsOf(value: unknown, what: string): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value ?? []].flat();
  return list.map((text) => (typeof text === "string" ? text : fail(`${what}: not a string`)));
}

function evaluated(expression: Expression, claims: IdClaims, what: string): unknown {
  try {
    return ofClaims(expression, claims);
  } catch (error) {
    return fail(`error evaluating ${what} claim expression: ${errorText(error)}`);
  }
}

function nameOf({ username }: Issuer, claims: IdClaims): string {
  if ("program" in username) {
    const value = evaluated(username, claims, "username");
    if (typeof value !== "string")
      return fail("error evaluating username claim expression: username claim expression must return a string");
    return value || fail("empty username via CEL expression is not allowed");
  }
  const name = textOf(claims, username.claim, "username claims") || fail("the username is empty");
  if (username.claim === "email" && (claims.email_verified ?? true) !== true) fail("email not verified");
  return username.prefix + name;
}

function groupsOf({ groups }: Issuer, claims: IdClaims): string[] {
  if (!groups) return [];
  if ("program" in groups)
    return textsOf(evaluated(groups, claims, "group"), "error evaluating group claim expression");
  const { claim, prefix } = groups;
  return textsOf(claims[claim], `parse groups claim ${JSON.stringify(claim)}`).map((group) => prefix + group);
}

function uidOf({ uid }: Issuer, claims: IdClaims): string {
  if (!uid) return "";
  if (!("program" in uid)) return textOf(claims, uid.claim, "uid claim");
  const value = evaluated(uid, claims, "uid");
  return typeof value === "string"
    ? value
    : fail("error evaluating uid claim expression: uid claim expression must return a string");
}

function extraOf({ extra }: Issuer, claims: IdClaims): Record<string, string[]> {
  const { jti } = claims;
  const all: Record<string, string[]> =
    typeof jti === "string" && jti ? { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] } : {};
  for (const { key, value } of extra) {
    const texts = textsOf(evaluated(value, claims, "extra"), "error evaluating extra claim expression").filter(Boolean);
    if (texts.length > 0) all[key] = texts;
  }
  return all;
}

function hold(rules: readonly Rule[], value: (rule: Rule) => unknown, what: string): void {
  for (const rule of rules) {
    let isTrue = false;
    try {
      isTrue = value(rule) === true;
    } catch (error) {
      fail(`error evaluating ${what}: ${errorText(error)}`);
    }
    if (!isTrue) fail(`error evaluating ${what}: validation expression '${rule.text}' failed: ${rule.message}`);
  }
}

/** Throws why the claims make no user of the cluster. */
export function userOfClaims(issuer: Issuer, claims: IdClaims): User {
  const name = nameOf(issuer, claims);
  const groups = groupsOf(issuer, claims);
  const uid = uidOf(issuer, claims);
  const extra = extraOf(issuer, claims);
  for (const rule of issuer.required)
    if ("program" in rule) hold([rule], () => ofClaims(rule, claims), "claim validation expression");
    else if (claims[rule.claim] === undefined) fail(`required claim ${rule.claim} not present in ID token`);
    else if (claims[rule.claim] !== rule.value) fail(`required claim ${rule.claim} value does not match`);
  const seen = { username: name, uid, groups, extra };
  hold(issuer.userRules, (rule) => ofUser(rule, seen), "user info validation rule");
  return {
    name,
    groups: [...new Set([...groups, "system:authenticated"])],
    ...(uid && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}
