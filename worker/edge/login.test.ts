import { expect, test } from "vitest";
import { badRequest } from "../lib/status.ts";
import { type Ask, isLogin, type LoginParts, openLogin as open, type Sent } from "./login.ts";

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
  const ask = async (url: string, _: number, { form, authorization }: Partial<Sent> = {}) => {
    if (form) sent.push(`${url} ${form}${authorization ? ` ${authorization}` : ""}`);
    const found = documents[url.slice(ISSUER.length)];
    if (!found) throw new Error(`${url} answered 404`);
    return JSON.stringify(found);
  };
  return { ask, sent };
}
/** A login by these settings; each knows of the issuer what its own `ask` says. */
const openLogin = (request: Request, given: string | undefined, ask: Ask, more: Partial<LoginParts> = {}) =>
  open(request, { authentication: given, clients: undefined, ask, now: () => 5, known: new Map(), ...more });
const KNOWN = "/.well-known/openid-configuration";

const post = (body: object, type = "application/json") =>
  new Request("https://host/ui/login", {
    method: "POST",
    headers: { "content-type": type },
    body: JSON.stringify(body),
  });

const CODE = { code: "c", verifier: "v".repeat(43), redirectUri: "https://host/ui/" };

test("issuers are told by name, and nothing where there is none", async () => {
  const { ask } = issuerWith({});
  const got = await openLogin(new Request("https://host/ui/login"), authentication, ask);
  expect(await got.json()).toEqual({ issuers: [{ url: ISSUER, name: "issuer.example.com" }] });
  expect(got.headers.get("cache-control")).toBe("no-store");
  for (const none of [undefined, JSON.stringify({ ...JSON.parse(authentication), jwt: [] })])
    await expect(openLogin(new Request("https://host/ui/login"), none, ask)).rejects.toMatchObject({ code: 404 });
  expect([isLogin("/ui/login"), isLogin("/ui/login/x"), isLogin("/ui/")]).toEqual([true, false, false]);
});

test("the browser is sent where the issuer says, for what it has", async () => {
  const { ask } = issuerWith({ [KNOWN]: configuration });
  expect(await (await openLogin(post({ issuer: ISSUER }), authentication, ask)).json()).toEqual({
    authorizationEndpoint: `${ISSUER}/authorize`,
    clientId: "page",
    scope: "openid email offline_access",
    at: 5,
  });
});

