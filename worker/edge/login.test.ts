import { expect, test } from "vitest";
import { badRequest } from "../lib/status.ts";
import { isLogin, openLogin } from "./login.ts";

const ISSUER = "https://issuer.example.com";
const authentication = JSON.stringify({
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  jwt: [
    {
      issuer: { url: ISSUER, audiences: ["page"] },
      claimMappings: { username: { claim: "sub", prefix: "" } },
    },
    {
      issuer: { url: "https://team.cloudflareaccess.com", audiences: ["tag"] },
      claimMappings: { username: { claim: "email", prefix: "" } },
    },
  ],
});
const configuration = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  scopes_supported: ["openid", "email", "offline_access"],
};

/** An issuer whose documents are these; what was sent to it. */
function issuerWith(documents: Record<string, object>) {
  const sent: string[] = [];
  const ask = async (url: string, _: number, form?: URLSearchParams) => {
    if (form) sent.push(`${url} ${form}`);
    const found = documents[url.slice(ISSUER.length)];
    if (!found) throw new Error(`${url} answered 404`);
    return JSON.stringify(found);
  };
  return { ask, sent };
}
const now = () => 5;
const KNOWN = "/.well-known/openid-configuration";

const post = (body: object, type = "application/json") =>
  new Request("https://host/ui/login", {
    method: "POST",
    headers: { "content-type": type },
    body: JSON.stringify(body),
  });

test("issuers are told by name, and nothing where there is none", async () => {
  const { ask } = issuerWith({});
  const got = await openLogin(new Request("https://host/ui/login"), authentication, ask, now);
  expect(await got.json()).toEqual({ issuers: [ISSUER] });
  expect(got.headers.get("cache-control")).toBe("no-store");
  for (const none of [undefined, JSON.stringify({ ...JSON.parse(authentication), jwt: [] })])
    await expect(openLogin(new Request("https://host/ui/login"), none, ask, now)).rejects.toMatchObject({ code: 404 });
  expect([isLogin("/ui/login"), isLogin("/ui/login/x"), isLogin("/ui/")]).toEqual([true, false, false]);
});

test("the browser is sent where the issuer says, for what it has", async () => {
  const { ask } = issuerWith({ [KNOWN]: configuration });
  expect(await (await openLogin(post({ issuer: ISSUER }), authentication, ask, now)).json()).toEqual({
    authorizationEndpoint: `${ISSUER}/authorize`,
    clientId: "page",
    scope: "openid email offline_access",
    at: 5,
  });
});

test("a code and a former login are exchanged for tokens", async () => {
  const { ask, sent } = issuerWith({ [KNOWN]: configuration, "/token": { id_token: "i", access_token: "a" } });
  const exchange = async (body: object) =>
    (await openLogin(post({ issuer: ISSUER, ...body }), authentication, ask, now)).json();
  expect(await exchange({ code: "c", verifier: "v", redirectUri: "https://host/ui/" })).toEqual({
    idToken: "i",
    at: 5,
  });
  expect(await exchange({ refreshToken: "r" })).toEqual({ idToken: "i", refreshToken: "r", at: 5 });
  expect(sent).toEqual([
    `${ISSUER}/token grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=https%3A%2F%2Fhost%2Fui%2F&client_id=page`,
    `${ISSUER}/token grant_type=refresh_token&refresh_token=r&client_id=page`,
  ]);
});

test.each([
  ["another issuer than the cluster's", post({ issuer: "https://evil.example.com" }), {}, 400],
  ["what another origin's page may send", post({ issuer: ISSUER }, "text/plain"), {}, 400],
  ["what is no JSON", new Request(post({}), { body: "{", method: "POST" }), {}, 400],
  ["a configuration of somebody else", post({ issuer: ISSUER }), { [KNOWN]: { ...configuration, issuer: "x" } }, 502],
  [
    "an endpoint in the clear",
    post({ issuer: ISSUER }),
    { [KNOWN]: { ...configuration, authorization_endpoint: "http://x" } },
    502,
  ],
  ["an issuer that gives nothing", post({ issuer: ISSUER, code: "c" }), { [KNOWN]: configuration, "/token": {} }, 502],
  ["an issuer that is away", post({ issuer: ISSUER }), {}, 502],
])("%s is refused", async (_, request, documents, code) => {
  await expect(openLogin(request, authentication, issuerWith(documents).ask, now)).rejects.toMatchObject({ code });
});

test("what the issuer refuses for good is told as that", async () => {
  const ask = async (_: string, __: number, form?: URLSearchParams) => {
    if (form) throw badRequest("invalid_grant");
    return JSON.stringify(configuration);
  };
  await expect(openLogin(post({ issuer: ISSUER, refreshToken: "r" }), authentication, ask, now)).rejects.toMatchObject({
    code: 400,
    message: `the issuer ${ISSUER}: invalid_grant`,
  });
});
