/** This browser among those that the cluster tells of alerts: https://www.w3.org/TR/push-api/ */
import {
  ALERTS_NAMESPACE,
  ALERTS_PUSH_SECRET,
  pushReceiver,
  SUBSCRIPTION_PREFIX,
  subscriptionKey,
  VAPID_KEY,
} from "../../worker/lib/facts/alerts.ts";
import { bytesOf, fromBase64Url } from "./base64url.ts";
import { type Client, StatusError } from "./client.ts";
import type { KubeObject } from "./objects.ts";

type Api = Pick<Client, "json">;
type Secret = KubeObject & { data?: Record<string, string> };
type Jwk = { x?: string; y?: string };

const SECRETS = `/api/v1/namespaces/${ALERTS_NAMESPACE}/secrets`;
const SECRET = `${SECRETS}/${ALERTS_PUSH_SECRET}`;
const MERGE = { method: "PATCH", contentType: "application/merge-patch+json" };

/** Absent where the browser has none for this page: it takes an address whose certificate it trusts. */
async function registered(): Promise<ServiceWorkerRegistration> {
  const registration = await navigator.serviceWorker?.getRegistration();
  if (!registration?.pushManager)
    throw new Error("This browser takes no messages from here: it wants https with a certificate that it trusts.");
  return registration;
}

/** The name of the receiver that this browser is, if the cluster knows it; undefined where it is none. */
export async function subscribedAs(): Promise<string | undefined> {
  const registration = await registered().catch(() => undefined);
  const subscription = await registration?.pushManager.getSubscription();
  return subscription ? pushReceiver(await idOf(subscription)) : undefined;
}

/** `about` is kept beside the subscription: whose it is, so that others can tell, and it ends with their account. */
export async function subscribe(client: Api, about: { user: string; device: string }): Promise<string> {
  const registration = await registered();
  if ((await Notification.requestPermission()) !== "granted")
    throw new Error("This browser lets the page show no notifications: its settings for this site say so.");
  const key = pointOf(await clusterKey(client));
  // One of a key that the cluster has no more is good for nothing, and keeps the browser from taking another.
  const present = await registration.pushManager.getSubscription();
  if (present && !isKey(key, present.options.applicationServerKey)) await present.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = await registration.pushManager.subscribe(options);
  const id = await idOf(subscription);
  const kept = { ...subscription.toJSON(), ...about };
  const body = { stringData: { [`${SUBSCRIPTION_PREFIX}${id}`]: JSON.stringify(kept) } };
  try {
    await client.json(SECRET, { ...MERGE, body });
  } catch (error) {
    await subscription.unsubscribe(); // nobody would tell it of anything
    throw error;
  }
  return pushReceiver(id);
}

/** Whatever the cluster has of it, or lets be done: of a subscription that has ended it learns by itself. */
export async function unsubscribe(client: Api): Promise<void> {
  const subscription = await (await registered()).pushManager.getSubscription();
  if (!subscription) return;
  const receiver = pushReceiver(await idOf(subscription));
  await subscription.unsubscribe();
  await forget(client, receiver).catch((error: unknown) => {
    if (!(error instanceof StatusError && [403, 404].includes(error.code))) throw error;
  });
}

/** The cluster tells a browser no more, this one or another. */
export async function forget(client: Api, receiver: string): Promise<void> {
  await client.json(SECRET, { ...MERGE, body: { data: { [subscriptionKey(receiver)]: null } } });
}

/** The key that browsers know the cluster by; made by the first who asks for it. */
export async function clusterKey(client: Api): Promise<Jwk> {
  const secret = await read(client);
  const known = keyIn(secret);
  if (known) return known;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const key = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const stringData = { [VAPID_KEY]: JSON.stringify(key) };
  try {
    if (secret) {
      // Only into what was read: another may be putting theirs in.
      const metadata = { resourceVersion: secret.metadata.resourceVersion };
      await client.json(SECRET, { ...MERGE, body: { metadata, stringData } });
    } else {
      const metadata = { name: ALERTS_PUSH_SECRET };
      await client.json(SECRETS, { method: "POST", body: { apiVersion: "v1", kind: "Secret", metadata, stringData } });
    }
    return key;
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 409)) throw error;
    return clusterKey(client); // somebody else was first
  }
}

async function read(client: Api): Promise<Secret | undefined> {
  try {
    return await client.json<Secret>(SECRET);
  } catch (error) {
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
}

function keyIn(secret: Secret | undefined): Jwk | undefined {
  const text = secret?.data?.[VAPID_KEY];
  return text ? (JSON.parse(atob(text)) as Jwk) : undefined;
}

const ID_BYTES = 8;

async function idOf({ endpoint }: PushSubscription): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint)));
  return Array.from(hash.subarray(0, ID_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The public key as a point of the curve, uncompressed. */
export function pointOf({ x = "", y = "" }: Jwk): Uint8Array<ArrayBuffer> {
  return bytesOf(`\u0004${fromBase64Url(x)}${fromBase64Url(y)}`);
}

function isKey(key: Uint8Array, other: ArrayBuffer | null): boolean {
  const bytes = new Uint8Array(other ?? new ArrayBuffer());
  return bytes.length === key.length && bytes.every((byte, i) => byte === key[i]);
}