test("a code and a former login are exchanged for tokens", async () => {
  const { ask, sent } = issuerWith({ [KNOWN]: configuration, "/token": { id_token: "i", access_token: "a" } });
  const exchange = async (body: object) =>
    (await openLogin(post({ issuer: ISSUER, ...body }), authentication, ask)).json();
  expect(await exchange(CODE)).toEqual({ idToken: "i", at: 5 });
  expect(await exchange({ refreshToken: "r" })).toEqual({ idToken: "i", refreshToken: "r", at: 5 });
  expect(sent).toEqual([
    `${ISSUER}/token grant_type=authorization_code&code=c&code_verifier=${CODE.verifier}&redirect_uri=https%3A%2F%2Fhost%2Fui%2F&client_id=page`,
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
  ["an issuer that gives nothing", post({ issuer: ISSUER, ...CODE }), { [KNOWN]: configuration, "/token": {} }, 502],
  ["an issuer that is away", post({ issuer: ISSUER }), {}, 502],
])("%s is refused", async (_, request, documents, code) => {
  await expect(openLogin(request, authentication, issuerWith(documents).ask)).rejects.toMatchObject({ code });
});

test.each([
  ["no verifier", { verifier: undefined }],
  ["a short verifier", { verifier: "v".repeat(42) }],
  ["a verifier that is none", { verifier: `${CODE.verifier}&x` }],
  ["nowhere to come back to", { redirectUri: undefined }],
  ["another program's address", { redirectUri: "http://localhost:8000" }],
  ["another path", { redirectUri: "https://host/clusters/a/b/ui/" }],
  ["another host", { redirectUri: "https://host@evil.example.com/ui/" }],
])("of a code with %s the issuer does not hear", async (_, more) => {
  const { ask, sent } = issuerWith({ [KNOWN]: configuration, "/token": { id_token: "i" } });
  const clients = JSON.stringify({ [ISSUER]: { clientSecret: "a" } });
  const asked = openLogin(post({ issuer: ISSUER, ...CODE, ...more }), authentication, ask, { clients });
  await expect(asked).rejects.toMatchObject({ code: 400, message: expect.stringContaining("redirectUri") });
  expect(sent).toEqual([]);
});

test("a code of another cluster's page is taken at its own address, whatever its port there", async () => {
  const { ask, sent } = issuerWith({ [KNOWN]: configuration, "/token": { id_token: "i" } });
  const redirectUri = "https://host:8443/clusters/shore/ui/";
  await openLogin(post({ issuer: ISSUER, ...CODE, redirectUri }), authentication, ask);
  expect(sent.length).toBe(1);
});

test("what the issuer refuses for good is told as that", async () => {
  const ask = async (_: string, __: number, sent?: Sent) => {
    if (sent) throw badRequest("invalid_grant");
    return JSON.stringify(configuration);
  };
  await expect(openLogin(post({ issuer: ISSUER, refreshToken: "r" }), authentication, ask)).rejects.toMatchObject({
    code: 400,
    message: `the issuer ${ISSUER}: invalid_grant`,
  });
});

test("two issuers of one host are told apart, and a name goes before that", async () => {
  const issuers = [
    "https://id.example.com/realms/home",
    "https://id.example.com/realms/club",
    "https://other.example.com",
  ];
  const jwt = issuers.map((url) => ({ ...JSON.parse(authentication).jwt[0], issuer: { url, audiences: ["page"] } }));
  const given = JSON.stringify({ ...JSON.parse(authentication), jwt });
  const clients = JSON.stringify({ [issuers[2] ?? ""]: { name: "The others" } });
  const got = await openLogin(new Request("https://host/ui/login"), given, issuerWith({}).ask, { clients });
  expect(((await got.json()) as { issuers: { name: string }[] }).issuers.map(({ name }) => name)).toEqual([
    "id.example.com/realms/home",
    "id.example.com/realms/club",
    "The others",
  ]);
});

test.each([
  [undefined, "grant_type=refresh_token&refresh_token=r Basic cGFnZTphJTNBK2I="],
  [["client_secret_post", "client_secret_basic"], "grant_type=refresh_token&refresh_token=r Basic cGFnZTphJTNBK2I="],
  [["client_secret_post"], "grant_type=refresh_token&refresh_token=r&client_id=page&client_secret=a%3A+b"],
])("a confidential client's secret goes to the issuer alone, as it wants it: %s", async (ways, sentAs) => {
  const known = { ...configuration, ...(ways && { token_endpoint_auth_methods_supported: ways }) };
  const { ask, sent } = issuerWith({ [KNOWN]: known, "/token": { id_token: "i" } });
  const clients = JSON.stringify({ [ISSUER]: { clientSecret: "a: b" } });
  const texts = await Promise.all(
    [new Request("https://host/ui/login"), post({ issuer: ISSUER }), post({ issuer: ISSUER, refreshToken: "r" })].map(
      async (request) => (await openLogin(request, authentication, ask, { clients })).text(),
    ),
  );
  expect(texts.join()).not.toContain("a: b");
  expect(sent).toEqual([`${ISSUER}/token ${sentAs}`]);
});

test("an issuer is asked for its configuration once a minute, and again at once where it gave none", async () => {
  let [time, asked, isAway] = [0, 0, true];
  const ask = async () => {
    asked++;
    if (isAway) throw new Error("away");
    return JSON.stringify(configuration);
  };
  const more = { now: () => time, known: new Map() };
  const login = () => openLogin(post({ issuer: ISSUER }), authentication, ask, more);
  await expect(login()).rejects.toMatchObject({ code: 502 });
  isAway = false;
  for (time of [0, 59_999]) await login();
  expect(asked).toBe(2);
  time = 60_000;
  await login();
  expect(asked).toBe(3);
});
