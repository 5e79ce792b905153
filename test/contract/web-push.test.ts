/** Encryption for browsers by workerd's own cryptography, which every home of the Worker has. */
import { expect, test } from "vitest";
import { RFC_8291 as RFC } from "../../worker/lib/alerts/testing/rfc-8291.ts";
import { fromBase64Url } from "../../worker/lib/bytes.ts";
import { startWorker } from "./miniflare.ts";

const part = (from: number) =>
  Buffer.from(fromBase64Url(RFC.senderPublic).slice(from, from + 32)).toString("base64url");
const JWK = JSON.stringify({ kty: "EC", crv: "P-256", x: part(1), y: part(33) });

const WORKER = `
  import { encrypted, fresh, vapid } from "../../worker/lib/alerts/web-push.ts";
  import { fromBase64Url, toBase64Url } from "../../worker/lib/bytes.ts";
  const RFC = ${JSON.stringify(RFC)};
  const curve = { name: "ECDH", namedCurve: "P-256" };
  export default {
    async fetch() {
      const keys = {
        publicKey: await crypto.subtle.importKey("jwk", ${JWK}, curve, true, []),
        privateKey: await crypto.subtle.importKey("jwk", { ...${JWK}, d: RFC.senderPrivate }, curve, true, ["deriveBits"]),
      };
      const subscription = { endpoint: "https://push.example", keys: { p256dh: RFC.receiverPublic, auth: RFC.auth } };
      const body = await encrypted(RFC.text, subscription, { salt: fromBase64Url(RFC.salt), keys });
      const other = await encrypted(RFC.text, subscription, await fresh());
      const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
      const header = await vapid(await crypto.subtle.exportKey("jwk", pair.privateKey), subscription.endpoint, 0);
      return Response.json({ body: toBase64Url(body), bytes: other.length, header });
    },
  };`;

test("a message is RFC 8291's, and the sender's signature is made", async () => {
  const miniflare = await startWorker({ stdin: { contents: WORKER, resolveDir: import.meta.dirname } }, {});
  try {
    const answer = await miniflare.dispatchFetch("http://worker/");
    expect(await answer.json()).toEqual({
      body: RFC.body,
      bytes: fromBase64Url(RFC.body).length,
      header: expect.stringMatching(/^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/),
    });
  } finally {
    await miniflare.dispose();
  }
});
