import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { testCluster } from "../../testing/cluster.ts";
import { readLogins } from "../logins.ts";

const ISSUER = "https://accounts.example.com";
const ACCESS = "https://team.cloudflareaccess.com";
const MINUTE = 60;

type Key = Awaited<ReturnType<typeof generateKeyPair>> & { kid: string; alg: string };

async function keyOf(alg: string, kid: string): Promise<Key> {
  return { ...(await generateKeyPair(alg, { extractable: true })), kid, alg };
}

/** An issuer whose documents are in memory: what it publishes, how often it was asked, and whether it answers. */
class FakeIssuer {
  keys: readonly Key[] = [];
  asked = 0;
  answers: "yes" | "no" | "garbage" = "yes";

  readonly fetch = async (url: string): Promise<string> => {
    this.asked++;
    if (this.answers === "no") throw new Error("connection refused");
    if (this.answers === "garbage") return "<html>";
    if (url === `${ISSUER}/.well-known/openid-configuration`)
      return JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` });
    if (url !== `${ISSUER}/keys` && url !== `${ACCESS}/cdn-cgi/access/certs`) throw new Error(`nothing at ${url}`);
    const keys = this.keys.map(async ({ publicKey, kid, alg }) => ({
      ...(await exportJWK(publicKey)),
      kid,
      alg,
      use: "sig",
    }));
    return JSON.stringify({ keys: await Promise.all(keys) });
  };
}

const CONFIGURATION = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  jwt: [
    {
      issuer: { url: ISSUER, audiences: ["tag", "other-tag"], audienceMatchPolicy: "MatchAny" },
      claimMappings: { username: { claim: "email", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
      claimValidationRules: [{ claim: "hd", requiredValue: "example.com" }],
    },
  ],
};

async function prepared(configuration: object = CONFIGURATION) {
  const issuer = new FakeIssuer();
  const key = await keyOf("RS256", "one");
  issuer.keys = [key];
  const settings = {
    SKERRY_AUTHENTICATION: JSON.stringify(configuration),
    SKERRY_TOKENS: 'secret-token,jane,7,"devs,ops"\n',
  };
  const report = (setting: string, error: unknown) => {
    throw new Error(`${setting}: ${error}`);
  };
  const cluster = await testCluster({ logins: (now) => readLogins(settings, { fetch: issuer.fetch, now, report }) });
  const { ask, clock } = cluster;
  const claims = (more: object = {}) => {
    const now = Math.floor(clock.now / 1000);
    return {
      iss: ISSUER,
      aud: ["tag"],
      email: "jane@example.com",
      hd: "example.com",
      iat: now,
      exp: now + 5 * MINUTE,
      ...more,
    };
  };
  const sign = (more: object = {}, { privateKey, kid, alg }: Omit<Key, "publicKey"> = key) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg, kid }).sign(privateKey);
  const whoami = async (token: string, header = "authorization") => {
    const headers = { authorization: "", [header]: header === "authorization" ? `Bearer ${token}` : token };
    const { code, body } = await ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, headers);
    return { code, user: body.status?.userInfo };
  };
  return { ...cluster, issuer, key, claims, sign, whoami };
}

describe("a token of a known issuer", async () => {
  const { ask, sign, whoami, issuer, clock, key } = await prepared();

  test("is a user, with the prefixes that were asked for", async () => {
    const { code, user } = await whoami(
      await sign({ groups: ["devs", "system:masters"], jti: "4", email_verified: true }),
    );
    expect(code).toBe(201);
    expect(user).toEqual({
      username: "oidc:jane@example.com",
      groups: ["oidc:devs", "oidc:system:masters", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": ["JTI=4"] },
    });
  });

  test("may come in the header of Cloudflare Access, or be reviewed", async () => {
    const token = await sign({ aud: "other-tag" });
    expect((await whoami(token, "cf-access-jwt-assertion")).user.username).toBe("oidc:jane@example.com");
    const { body } = await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token } });
    expect(body.status).toMatchObject({ authenticated: true, user: { username: "oidc:jane@example.com" } });
  });

  test("that is none is reviewed with the reason", async () => {
    const review = async (token: string) =>
      (await ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token } })).body.status;
    const verify = "[invalid bearer token, oidc: verify token: ";
    expect(await review(await sign({ aud: "else" }))).toEqual({
      user: {},
      error: `${verify}oidc: expected audience in ["tag" "other-tag"] got ["else"]]`,
    });
    expect((await review(await sign({ exp: 1 }))).error).toBe(
      `${verify}oidc: token is expired (Token Expiry: 1970-01-01 00:00:01 +0000 UTC)]`,
    );
    expect((await review(await sign({}, await keyOf("RS256", "one")))).error).toBe(
      `${verify}failed to verify signature: failed to verify id token signature]`,
    );
    expect((await review(await sign({ email_verified: false }))).error).toBe(
      "[invalid bearer token, oidc: email not verified]",
    );
  });

  test("gives the rights of that user and no others", async () => {
    const headers = { authorization: `Bearer ${await sign({})}` };
    expect((await ask("GET", "/api/v1/secrets", undefined, headers)).body.message).toContain(
      'User "oidc:jane@example.com" cannot list resource "secrets"',
    );
  });

  test("one group may be a text", async () => {
    expect((await whoami(await sign({ groups: "devs" }))).user.groups).toContain("oidc:devs");
  });

  test("ends with its time, also when it was known before", async () => {
    const token = await sign({});
    expect((await whoami(token)).code).toBe(201);
    clock.now += 5 * MINUTE * 1000;
    expect((await whoami(token)).code).toBe(401);
  });

  const wrong: Record<string, object> = {
    "for another audience": { aud: ["else"] },
    "for no audience": { aud: undefined },
    "of another issuer": { iss: "https://evil.example" },
    "of one whose name only begins alike": { iss: `${ISSUER}/` },
    "from the future": { nbf: 4_000_000_000 },
    "without an end": { exp: undefined },
    "that ended": { exp: 1 },
    "whose address is not verified": { email_verified: false },
    "whose address is verified in words only": { email_verified: "true" },
    "without a name": { email: undefined },
    "with an empty name": { email: "" },
    "with a name that is a number": { email: 7 },
    "without a required claim": { hd: undefined },
    "with another value of one": { hd: "evil.example" },
    "with groups that are none": { groups: [{ a: 1 }] },
  };
  test.each(Object.entries(wrong))("one %s is refused", async (_, more) => {
    expect((await whoami(await sign(more))).code).toBe(401);
  });

  test("one that others signed, or nobody, is refused", async () => {
    const stranger = await keyOf("RS256", key.kid);
    expect((await whoami(await sign({}, stranger))).code).toBe(401);
    const [header, payload, signature] = (await sign({})).split(".") as [string, string, string];
    const encode = (value: object) =>
      btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    expect((await whoami(`${encode({ alg: "none" })}.${payload}.`)).code).toBe(401);
    expect((await whoami(`${header}.${payload}.`)).code).toBe(401);
    expect((await whoami(`${header}.${encode({ iss: ISSUER, aud: "tag" })}.${signature}`)).code).toBe(401);
  });

  test("the issuer's public key is no secret to sign with", async () => {
    const text = JSON.stringify(await exportJWK(key.publicKey));
    const privateKey = await crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode(text),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    expect((await whoami(await sign({}, { privateKey, kid: key.kid, alg: "HS256" }))).code).toBe(401);
  });

  test("a new key is fetched when a token names it, and forged names do not make the issuer be asked each time", async () => {
    clock.now += 60_000;
    const next = await keyOf("ES256", "two");
    issuer.keys = [key, next];
    expect((await whoami(await sign({}, next))).code).toBe(201);
    const asked = issuer.asked;
    for (let i = 0; i < 5; i++)
      expect((await whoami(await sign({ jti: String(i) }, { ...next, kid: `forged-${i}` }))).code).toBe(401);
    expect(issuer.asked).toBe(asked);
  });

  test("what a key signed that was taken away counts for minutes at most", async () => {
    clock.now += 60_000;
    const token = await sign({ exp: Math.floor(clock.now / 1000) + 3600 });
    expect((await whoami(token)).code).toBe(201);
    issuer.keys = [await keyOf("RS256", "three")];
    clock.now += 11 * MINUTE * 1000;
    await whoami(token); // has the keys looked at again
    clock.now += 11 * MINUTE * 1000;
    await expect.poll(async () => (await whoami(token)).code).toBe(401);
  });
});

describe("an issuer that fails", async () => {
  const { ask, sign, whoami, issuer, clock } = await prepared();

  test.each(["no", "garbage"] as const)(
    "keeps nobody else out, and is not asked by every request (%s)",
    async (answers) => {
      issuer.answers = answers;
      clock.now += 60_000;
      const asked = issuer.asked;
      for (let i = 0; i < 5; i++) expect((await whoami(await sign({ jti: String(i) }))).code).toBe(401);
      expect(issuer.asked).toBe(asked + 1);
      expect((await ask("GET", "/api/v1/namespaces")).code).toBe(200);
      expect((await whoami("secret-token")).user).toEqual({
        username: "jane",
        uid: "7",
        groups: ["devs", "ops", "system:authenticated"],
      });
    },
  );

  test("is believed again when it is back, and its keys outlive its next absence", async () => {
    issuer.answers = "yes";
    clock.now += 60_000;
    expect((await whoami(await sign({}))).code).toBe(201);
    issuer.answers = "no";
    clock.now += 60 * MINUTE * 1000;
    expect((await whoami(await sign({}))).code).toBe(201);
  });
});

test("Cloudflare Access needs no discovery, and tells who came through it", async () => {
  const { sign, whoami, issuer } = await prepared({
    ...CONFIGURATION,
    jwt: [
      {
        issuer: { url: ACCESS, audiences: ["tag"] },
        claimMappings: { username: { claim: "email", prefix: "" } },
      },
    ],
  });
  const token = await sign({ iss: ACCESS, aud: ["tag"] });
  expect((await whoami(token, "cf-access-jwt-assertion")).user.username).toBe("jane@example.com");
  expect(issuer.asked).toBe(1);
  expect((await whoami(await sign({ iss: ACCESS, aud: ["another-tag"] }), "cf-access-jwt-assertion")).code).toBe(401);
  // What comes from another team says nothing here.
  const other = await sign({ iss: "https://other.cloudflareaccess.com", aud: ["tag"] });
  expect((await whoami(other, "cf-access-jwt-assertion")).code).toBe(403);
});

describe("expressions", async () => {
  const { sign, whoami } = await prepared({
    ...CONFIGURATION,
    jwt: [
      {
        issuer: { url: ISSUER, audiences: ["tag"] },
        claimMappings: {
          username: { expression: "claims.email_verified ? 'mail:' + claims.email : ''" },
          groups: { expression: "claims.?roles.orValue([]).map(role, 'role:' + role)" },
          uid: { expression: "string(claims.number)" },
          extra: [{ key: "example.com/tenant", valueExpression: "claims.hd" }],
        },
        claimValidationRules: [{ expression: "claims.exp - claims.iat <= 86400", message: "lasts too long" }],
        userValidationRules: [
          { expression: "!user.username.startsWith('system:')", message: "reserved" },
          { expression: "user.groups.all(group, group != 'role:root')" },
        ],
      },
    ],
  });
  const mail = { email_verified: true, number: 7 };

  test("make the user", async () => {
    expect((await whoami(await sign({ ...mail, roles: ["a", "b"] }))).user).toEqual({
      username: "mail:jane@example.com",
      uid: "7",
      groups: ["role:a", "role:b", "system:authenticated"],
      extra: { "example.com/tenant": ["example.com"] },
    });
    expect((await whoami(await sign(mail))).user.groups).toEqual(["system:authenticated"]);
  });

  test.each([
    { ...mail, email_verified: false },
    { ...mail, number: undefined },
    { ...mail, roles: ["root"] },
    { ...mail, roles: 7 },
    { ...mail, hd: { a: 1 } },
    { ...mail, exp: 4_000_000_000 },
  ])("or refuse: %j", async (more) => {
    expect((await whoami(await sign(more))).code).toBe(401);
  });
});

describe("the configuration", () => {
  const jwt = CONFIGURATION.jwt[0];
  const wrong: Record<string, [object, string]> = {
    "another kind": [{ kind: "Pod" }, "kind"],
    "plain HTTP": [{ jwt: [{ ...jwt, issuer: { url: "http://a", audiences: ["a"] } }] }, "https"],
    "no audience": [{ jwt: [{ ...jwt, issuer: { url: ISSUER } }] }, "audiences"],
    "a rule that is none": [
      { jwt: [{ ...jwt, claimValidationRules: [{ expression: "claims.hd ==" }] }] },
      "expression",
    ],
    "a rule of what users have not": [
      { jwt: [{ ...jwt, userValidationRules: [{ expression: "user.name == ''" }] }] },
      "undefined field 'name'",
    ],
    "a field it does not know": [{ jwt: [{ ...jwt, claimValidationRule: [] }] }, "claimValidationRule"],
    "an address for a name, verified or not": [
      { jwt: [{ ...jwt, claimMappings: { username: { expression: "claims.email" } } }] },
      "claims.email_verified must be used",
    ],
    "a name without a prefix": [{ jwt: [{ ...jwt, claimMappings: { username: { claim: "sub" } } }] }, "prefix"],
    "the same issuer twice": [{ jwt: [jwt, jwt] }, "twice"],
    "the cluster's own": [
      { jwt: [{ ...jwt, issuer: { url: "https://kubernetes.default.svc", audiences: ["a"] } }] },
      "own",
    ],
  };
  test.each(Object.entries(wrong))("with %s is refused whole", async (_, [change, word]) => {
    const problems: unknown[] = [];
    const settings = { SKERRY_AUTHENTICATION: JSON.stringify({ ...CONFIGURATION, ...change }) };
    const logins = await readLogins(settings, { now: () => 0, report: (_, error) => problems.push(error) });
    expect(String(problems)).toContain(word);
    expect(logins.anonymous).toEqual([]);
  });

  test("may keep out whoever comes without a credential, but from some paths", async () => {
    const anonymous = { enabled: true, conditions: [{ path: "/livez" }] };
    const { ask } = await prepared({ ...CONFIGURATION, anonymous });
    const without = { authorization: "" };
    expect((await ask("GET", "/livez", undefined, without)).code).toBe(200);
    expect((await ask("GET", "/readyz", undefined, without)).code).toBe(401);
    expect((await ask("GET", "/api/v1/pods", undefined, without)).code).toBe(401);
  });
});
