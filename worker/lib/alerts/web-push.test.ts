import { importJWK, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url } from "../bytes.ts";
import { RFC_8291 as RFC } from "./testing/rfc-8291.ts";
import { encrypted, fresh, vapid } from "./web-push.ts";

const curve = { name: "ECDH", namedCurve: "P-256" };
const coordinates = (point: string) => {
  const bytes = fromBase64Url(point);
  return { x: toBase64Url(bytes.slice(1, 33)), y: toBase64Url(bytes.slice(33)) };
};

test("a message is what RFC 8291 says it is", async () => {
  const jwk = { kty: "EC", crv: "P-256", ...coordinates(RFC.senderPublic) };
  const keys = {
    publicKey: await crypto.subtle.importKey("jwk", jwk, curve, true, []),
    privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d: RFC.senderPrivate }, curve, true, ["deriveBits"]),
  };
  const subscription = { endpoint: "https://push.example/1", keys: { p256dh: RFC.receiverPublic, auth: RFC.auth } };
  const body = await encrypted(RFC.text, subscription, { salt: fromBase64Url(RFC.salt), keys });
  expect(toBase64Url(body)).toBe(RFC.body);
});

test("no two messages are alike", async () => {
  const subscription = { endpoint: "https://push.example/1", keys: { p256dh: RFC.receiverPublic, auth: RFC.auth } };
  const [one, other] = [
    await encrypted("x", subscription, await fresh()),
    await encrypted("x", subscription, await fresh()),
  ];
  expect(toBase64Url(one)).not.toBe(toBase64Url(other));
});

test("the sender shows its key, and that it has it, to this push service alone", async () => {
  const pair = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"])) as {
    privateKey: Awaited<ReturnType<typeof crypto.subtle.importKey>>;
  };
  const now = Date.parse("2026-01-01T00:00:00Z");
  const header = await vapid(await crypto.subtle.exportKey("jwk", pair.privateKey), "https://push.example/1?x=1", now);
  const [, token = "", key = ""] = /^vapid t=(\S+), k=(\S+)$/.exec(header) ?? [];
  const shown = await importJWK({ kty: "EC", crv: "P-256", ...coordinates(key) }, "ES256");
  const { payload } = await jwtVerify(token, shown, { currentDate: new Date(now), audience: "https://push.example" });
  expect(payload).toEqual({ aud: "https://push.example", sub: "https://skerry.dev", exp: now / 1000 + 43_200 });
});
