/** Bad input of every kind: the exact refusal, nothing written, nothing hung, and the server none the worse. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { importJWK, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { effects } from "../../agent/effects.ts";
import { SIGNING_KEY_SETTING } from "../../worker/api/auth/signing-key.ts";
import { KNOWN_FAULTS } from "../../worker/api/testing/known-faults.ts";
import { encryptionOf } from "../../worker/deployment-secret.ts";
import { administratorToken } from "../../worker/lib/administrator.ts";
import { DEFAULT_CONFIG } from "../../worker/lib/config.ts";
import { PROTOCOL_VERSION } from "../../worker/protocol/link.ts";
import { openSealing } from "../../worker/storage/encryption/open.ts";
import { Settings } from "../../worker/storage/settings.ts";
import type { Sql, SqlParameter } from "../../worker/storage/store.ts";
import { Client, type Got } from "../support/client.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { kubectls } from "../support/programs.ts";
import { calls, closing } from "./bad-input/agents.ts";
import { bodies } from "./bad-input/bodies.ts";
import { limits } from "./bad-input/limits.ts";
import { objects } from "./bad-input/objects.ts";
import { patches } from "./bad-input/patches.ts";
import { queries } from "./bad-input/queries.ts";
import { requests } from "./bad-input/requests.ts";
import { CONFIG_MAPS, configMap, type Row } from "./bad-input/row.ts";
import { specs } from "./bad-input/specs.ts";
import { identities, joins } from "./bad-input/tokens.ts";
import { BROKEN } from "./bad-input/typed.ts";

let cluster: TestCluster;
let client: Client;
let other: Client;
let workerd = 0;
const tokens: Record<string, string> = {};
const faults: string[] = [];

const bearer = (token: string | undefined): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

type Answer = { status: number; reason: string; message: string; body: Record<string, unknown> };

function read({ status, text }: Got): Answer {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // plain text
  }
  const said = body.kind === "Status" ? body : {};
  return { status, reason: String(said.reason ?? ""), message: String(said.message ?? text), body };
}

async function ask(row: Pick<Row, "ask" | "body" | "headers"> & { as?: string }, to: Client = client): Promise<Answer> {
  const space = row.ask.indexOf(" ");
  const { body } = row;
  const sent = body === undefined || typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const got = await to.send({
    method: row.ask.slice(0, space),
    path: row.ask.slice(space + 1),
    headers: {
      ...bearer(tokens[row.as ?? "admin"]),
      ...(sent === undefined ? {} : { "content-type": "application/json" }),
      ...row.headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  const answer = read(got);
  if (answer.status >= 500 && !KNOWN_FAULTS.test(got.text)) faults.push(`${row.ask.slice(0, 200)}: ${got.text}`);
  return answer;
}

async function must(row: Parameters<typeof ask>[0], to = client): Promise<Record<string, unknown>> {
  const answer = await ask(row, to);
  if (answer.status >= 300) throw new Error(`${row.ask}: ${answer.status} ${answer.message}`);
  return answer.body;
}

/** The revision of everything: it moves with every write anywhere. */
async function revision(): Promise<string> {
  const list = await must({ ask: `GET ${CONFIG_MAPS}` });
  return (list.metadata as { resourceVersion: string }).resourceVersion;
}

/** Waits until nothing moves by itself any more. */
async function atRest(): Promise<string> {
  let last = await revision();
  return eventually("the cluster is at rest", async () => {
    await effects.sleep(500);
    const now = await revision();
    const rests = now === last;
    last = now;
    return rests && now;
  });
}

const SECOND_MS = 1000;

