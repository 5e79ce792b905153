/** A delivery as the request that its receiver's protocol makes of it. */
import type { JWK } from "jose";
import { fromBase64, toBase64 } from "../bytes.ts";
import { type Delivery, VAPID_KEY } from "../facts/alerts.ts";
import { isHttpUrl, type Receiver, type Target } from "./config.ts";
import { messageOf, ntfyHeaders, webhookBody } from "./message.ts";
import { encrypted, fresh, type Subscription, vapid } from "./web-push.ts";

export type HttpRequest = { url: string; headers: Record<string, string>; body: string | Uint8Array<ArrayBuffer> };

/** What cannot be sent as it stands, in words that tell no secret. */
export class Unsendable extends Error {
  override readonly name = "Unsendable";
}

/** The data of the Secret, base64. */
export type Secrets = Readonly<Record<string, string>>;

type Sending = { cluster: string; delivery: Delivery; secretOf(key: string): string; now: number };
type TargetOf<T extends Target["type"]> = Extract<Target, { type: T }>;

const encoder = new TextEncoder();
const MAX_NTFY_CHARACTERS = 3500;

const JSON_TYPE = { "content-type": "application/json" };
const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

function urlOf({ secretOf }: Sending, target: TargetOf<"webhook" | "ntfy">): string {
  const url = target.url ?? secretOf(target.urlKey ?? "");
  if (!isHttpUrl(url)) throw new Unsendable("its URL is none of http or https");
  return url;
}

const tokenOf = ({ secretOf }: Sending, { tokenKey }: TargetOf<"webhook" | "ntfy">) =>
  tokenKey === undefined ? undefined : secretOf(tokenKey);

async function webhook(sending: Sending, target: TargetOf<"webhook">): Promise<HttpRequest> {
  const { cluster, delivery, secretOf, now } = sending;
  const body = webhookBody(cluster, delivery);
  const timestamp = String(Math.floor(now / 1000));
  const headers: Record<string, string> = {
    ...JSON_TYPE,
    "webhook-id": delivery.id,
    "webhook-timestamp": timestamp,
    ...bearer(tokenOf(sending, target)),
  };
  if (target.hmacKey)
    headers["webhook-signature"] =
      `v1,${await signature(secretOf(target.hmacKey), `${delivery.id}.${timestamp}.${body}`)}`;
  return { url: urlOf(sending, target), headers, body };
}

function ntfy(sending: Sending, target: TargetOf<"ntfy">): HttpRequest {
  const message = messageOf(sending.cluster, sending.delivery);
  return {
    url: urlOf(sending, target),
    headers: { ...ntfyHeaders(message), ...bearer(tokenOf(sending, target)) },
    body: message.body.slice(0, MAX_NTFY_CHARACTERS),
  };
}

function email({ cluster, delivery, secretOf }: Sending, { url, from, to, tokenKey }: TargetOf<"email">): HttpRequest {
  const { title, body } = messageOf(cluster, delivery);
  return {
    url,
    headers: { ...JSON_TYPE, "idempotency-key": delivery.id, ...bearer(secretOf(tokenKey)) },
    body: JSON.stringify({ from, to, subject: title, text: body }),
  };
}

/** Services take 4 KiB of which some are the encryption's; of a character UTF-8 makes four bytes at most. */
const MAX_PUSHED_CHARACTERS = 800;
const KEPT_S = 24 * 3600;

/** RFC 8030. What is pushed is shown by `page/service-worker.js`. */
async function webPush(
  { cluster, delivery, secretOf, now }: Sending,
  { key }: TargetOf<"webpush">,
): Promise<HttpRequest> {
  const subscription = parsed<Subscription>(secretOf(key));
  const own = parsed<JWK>(secretOf(VAPID_KEY));
  if (!isHttpUrl(subscription.endpoint)) throw new Unsendable("its endpoint is no URL");
  const { title, body, severity } = messageOf(cluster, delivery);
  const shown = { id: delivery.id, title, body: body.slice(0, MAX_PUSHED_CHARACTERS) };
  const headers = {
    authorization: await vapid(own, subscription.endpoint, now),
    "content-encoding": "aes128gcm",
    "content-type": "application/octet-stream",
    ttl: String(KEPT_S),
    urgency: severity === "error" ? "high" : "normal",
  };
  return {
    url: subscription.endpoint,
    headers,
    body: await encrypted(JSON.stringify(shown), subscription, await fresh()),
  };
}

function parsed<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Unsendable("what is kept of its subscription cannot be read");
  }
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export async function signature(secret: string, text: string): Promise<string> {
  const key = /^whsec_([A-Za-z0-9+/=]+)$/.exec(secret)?.[1];
  const bytes = key ? fromBase64(key) : encoder.encode(secret);
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", bytes, hmac, false, ["sign"]);
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text))));
}

export async function requestOf(
  cluster: string,
  delivery: Delivery,
  { target }: Receiver,
  secrets: Secrets,
  now: number,
): Promise<HttpRequest> {
  const secretOf = (key: string): string => {
    const value = Object.hasOwn(secrets, key) ? secrets[key] : undefined;
    if (!value) throw new Unsendable(`the Secret has no key ${JSON.stringify(key)}`);
    return new TextDecoder().decode(fromBase64(value)).trim();
  };
  const sending: Sending = { cluster, delivery, secretOf, now };
  switch (target.type) {
    case "webhook":
      return webhook(sending, target);
    case "ntfy":
      return ntfy(sending, target);
    case "email":
      return email(sending, target);
    case "webpush":
      return webPush(sending, target);
  }
}
