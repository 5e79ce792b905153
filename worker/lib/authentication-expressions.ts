/**
 * Expressions of an AuthenticationConfiguration: over the claims of an ID token, and over the user made of them.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
 */
import { KUBERNETES } from "./cel/library/kubernetes.ts";
import { compile, type Program } from "./cel/program.ts";
import { DYN, listOf, mapOf, STRING, structType, type Type } from "./cel/types.ts";
import { celValue } from "./cel/values.ts";

export type Expression = { text: string; program: Program };
/** An expression that must be true, and what is said where it is not. */
export type Rule = Expression & { message: string };

const USER_INFO = "kubernetes.UserInfo";
const FIELDS: Readonly<Record<string, Type>> = {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
};

const OVER_CLAIMS = KUBERNETES.with({ claims: mapOf(STRING, DYN) });
const OVER_USER = KUBERNETES.with(
  { user: structType(USER_INFO) },
  {
    hasType: (name) => name === USER_INFO,
    field: (type, field) => (type === USER_INFO && Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined),
  },
);

/** Throws what is wrong with it. */
export const claimExpression = (text: string): Expression => ({ text, program: compile(OVER_CLAIMS, text) });
export const userExpression = (text: string): Expression => ({ text, program: compile(OVER_USER, text) });

/** The value as JSON has it. Throws why there is none. */
export const ofClaims = ({ program }: Expression, claims: object): unknown =>
  program.evaluate({ claims: celValue(claims) });

export const ofUser = ({ program }: Expression, user: object): unknown => program.evaluate({ user: celValue(user) });