/** A token that the cluster itself signed, with other claims: an hour over, say. */
async function forged(token: string, claims: object): Promise<string> {
  const folder = join(cluster.home, "storage/skerry-cluster");
  for (const name of readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))) {
    const database = new DatabaseSync(join(folder, name), { readOnly: true });
    const sql: Sql = {
      all: <Row>(text: string, ...parameters: SqlParameter[]) =>
        database.prepare(text).all(...(parameters as SQLInputValue[])) as Row[],
      run(text) {
        throw new Error(`who only looks has something to write: ${text}`);
      },
      transaction: (body) => body(),
    };
    const [of] = sql.all<{ value: string | ArrayBuffer }>("SELECT value FROM settings WHERE name = 'cluster.name'");
    const secret = readFileSync(join(cluster.home, "secret"), "utf8").trim();
    const { sealing } = openSealing(sql, encryptionOf({ SKERRY_SECRET: secret }, DEFAULT_CONFIG));
    const key = of?.value === "default" ? new Settings(sql, sealing).get(SIGNING_KEY_SETTING) : undefined;
    database.close();
    if (key === undefined) continue;
    const own = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as object;
    const jwk = JSON.parse(key) as JWK;
    return new SignJWT({ ...own, ...claims }).setProtectedHeader({ alg: "ES256" }).sign(await importJWK(jwk, "ES256"));
  }
  throw new Error("the cluster's key is not found");
}

const tokenOf = (account: string, spec: object = {}, to = client) =>
  must({ ask: `POST /api/v1/namespaces/default/serviceaccounts/${account}/token`, body: { spec } }, to).then(
    (answer) => (answer.status as { token: string }).token,
  );

const joinToken = (terms: object = {}) =>
  must({ ask: "POST /skerry/tokens", body: terms }) as Promise<{ id: string; token: string }>;
const joined = async (token: string, name: string) =>
  String((await must({ ask: "POST /skerry/join", body: { token, name } })).token);

async function prepareObjects(): Promise<void> {
  await must({ ask: "POST /api/v1/namespaces", body: { metadata: { name: "bad" } } });
  await eventually("the namespace has its ServiceAccount", async () => {
    const { status } = await ask({ ask: "GET /api/v1/namespaces/bad/serviceaccounts/default" });
    return status === 200;
  });
  await must({ ask: `POST ${CONFIG_MAPS}`, body: configMap({ name: "a" }, { data: { k: "v" } }) });
  const container = { name: "c", image: "busybox:test" };
  await must({
    ask: "POST /api/v1/namespaces/bad/pods",
    body: { metadata: { name: "p" }, spec: { containers: [container] } },
  });
  await must({
    ask: "POST /api/v1/namespaces/bad/services",
    body: { metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } },
  });
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  await must({
    ask: "POST /apis/apps/v1/namespaces/bad/deployments",
    body: { metadata: { name: "web" }, spec: { replicas: 0, selector: { matchLabels: labels }, template } },
  });
}

async function prepareTokens(): Promise<void> {
  for (const name of ["gone", "stays"])
    await must({ ask: "POST /api/v1/namespaces/default/serviceaccounts", body: { metadata: { name } } });
  tokens.account = await tokenOf("stays");
  tokens.gone = await tokenOf("gone");
  await must({ ask: "DELETE /api/v1/namespaces/default/serviceaccounts/gone" });
  tokens.otherAudience = await tokenOf("stays", { audiences: ["elsewhere"] });
  const now = Math.floor(effects.now() / SECOND_MS);
  tokens.expired = await forged(tokens.account, { iat: now - 7200, nbf: now - 7200, exp: now - 3600 });
  tokens.early = await forged(tokens.account, { nbf: now + 3600, exp: now + 7200 });
  const secret = readFileSync(join(cluster.home, "secret"), "utf8").trim();
  tokens.otherAdmin = await administratorToken(secret, "other");
  const asOther = { as: "otherAdmin" };
  await must({ ask: "GET /api/v1/namespaces", ...asOther }, other);
  await must(
    { ask: "POST /api/v1/namespaces/default/serviceaccounts", body: { metadata: { name: "stays" } }, ...asOther },
    other,
  );
  const answer = await must(
    { ask: "POST /api/v1/namespaces/default/serviceaccounts/stays/token", body: { spec: {} }, ...asOther },
    other,
  );
  tokens.otherAccount = (answer.status as { token: string }).token;
  const reusable = await joinToken();
  tokens.join = reusable.token;
  tokens.ghost = await joined(reusable.token, "ghost");
  tokens.second = await joined(reusable.token, "second");
  await must({ ask: "POST /api/v1/nodes", as: "second", body: { metadata: { name: "second" } } });
  tokens.former = await joined(reusable.token, "former");
  await joined(reusable.token, "former");
  const revoked = await joinToken();
  await must({ ask: `DELETE /skerry/tokens/${revoked.id}` });
  tokens.revokedJoin = revoked.token;
  tokens.expiredJoin = (await joinToken({ ttlSeconds: 0.001 })).token;
  tokens.usedJoin = (await joinToken({ once: true })).token;
  await joined(tokens.usedJoin, "once");
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  tokens.unsigned = `${encode({ alg: "none" })}.${tokens.account.split(".")[1]}.`;
  tokens.tampered = tokens.account.replace(/\.[^.]+\./, `.${encode({ sub: "system:masters" })}.`);
  Object.assign(tokens, { garbage: "garbage", jwt: "a.b.c", long: "x".repeat(10_000), nobody: "" });
}

