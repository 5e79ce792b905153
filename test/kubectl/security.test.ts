/** Who gets in, as whom, and that nobody gets further: by tokens, certificates and ID tokens, against a whole control plane. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { effects } from "../../agent/effects.ts";
import { files } from "../../agent/local/home.ts";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { Client, type Got } from "../support/client.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { Issuer, makeKey } from "../support/issuer.ts";
import { checked } from "../support/programs.ts";

const JANE = "static-token-of-jane";
const REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const PODS = "/api/v1/namespaces/default/pods";

let folder: string;
let cluster: TestCluster;
let client: Client;
let issuer: Issuer;
let administrator: string;
/** All that must be told to nobody. */
const secrets = new Set<string>();
const key = await makeKey("RS256", "one");

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skerry-security-"));
  issuer = await Issuer.start(key);
  const tokens = join(folder, "tokens.csv");
  writeFileSync(tokens, `${JANE},jane,7,"devs,ops"\n`);
  const authentication = join(folder, "authentication.yaml");
  writeFileSync(authentication, stringify(configuration()));
  const logins = ["--token-auth-file", tokens, "--authentication-config", authentication];
  cluster = await TestCluster.start({ flags: ["--no-agent", "--client-certificates", ...logins] });
  const secret = readFileSync(files(cluster.home).secret, "utf8").trim();
  administrator = await administratorToken(secret, "default");
  for (const text of [secret, administrator, JANE]) secrets.add(text);
  client = new Client(`https://127.0.0.1:${cluster.port}`, readFileSync(files(cluster.home).caCertificate, "utf8"));
});
afterAll(async () => {
  client?.close();
  await cluster?.stop();
  issuer?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const configuration = () => ({
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AuthenticationConfiguration",
  jwt: [
    {
      issuer: { url: issuer.url, audiences: ["skerry"], certificateAuthority: issuer.ca },
      claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
    },
  ],
});

const ask = (method: string, path: string, token = "", headers: Record<string, string> = {}, body?: object) =>
  client.send({
    method,
    path,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
const messageOf = ({ text }: Got): string => (JSON.parse(text) as { message: string }).message;

/** The user's name, or the code of the refusal. */
async function who(token: string, headers: Record<string, string> = {}): Promise<string | number> {
  if (token) secrets.add(token);
  const { status, text } = await ask("POST", REVIEW, token, headers, {});
  if (status !== 201) return status;
  return (JSON.parse(text) as { status: { userInfo: { username: string } } }).status.userInfo.username;
}

describe("tokens", () => {
  test("a static token is its user, with its groups", async () => {
    const { text } = await ask("POST", REVIEW, JANE, {}, {});
    expect(JSON.parse(text).status.userInfo).toEqual({
      username: "jane",
      uid: "7",
      groups: ["devs", "ops", "system:authenticated"],
    });
    expect(await who(`${JANE}x`)).toBe(401);
    expect(await who(JANE.slice(1))).toBe(401);
  });

  test("an ID token of the issuer is its user, whichever header it comes in", async () => {
    const token = await issuer.sign(key, { groups: ["devs"] });
    expect(await who(token)).toBe("oidc:jane");
    expect(await who("", { "cf-access-jwt-assertion": token })).toBe("oidc:jane");
  });

  test("an ID token for others, of others, that ended, or that nobody signed is refused", async () => {
    const stranger = await makeKey("RS256", "one");
    const publicKey = JSON.stringify(await exportJWK(key.publicKey));
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const shared = await crypto.subtle.importKey("raw", new TextEncoder().encode(publicKey), hmac, false, ["sign"]);
    const [, payload] = (await issuer.sign(key)).split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    for (const token of [
      await issuer.sign(key, { aud: "other" }),
      await issuer.sign(key, { iss: "https://accounts.example.com" }),
      await issuer.sign(key, { exp: 1 }),
      await issuer.sign(stranger),
      await issuer.sign({ privateKey: shared, kid: "one", alg: "HS256" }),
      `${none}.${payload}.`,
    ])
      expect(await who(token)).toBe(401);
  });

  test("keys are rotated, and an issuer that hangs holds up nobody else", async () => {
    const next = await makeKey("ES256", "two");
    issuer.keys = [next];
    const token = await issuer.sign(next);
    await eventually("the new key counts", async () => (await who(token)) === "oidc:jane");
    issuer.hangs = true;
    const third = await makeKey("ES256", "three");
    const asked = issuer.asked;
    const refused: Promise<string | number>[] = [];
    let waiting = 0;
    const knock = async () => {
      const answer = who(await issuer.sign(third, { jti: String(refused.length) }));
      refused.push(answer);
      waiting++;
      void answer.finally(() => waiting--);
      await effects.sleep(50);
      return issuer.asked > asked;
    };
    await eventually("the issuer is asked again", knock);
    await eventually("others are answered while some wait", async () => {
      await knock();
      expect(await who(JANE)).toBe("jane");
      expect(await who(administrator)).toBe("kubernetes-admin");
      return waiting > 0;
    });
    expect(new Set(await Promise.all(refused))).toEqual(new Set([401]));
    expect(await who(token)).toBe("oidc:jane");
    issuer.hangs = false;
  });

  test("a ServiceAccount's token ends with what it is bound to, and with the account", async () => {
    await cluster.ok("create serviceaccount robot");
    await cluster.ok("create secret generic tie");
    const bound = (await cluster.ok("create token robot --bound-object-kind Secret --bound-object-name tie")).trim();
    const free = (await cluster.ok("create token robot")).trim();
    expect([await who(bound), await who(free)]).toEqual(Array(2).fill("system:serviceaccount:default:robot"));
    await cluster.ok("delete secret tie");
    expect([await who(bound), await who(free)]).toEqual([401, "system:serviceaccount:default:robot"]);
    await cluster.ok("delete serviceaccount robot");
    await cluster.ok("create serviceaccount robot");
    expect(await who(free)).toBe(401);
  });

  test("a Secret is filled with a token that does not end, but with the Secret", async () => {
    await cluster.apply(
      stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "kept", annotations: { "kubernetes.io/service-account.name": "robot" } },
        type: "kubernetes.io/service-account-token",
      }),
    );
    const read = async () => (await cluster.json<{ data?: { token?: string } }>("get secret kept")).data?.token;
    const token = atob(await eventually("the Secret is filled", read));
    expect(await who(token)).toBe("system:serviceaccount:default:robot");
    await cluster.ok("delete secret kept");
    expect(await who(token)).toBe(401);
  });
});

describe("certificates", () => {
  const openssl = (...args: string[]) => checked("openssl", args, { cwd: folder });
  const with_ = (name: string) => [
    "--client-certificate",
    join(folder, `${name}.crt`),
    "--client-key",
    join(folder, `${name}.key`),
  ];
  /** kubectl as whoever holds a certificate, and nothing of the administrator's. */
  const asArguments = (name: string, ...args: string[]) => [
    "--kubeconfig=/dev/null",
    `--server=https://127.0.0.1:${cluster.port}`,
    `--certificate-authority=${files(cluster.home).caCertificate}`,
    ...with_(name),
    ...args,
  ];
  const as = (name: string, ...args: string[]) => cluster.kubectl(asArguments(name, ...args));

  test("one that was asked for, approved and signed is a way in, until its rights are taken", async () => {
    const subject = ["-newkey", "rsa:2048", "-nodes", "-subj", "/O=crew/CN=ann"];
    await openssl("req", "-new", ...subject, "-keyout", "ann.key", "-out", "ann.csr");
    const request = readFileSync(join(folder, "ann.csr")).toString("base64");
    const signerName = "kubernetes.io/kube-apiserver-client";
    const spec = { request, signerName, usages: ["client auth"], expirationSeconds: 3600 };
    const kind = { apiVersion: "certificates.k8s.io/v1", kind: "CertificateSigningRequest" };
    await cluster.apply(stringify({ ...kind, metadata: { name: "ann" }, spec }));
    await cluster.ok("certificate approve ann");
    const read = async () =>
      (await cluster.json<{ status: { certificate?: string } }>("get csr ann")).status.certificate;
    writeFileSync(join(folder, "ann.crt"), Buffer.from(await eventually("it is signed", read), "base64"));
    expect((await as("ann", "auth", "whoami")).stdout).toMatch(
      /Username +ann[\s\S]*Groups +\[crew system:authenticated\]/,
    );
    expect((await as("ann", "get", "configmaps")).stderr).toContain('User "ann" cannot list resource "configmaps"');
    await cluster.ok("create rolebinding crew --clusterrole=edit --group=crew");
    expect((await as("ann", "create", "configmap", "hers")).code).toBe(0);
    const watching = cluster.follow(asArguments("ann", "get", "configmaps", "--watch"));
    await eventually("she watches", async () => watching.said().includes("hers"));
    await watching.stop();
    await cluster.ok("delete rolebinding crew");
    expect((await as("ann", "get", "configmaps")).stderr).toContain("Forbidden");
  });

  test("one that somebody else signed is refused, though it says whatever it likes", async () => {
    const subject = ["-newkey", "rsa:2048", "-nodes", "-subj", "/O=system:masters/CN=root"];
    await openssl("req", "-x509", ...subject, "-days", "2", "-keyout", "own.key", "-out", "own.crt");
    expect((await as("own", "get", "namespaces")).stderr).toContain("Unauthorized");
    expect((await as("own", "get", "namespaces", `--token=${administrator}`)).code).toBe(0);
  });

  test("one that is only told of is none", async () => {
    const der = (await openssl("x509", "-in", "ann.crt", "-outform", "PEM")).stdout;
    const shown = `:${der.replace(/-----[^-]+-----|\s/g, "")}:`;
    const cf = JSON.stringify({ tlsClientAuth: { certPresented: "1", certRevoked: "0", certRFC9440: shown } });
    const headers = { "x-skerry-certificate": shown, "x-skerry-cf": cf, "client-cert": shown, "x-client-cert": shown };
    expect(messageOf(await ask("GET", PODS, "", headers))).toContain('User "system:anonymous"');
  });
});

describe("what a client says of itself is not heard", () => {
  test.each([
    { "x-remote-user": "admin", "x-remote-group": "system:masters" },
    { "x-forwarded-user": "admin", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost" },
    { "cf-access-authenticated-user-email": "admin@example.com", "cf-connecting-ip": "127.0.0.1" },
    { "cf-access-jwt-assertion": "e30.e30.e30" },
    { "x-skerry-internal": "stream", "x-skerry-cluster": "other", "x-skerry-user": "admin" },
    { cookie: "CF_Authorization=e30.e30.e30" },
  ])("%j", async (headers) => {
    expect(messageOf(await ask("GET", PODS, "", headers as unknown as Record<string, string>))).toContain(
      'User "system:anonymous" cannot list resource "pods"',
    );
  });

  test.each([
    { "impersonate-user": "kubernetes-admin" },
    { "impersonate-user": "jane", "impersonate-group": "system:masters" },
    { "impersonate-user": "jane", "impersonate-uid": "0" },
    { "impersonate-user": "jane", "impersonate-extra-scopes": "all" },
    { "impersonate-group": "system:masters" },
  ])("nor whom it wants to be, without the right: %j", async (headers) => {
    for (const token of ["", JANE])
      expect([400, 403]).toContain(
        (await ask("GET", PODS, token, headers as unknown as Record<string, string>)).status,
      );
  });

  test("without a credential there is what says that the server lives, and no more", async () => {
    const codes = async (...paths: string[]) => Promise.all(paths.map(async (path) => (await ask("GET", path)).status));
    expect(await codes("/healthz", "/livez", "/readyz", "/version")).toEqual([200, 200, 200, 200]);
    const closed = [
      "/",
      "/api",
      "/apis",
      "/openapi/v2",
      "/metrics",
      "/openid/v1/jwks",
      "/skerry/tokens",
      "/skerry/backup",
    ];
    expect(await codes(...closed)).toEqual(closed.map(() => 403));
  });
});

describe("clusters of one deployment", () => {
  let other: string;
  beforeAll(async () => {
    const secret = readFileSync(files(cluster.home).secret, "utf8").trim();
    other = await administratorToken(secret, "other");
    secrets.add(other);
    expect((await ask("GET", "/clusters/other/api/v1/namespaces", other)).status).toBe(200);
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "only-here" } };
    expect((await ask("POST", "/clusters/other/api/v1/namespaces/default/configmaps", other, {}, body)).status).toBe(
      201,
    );
  });

  test("one's administrator is nobody in another, and in one that is not there", async () => {
    const codes = [
      await ask("GET", "/clusters/other/api/v1/namespaces", administrator),
      await ask("GET", "/api/v1/namespaces", other),
      await ask("GET", "/clusters/third/api/v1/namespaces", administrator),
      await ask("GET", "/clusters/third/healthz"),
    ].map(({ status }) => status);
    expect(codes).toEqual([401, 401, 401, 401]);
  });

  test("ServiceAccounts of the same name are different ones", async () => {
    const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    const mine = await ask("POST", path, administrator, {}, { spec: {} });
    const token = JSON.parse(mine.text).status.token as string;
    secrets.add(token);
    expect((await ask("POST", REVIEW, token, {}, {})).status).toBe(201);
    expect((await ask("POST", `/clusters/other${REVIEW}`, token, {}, {})).status).toBe(401);
  });

  test.each([
    "/clusters/other%2Fapi/v1/namespaces/default/configmaps/only-here",
    "/clusters%2Fother/api/v1/namespaces/default/configmaps/only-here",
    "/%63lusters/other/api/v1/namespaces/default/configmaps/only-here",
    "/clusters/default/../other/api/v1/namespaces/default/configmaps/only-here",
    "/clusters/default/%2e%2e/other/api/v1/namespaces/default/configmaps/only-here",
    "/api/../clusters/other/api/v1/namespaces/default/configmaps/only-here",
    "/api/v1/namespaces/default/configmaps/..%2f..%2f..%2f..%2f..%2fclusters/other",
    "//clusters/other/api/v1/namespaces/default/configmaps/only-here",
    "/clusters//other/api/v1/namespaces/default/configmaps/only-here",
    "/clusters/other\\..\\default/api/v1/namespaces/default/configmaps/only-here",
    "/clusters/OTHER/api/v1/namespaces/default/configmaps/only-here",
    "/clusters/other/clusters/default/api/v1/namespaces",
    "/clusters/default/clusters/other/api/v1/namespaces/default/configmaps/only-here",
  ])("no path leads from one into another: %s", async (path) => {
    const got = await ask("GET", path, administrator, { "x-skerry-cluster": "other" });
    expect(got.status).toBeGreaterThanOrEqual(400);
    expect(got.text).not.toContain('"uid"');
  });

  test("a body that names another namespace than its path is refused", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "kube-system" } };
    expect((await ask("POST", "/api/v1/namespaces/default/configmaps", administrator, {}, body)).status).toBe(400);
  });
});

