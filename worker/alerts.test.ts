import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { sender } from "./alerts.ts";
import type { Order } from "./controllers/alerts/alerts.ts";
import type { Target } from "./lib/alerts/config.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const told = {
  rule: "node-offline",
  severity: "error",
  kind: "Node",
  name: "attic",
  cause: "Nothing was heard of it for 5m; 1 pod ran there.",
  remedy: "See whether the machine is on.",
  since: NOW - 300_000,
} as const;

const orderFor = (target: Target, secrets: Record<string, string> = {}): Order => ({
  delivery: { id: "node-offline-1", receiver: "r", at: NOW, due: NOW, attempts: 0, firing: [told], resolved: [] },
  receiver: { name: "r", target, errorsOnly: false },
  secrets: Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, base64(value)])),
});

type Asked = { url: string; headers: Record<string, string>; body: string };

async function send(order: Order, answer: (asked: Asked) => Response | Promise<Response> = () => new Response()) {
  const asked: Asked[] = [];
  const abort = new AbortController();
  const outside = {
    exchange: () => Promise.reject(new Error("not this way")),
    deadline: () => ({ signal: abort.signal, end: () => undefined }),
    fetch: async (url: string, { headers, body }: RequestInit) => {
      const one = { url, headers: headers as Record<string, string>, body: String(body) };
      asked.push(one);
      return answer(one);
    },
  };
  const outcome = await sender({ outside, cluster: "home", now: () => NOW })(order);
  return { outcome, asked: asked[0] };
}

test("a webhook is told in JSON, signed", async () => {
  const { outcome, asked } = await send(
    orderFor(
      { type: "webhook", url: "http://192.0.2.7/hook", hmacKey: "sign", tokenKey: "token" },
      { sign: "s3cret", token: "t0ken\n" },
    ),
  );
  expect(outcome).toEqual({ sent: true });
  expect(JSON.parse(asked?.body ?? "")).toEqual({
    version: 1,
    id: "node-offline-1",
    cluster: "home",
    state: "firing",
    severity: "error",
    title: "home: node-offline: Node attic",
    repeated: false,
    at: "2026-01-01T00:00:00.000Z",
    firing: [{ ...told, since: "2025-12-31T23:55:00.000Z" }],
    resolved: [],
  });
  const signed = createHmac("sha256", "s3cret")
    .update(`node-offline-1.${NOW / 1000}.${asked?.body}`)
    .digest("base64");
  expect(asked).toMatchObject({
    url: "http://192.0.2.7/hook",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer t0ken",
      "webhook-id": "node-offline-1",
      "webhook-timestamp": String(NOW / 1000),
      "webhook-signature": `v1,${signed}`,
    },
  });
});

test("ntfy is told with title, priority and tags", async () => {
  const { asked } = await send(
    orderFor({ type: "ntfy", urlKey: "topic" }, { topic: "https://ntfy.example/secret-topic" }),
  );
  expect(asked).toEqual({
    url: "https://ntfy.example/secret-topic",
    headers: {
      "content-type": "text/plain; charset=utf-8",
      title: "home: node-offline: Node attic",
      priority: "high",
      tags: "rotating_light,skerry",
    },
    body: `Node attic: ${told.cause}\n→ ${told.remedy}`,
  });
});

test("e-mail goes by a mail service's API", async () => {
  const target: Target = {
    type: "email",
    url: "https://mail.example/emails",
    tokenKey: "mail",
    from: "a@x.example",
    to: ["b@x.example"],
  };
  const { asked } = await send(orderFor(target, { mail: "key" }));
  expect(asked?.headers).toMatchObject({ authorization: "Bearer key", "idempotency-key": "node-offline-1" });
  expect(JSON.parse(asked?.body ?? "")).toMatchObject({
    from: "a@x.example",
    to: ["b@x.example"],
    subject: "home: node-offline: Node attic",
    text: expect.stringContaining(told.cause),
  });
});

test("what a server refuses is asked again where that may help", async () => {
  const order = orderFor({ type: "webhook", url: "http://192.0.2.7/" });
  const isFinal = async (status: number) =>
    "final" in (await send(order, () => new Response(null, { status }))).outcome;
  for (const status of [400, 401, 404, 410, 422]) expect(await isFinal(status), `${status}`).toBe(true);
  for (const status of [302, 408, 425, 429, 500, 503]) expect(await isFinal(status), `${status}`).toBe(false);
});

test("what went wrong is told without secrets", async () => {
  const target: Target = { type: "ntfy", urlKey: "topic", tokenKey: "token" };
  const order = orderFor(target, { topic: "https://ntfy.example/secret-topic", token: "t0ken" });
  const outcomes = [
    await send(order, ({ headers }) => new Response(`no such token: ${headers.authorization}`, { status: 403 })),
    await send(order, ({ url }) => Promise.reject(new Error(`cannot connect to ${url}`))),
    await send(orderFor(target, { topic: "secret-topic" })),
    await send(orderFor(target)),
  ].map(({ outcome }) => outcome);
  expect(outcomes).toEqual([
    { sent: false, error: "it answered 403", final: true },
    { sent: false, error: "it cannot be reached" },
    { sent: false, error: "its URL is none of http or https" },
    { sent: false, error: 'the Secret has no key "topic"' },
  ]);
});

test("a browser whose subscription has ended is gone, one whose subscription cannot be read is not", async () => {
  const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])) as {
    privateKey: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
  };
  const subscription = {
    endpoint: "https://push.example/1",
    keys: {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    },
  };
  const key = JSON.stringify(await crypto.subtle.exportKey("jwk", pair.privateKey));
  const order = (text: string) =>
    orderFor({ type: "webpush", key: "subscription-a" }, { "subscription-a": text, "vapid.jwk": key });
  const { outcome, asked } = await send(order(JSON.stringify(subscription)), () => new Response(null, { status: 410 }));
  expect(outcome).toEqual({ sent: false, error: "it answered 410", gone: true });
  expect(asked?.headers).toMatchObject({ "content-encoding": "aes128gcm", ttl: "86400", urgency: "high" });
  const unreadable = await send(order("{"));
  expect(unreadable.outcome).toEqual({ sent: false, error: "what is kept of its subscription cannot be read" });
});
