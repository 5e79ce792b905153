import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readAuthenticationConfig } from "../../worker/lib/authentication-config.ts";
import { type LoginOptions, readLoginSettings } from "./logins.ts";

const folder = mkdtempSync(join(tmpdir(), "skerry-logins-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const oidc: LoginOptions = { oidcIssuerUrl: "https://accounts.example.com", oidcClientId: "kubectl" };
const issuerOf = (options: LoginOptions) => {
  const { authentication = "" } = readLoginSettings(options);
  return readAuthenticationConfig(JSON.parse(authentication)).issuers[0];
};

test("flags make an issuer with kube-apiserver's defaults", () => {
  expect(issuerOf(oidc)).toMatchObject({
    url: "https://accounts.example.com",
    discoveryUrl: "https://accounts.example.com/.well-known/openid-configuration",
    audiences: ["kubectl"],
    algorithms: ["RS256"],
    username: { claim: "sub", prefix: "https://accounts.example.com#" },
    groups: undefined,
    required: [],
  });
});

test.each([
  [{ oidcUsernameClaim: "email" }, { claim: "email", prefix: "" }],
  [{ oidcUsernamePrefix: "-" }, { claim: "sub", prefix: "" }],
  [
    { oidcUsernameClaim: "email", oidcUsernamePrefix: "o:" },
    { claim: "email", prefix: "o:" },
  ],
])("names as %j says", (more, username) => {
  expect(issuerOf({ ...oidc, ...more })?.username).toEqual(username);
});

test("groups, required claims, algorithms, and an authority that only the way to the issuer trusts", () => {
  const options = {
    ...oidc,
    oidcGroupsClaim: "roles",
    oidcGroupsPrefix: "o:",
    oidcRequiredClaim: ["hd=example.com", "tier=a=b"],
    oidcSigningAlgs: "RS256, ES256",
    oidcCaFile: file("ca.crt", "CA"),
  };
  expect(issuerOf(options)).toMatchObject({
    groups: { claim: "roles", prefix: "o:" },
    required: [
      { claim: "hd", value: "example.com" },
      { claim: "tier", value: "a=b" },
    ],
    algorithms: ["RS256", "ES256"],
  });
  expect(readLoginSettings(options).issuerAuthorities).toEqual(["CA"]);
  expect(readLoginSettings({ tokenAuthFile: file("tokens.csv", "a,b,c\n") })).toEqual({ tokens: "a,b,c\n" });
});

test.each([
  [{ oidcIssuerUrl: oidc.oidcIssuerUrl }, "--oidc-client-id"],
  [{ oidcClientId: "kubectl" }, "--oidc-issuer-url"],
  [{ ...oidc, oidcIssuerUrl: "http://accounts.example.com" }, "https"],
  [{ ...oidc, oidcRequiredClaim: ["hd"] }, "claim=value"],
  [{ ...oidc, oidcSigningAlgs: "HS256" }, "signingAlgorithms"],
  [{ ...oidc, authenticationConfig: "x" }, "exclude"],
  [{ authenticationConfig: file("wrong.yaml", "kind: Pod\n") }, "AuthenticationConfiguration"],
  [{ tokenAuthFile: file("short.csv", "a,b\n") }, "3 columns"],
  [{ tokenAuthFile: "/nowhere/tokens.csv" }, "ENOENT"],
])("what is wrong is said before anything starts: %j", (options, why) => {
  expect(() => readLoginSettings(options as LoginOptions)).toThrow(why);
});

test("what the page logs in by is of issuers that there are", () => {
  const url = "https://accounts.example.com";
  const clients = (text: string) => ({ ...oidc, loginClients: file("clients.yaml", text) });
  const { loginClients = "" } = readLoginSettings(clients(`${url}: { name: Home, clientSecret: secret }`));
  expect(JSON.parse(loginClients)).toEqual({ [url]: { name: "Home", clientSecret: "secret" } });
  for (const [text, why] of [
    ["https://x.example.com: {}", "https://x.example.com is no issuer of this cluster"],
    [`${url}: { secret: x }`, `${url}.secret is not known`],
    [`${url}: { clientSecret: 7 }`, `${url}.clientSecret must be a text`],
    [`${url}: x`, `${url} must be an object`],
    ["", "must be an object"],
  ] as const)
    expect(() => readLoginSettings(clients(text)), text).toThrow(why);
  expect(() => readLoginSettings({ loginClients: file("c.yaml", "{}") })).toThrow("--login-clients needs an issuer");
});