describe("nodes' sockets", () => {
  const socket = {
    connection: "upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  const join_ = async (body: object) => ask("POST", "/skerry/join", "", {}, body);

  test("a join token is good for its node, once where it says so, and opens nothing itself", async () => {
    const minted = await ask("POST", "/skerry/tokens", administrator, {}, { once: true });
    const { token } = JSON.parse(minted.text) as { token: string };
    secrets.add(token);
    expect(await who(token)).toBe(401);
    expect((await ask("GET", "/link/one", token, socket)).status).toBe(401);
    const joined = await join_({ token, name: "one" });
    expect(joined.status).toBe(201);
    const credential = (JSON.parse(joined.text) as { token: string }).token;
    expect(await who(credential)).toBe("system:node:one");
    expect((await join_({ token, name: "two" })).status).toBe(401);
    const codes = [
      await ask("GET", "/link/one", "", socket),
      await ask("GET", "/link/two", credential, socket),
      await ask("GET", "/link/%6fne%2f..%2ftwo", credential, socket),
      await ask("GET", "/link/one", JANE, socket),
      await ask("GET", "/link/one", administrator, socket),
      await ask("GET", "/api/v1/secrets", credential),
      await ask("GET", "/api/v1/nodes/two", credential),
      await ask("POST", "/skerry/tokens", credential, {}, {}),
      await ask("GET", "/skerry/backup", credential),
    ].map(({ status }) => status);
    expect(codes).toEqual([403, 403, 403, 403, 403, 403, 403, 403, 403]);
  });

  test("a name that only looks like a node's is none", async () => {
    const headers = { "impersonate-user": "system:node:one" };
    expect((await ask("GET", "/api/v1/nodes/one", administrator, headers)).status).toBe(403);
  });

  test("a stream that was granted to nobody is met by nobody", async () => {
    const path = "/relay/one/00000000-0000-4000-8000-000000000000";
    expect((await ask("GET", path)).status).toBe(426);
    const codes = [
      await ask("GET", path, "", socket),
      await ask("GET", path, JANE, socket),
      await ask("GET", path, "unknown", socket),
      await ask("GET", `/clusters/other${path}`, administrator, socket),
    ].map(({ status }) => status);
    expect(codes).toEqual([403, 403, 401, 401]);
    const relays = readdirSync(join(files(cluster.home).storage, "skerry-relay"));
    expect(relays.filter((name) => !name.startsWith("metadata"))).toEqual([]);
  });
});

test("no secret is in a log, and none in an answer that refuses", async () => {
  for (const secret of [...secrets].slice(0, 20)) {
    const refused = await ask("GET", PODS, `${secret}x`, { "impersonate-user": "x" });
    expect(refused.status).toBe(401);
    expect(refused.text).not.toContain(secret.slice(0, 20));
  }
  const logs = join(cluster.home, "log");
  const said = readdirSync(logs)
    .map((name) => readFileSync(join(logs, name), "utf8"))
    .join("\n");
  for (const secret of secrets) expect(said.includes(secret)).toBe(false);
  expect(said).not.toMatch(/PRIVATE KEY|"d":/);
});
