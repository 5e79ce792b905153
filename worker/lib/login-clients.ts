/** What the page logs in by at an issuer, beside what AuthenticationConfiguration says of it. */
import type { AuthenticationConfig } from "./authentication-config.ts";

export type LoginClient = {
  /** What the page calls the issuer. */
  name?: string;
  /** Of a confidential client: no browser is told it. */
  clientSecret?: string;
};
/** By the issuer's URL. */
export type LoginClients = Readonly<Record<string, LoginClient>>;

const FIELDS = ["name", "clientSecret"];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Throws an error that names what is wrong. `value` is the parsed document. */
export function readLoginClients(value: unknown, { issuers }: Pick<AuthenticationConfig, "issuers">): LoginClients {
  if (!isObject(value)) throw new Error("login clients: must be an object, by issuers' URLs");
  for (const [url, client] of Object.entries(value)) {
    if (!issuers.some((issuer) => issuer.url === url))
      throw new Error(`login clients: ${url} is no issuer of this cluster`);
    if (!isObject(client)) throw new Error(`login clients: ${url} must be an object`);
    for (const [field, text] of Object.entries(client)) {
      if (!FIELDS.includes(field)) throw new Error(`login clients: ${url}.${field} is not known`);
      if (typeof text !== "string" || text === "") throw new Error(`login clients: ${url}.${field} must be a text`);
    }
  }
  return value as LoginClients;
}