beforeAll(async () => {
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  const ca = readFileSync(join(cluster.home, "tls/ca.crt"), "utf8");
  client = new Client(`https://127.0.0.1:${cluster.port}`, ca);
  other = new Client(`https://127.0.0.1:${cluster.port}/clusters/other`, ca);
  tokens.admin = /token: "?([^\s"]+)/.exec(readFileSync(join(cluster.home, "kubeconfig"), "utf8"))?.[1] ?? "";
  workerd = cluster.pid("workerd");
  await prepareObjects();
  await prepareTokens();
});
afterAll(async () => {
  client?.close();
  other?.close();
  await cluster?.stop();
});

/** After each table: nothing was written, nothing broke, and the process is the same. */
function leavesNoTrace(): void {
  let before = "";
  beforeAll(async () => {
    before = await atRest();
  });
  test("and nothing was written, nothing was a fault of ours, and workerd is the one that started", async () => {
    expect(await revision()).toBe(before);
    expect(faults).toEqual([]);
    expect(cluster.pid("workerd")).toBe(workerd);
  });
}

const shown = ({ name, ...rest }: Row) => ({ name: name.slice(0, 80), row: { name, ...rest } });

async function isRefused(row: Row, to = client): Promise<void> {
  const { status, reason, message } = await ask(row, to);
  const said = message.length > 4000 ? `${message.slice(0, 4000)}…` : message;
  expect({ status, reason }, said).toEqual({ status: row.status, reason: row.reason });
  if (typeof row.message !== "string") expect(row.message.test(message), said).toBe(true);
  else if (message.length > 4000) expect(message === row.message, said).toBe(true);
  else expect(message).toBe(row.message);
}

const TABLES: Record<string, Row[]> = {
  ...bodies,
  ...limits,
  ...objects,
  specs,
  patches,
  queries,
  ...requests,
  identities,
};

describe.each(Object.entries(TABLES))("%s", (_, rows) => {
  test.each(rows.map(shown))("$name", ({ row }) => isRefused(row));
  leavesNoTrace();
});

describe("joins", () => {
  test.each(joins.map((row) => ({ ...row })))("$name", async ({ name, with: which, as, ...row }) => {
    const body = { token: tokens[which], name: as };
    await isRefused({ name, ask: "POST /skerry/join", body, ...row });
  });
  leavesNoTrace();
});

test("this cluster's tokens are nothing to another of the same deployment", async () => {
  for (const as of ["admin", "account", "ghost"])
    expect(await ask({ ask: "GET /api/v1/namespaces", as }, other)).toMatchObject({
      status: 401,
      reason: "Unauthorized",
    });
  expect(
    await ask(
      { ask: "GET /api", as: "admin" },
      new Client(
        `https://127.0.0.1:${cluster.port}/clusters/never-made`,
        readFileSync(join(cluster.home, "tls/ca.crt"), "utf8"),
      ),
    ),
  ).toMatchObject({ status: 401 });
});

