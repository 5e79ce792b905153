/** From the claims of an ID token to the user that they stand for. */
import type { Issuer } from "../../../lib/authentication-config.ts";
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

function groupsOf(claims: IdClaims, { claim, prefix }: NonNullable<Issuer["groups"]>): string[] {
  const value = claims[claim] ?? [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((group) =>
    typeof group === "string" ? prefix + group : fail(`parse groups claim ${JSON.stringify(claim)}: not a string`),
  );
}

/** Throws why the claims make no user of the cluster. */
export function userOfClaims(issuer: Issuer, claims: IdClaims): User {
  const { claim, prefix } = issuer.username;
  const name = textOf(claims, claim, "username claims");
  if (name === "") fail("the username is empty");
  if (claim === "email" && (claims.email_verified ?? true) !== true) fail("email not verified");
  const groups = issuer.groups ? groupsOf(claims, issuer.groups) : [];
  const uid = issuer.uid ? textOf(claims, issuer.uid, "uid claim") : "";
  for (const { claim, value } of issuer.required)
    if (claims[claim] === undefined) fail(`required claim ${claim} not present in ID token`);
    else if (claims[claim] !== value) fail(`required claim ${claim} value does not match`);
  const { jti } = claims;
  return {
    name: prefix + name,
    groups: [...new Set([...groups, "system:authenticated"])],
    ...(uid && { uid }),
    ...(typeof jti === "string" && jti && { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] } }),
  };
}