describe("agents", () => {
  const open = (node: string, token: string | undefined) =>
    new WebSocket(`wss://127.0.0.1:${cluster.port}/link/${node}`, {
      ca: readFileSync(join(cluster.home, "tls/ca.crt"), "utf8"),
      headers: bearer(token),
      handshakeTimeout: 120_000,
    });
  const refusal = (socket: WebSocket) =>
    new Promise<number>((resolve, reject) => {
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
      socket.on("open", () => reject(new Error("it was let in")));
      socket.on("error", reject);
    });
  const closed = (socket: WebSocket) =>
    new Promise<{ code: number; reason: string }>((resolve, reject) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
      socket.on("error", reject);
    });

  test.each([
    ["nobody", "ghost", 403],
    ["garbage", "ghost", 401],
    ["join", "ghost", 401],
    ["former", "former", 401],
    ["second", "ghost", 403],
    ["account", "ghost", 403],
    ["otherAdmin", "ghost", 401],
    ["admin", "ghost", 403],
  ])("with the token of %s none is let in as %s: %i", async (as, node, code) => {
    expect(await refusal(open(node, tokens[as]))).toBe(code);
  });

  test("without an upgrade there is no socket", async () => {
    expect(await ask({ ask: "GET /link/ghost", as: "ghost" })).toMatchObject({ status: 426 });
  });

  test.each(closing)("$name closes the socket with $code", async ({ send, code, reason }) => {
    const socket = open("ghost", tokens.ghost);
    const end = closed(socket);
    socket.on("open", () => send.forEach((message) => void socket.send(message)));
    const got = await end;
    expect(got.code, got.reason).toBe(code);
    expect(got.reason).toMatch(
      typeof reason === "string" ? new RegExp(`^${reason.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : reason,
    );
  });

  test("a second connection of a node takes the place of the first", async () => {
    const first = open("ghost", tokens.ghost);
    const end = closed(first);
    await new Promise((resolve) => first.on("open", resolve));
    const next = open("ghost", tokens.ghost);
    expect(await end).toEqual({ code: 4409, reason: "replaced by a new connection" });
    next.close();
  });

  test("calls that make no sense are answered, and the socket lives on", async () => {
    const socket = open("ghost", tokens.ghost);
    const replies = new Map<number, { code: number; body: { message?: string } }>();
    socket.on("message", (data) => {
      const message = JSON.parse(data.toString()) as { type: string; id: number; code: number; body: object };
      if (message.type === "reply") replies.set(message.id, message);
    });
    const end = closed(socket);
    await new Promise((resolve) => socket.on("open", resolve));
    socket.send(
      JSON.stringify({ type: "hello", version: PROTOCOL_VERSION, agent: "x", node: "ghost", revision: 9e15 }),
    );
    socket.send(JSON.stringify({ type: "health", ready: false, message: "x".repeat(1e6) }));
    calls.forEach(({ call }, id) => void socket.send(JSON.stringify({ type: "call", id, ...call })));
    await eventually("every call is answered", async () => replies.size === calls.length);
    for (const [id, { name, code, message }] of calls.entries()) {
      const reply = replies.get(id);
      expect(reply?.code, `${name}: ${JSON.stringify(reply?.body)}`).toBe(code);
      expect(reply?.body.message).toMatch(message);
    }
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close(1000);
    expect((await end).code).toBe(1000);
  });
  leavesNoTrace();
});

describe("kubectl says what is wrong", () => {
  test.each(BROKEN)("$name", async ({ args, input, says }) => {
    for (const { version, path } of await kubectls()) {
      const done = await cluster.kubectl(["-n", "bad", ...args], { input, kubectl: path });
      expect(done.code, `${version}: ${done.all}`).toBe(1);
      expect(done.stderr.trim(), version).toMatch(says);
    }
  });
  leavesNoTrace();
});
