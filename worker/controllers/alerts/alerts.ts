/**
 * Tells somebody of what is wrong. One key looks at all of it and writes what has become of it into the status; each message
 * that is to be delivered has a key of its own, which sends it and writes how that ended. Both lie in a ConfigMap, so that
 * whatever ends in between, a message is sent at least once.
 */
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { ServiceAccount } from "../../kinds/core/service-account.ts";
import { same } from "../../kinds/paths.ts";
import { type AlertConfig, type Receiver, readAlertConfig } from "../../lib/alerts/config.ts";
import { delivered, isSame, look, nextDeliveries, type Outcome } from "../../lib/alerts/step.ts";
import { fromBase64 } from "../../lib/bytes.ts";
import {
  ALERTS_CONFIG,
  ALERTS_NAMESPACE,
  ALERTS_PUSH_SECRET,
  ALERTS_SECRET,
  ALERTS_STATUS,
  type Alert,
  type AlertStatus,
  type BrowserFacts,
  type Delivery,
  MAX_BROWSERS,
  NO_ALERTS,
  pushReceiver,
  readAlertStatus,
  STATUS_KEY,
  SUBSCRIPTION_PREFIX,
  TEST_ANNOTATION,
} from "../../lib/facts/alerts.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { objectOf, WATCHED, wrongIn } from "./troubles.ts";

export const ALERTS = "alert-controller";

/** A message, and what its receiver is known by. */
export type Order = { delivery: Delivery; receiver: Receiver; secrets: Readonly<Record<string, string>> };

export type AlertParts = {
  /**
   * Sends it; undefined while it is on the way: the key runs again when that has ended. The outcome is given until the same
   * key sends another print, since what becomes of it may not be written at once.
   */
  send(key: string, print: string, order: Order): Outcome | undefined;
};

/** Looks at all. */
const ALL = "/";
/** Before a receiver's name: the key of what it is told next. */
const SEND = "send/";
/** What was not heard of again in this time was lost with the memory that sent it. */
const LOST_MS = 30_000;
/** Of many at once, so many have an Event. */
const MAX_EVENTS = 20;
/** What is later is looked at again on the way: an alarm takes no time that is centuries away. */
const MAX_WAIT_MS = 30 * 24 * 3_600_000;

const sendKey = ({ receiver }: Pick<Delivery, "receiver">) => `${SEND}${receiver}`;
const printOf = ({ id, attempts }: Delivery) => `${id} ${attempts}`;
const again = (afterMs: number): Intent => ({ do: "again", afterMs: Math.min(Math.max(1, afterMs), MAX_WAIT_MS) });
const statusIn = (view: View) => view.get(ConfigMap, ALERTS_NAMESPACE, ALERTS_STATUS);

const concerned: NonNullable<Controller["keysForAny"]> = function* (kind, object, old, type) {
  const digestOf = WATCHED.get(kind.groupResource);
  if (digestOf) {
    const [before, now] = [old && digestOf(old), digestOf(object)];
    if (type === "DELETED" ? !isNothing(now) : !same(before ?? NOTHING, now ?? NOTHING)) yield ALL;
  }
  const isPush = object.metadata?.name === ALERTS_PUSH_SECRET && object.metadata.namespace === ALERTS_NAMESPACE;
  if (isPush && kind.groupResource === Secret.groupResource) yield ALL;
  if (kind.groupResource === ServiceAccount.groupResource && type === "DELETED") yield ALL;
  if (kind.groupResource !== ConfigMap.groupResource || object.metadata?.namespace !== ALERTS_NAMESPACE) return;
  const { name } = object.metadata;
  if (name === ALERTS_CONFIG) yield ALL;
  if (name === ALERTS_STATUS) {
    if (type === "DELETED") return void (yield ALL);
    for (const delivery of nextDeliveries(readAlertStatus((object as ConfigMap).data))) yield sendKey(delivery);
  }
};

const NOTHING: readonly never[] = [];
const isNothing = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0);

export function alertController({ send }: AlertParts): Controller {
  function deliver(view: View, key: string, now: number): Intent[] {
    const map = statusIn(view);
    const status = readAlertStatus(map?.data);
    const delivery = nextDeliveries(status).find((next) => sendKey(next) === key);
    const receiver = delivery && configIn(view).receivers.find(({ name }) => name === delivery.receiver);
    if (!map || !delivery || !receiver) return [];
    if (now < delivery.due) return [again(delivery.due - now)];
    const order = { delivery, receiver, secrets: secretsOf(view, receiver) };
    const outcome = send(key, printOf(delivery), order);
    if (!outcome) return [again(LOST_MS)];
    const after = delivered(status, delivery, outcome, now);
    const next = after.deliveries.find((other) => isSame(other, delivery));
    const failed = after.receivers.find(({ name }) => name === delivery.receiver)?.error;
    const ended = !outcome.sent && outcome.gone ? withoutSubscriptions(view, [receiver]) : [];
    return [
      { do: "together", intents: [written(map, after), ...ended] },
      ...(failed && !next ? [warning(map, "AlertNotSent", `receiver ${delivery.receiver}: ${failed}`)] : []),
    ];
  }

  return {
    name: ALERTS,
    patient: true,
    watches: "all",
    keysForAny: concerned,
    reconcile(view, key, { now }) {
      return key.startsWith(SEND) ? deliver(view, key, now) : lookAtAll(view, now);
    },
  };
}

function configIn(view: View): AlertConfig {
  const { config } = readAlertConfig(view.get(ConfigMap, ALERTS_NAMESPACE, ALERTS_CONFIG)?.data);
  const browsers = browsersIn(view).filter((browser) => !isOfNobody(view, browser));
  return { ...config, receivers: [...config.receivers, ...browsers.slice(0, MAX_BROWSERS)] };
}

const MAX_ABOUT = 300;

function browsersIn(view: View): Receiver[] {
  return Object.entries(pushSecretIn(view)?.data ?? {}).flatMap(([key, value]) => {
    if (!key.startsWith(SUBSCRIPTION_PREFIX)) return [];
    const name = pushReceiver(key.slice(SUBSCRIPTION_PREFIX.length));
    return { name, target: { type: "webpush", key, of: browserFacts(value) }, errorsOnly: false };
  });
}

/** Whatever was written there. */
function browserFacts(value: string): BrowserFacts {
  try {
    const { user, device } = JSON.parse(new TextDecoder().decode(fromBase64(value))) as Record<string, unknown>;
    const said = (text: unknown) => typeof text === "string" && text !== "";
    return {
      ...(said(user) && { user: String(user).slice(0, MAX_ABOUT) }),
      ...(said(device) && { device: String(device).slice(0, MAX_ABOUT) }),
    };
  } catch {
    return {};
  }
}

/** Its account was revoked: who may see nothing any more hears of nothing. */
function isOfNobody(view: View, { target }: Receiver): boolean {
  const user = target.type === "webpush" ? target.of?.user : undefined;
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user ?? "") ?? [];
  return namespace !== undefined && name !== undefined && !view.get(ServiceAccount, namespace, name);
}

const pushSecretIn = (view: View) => view.get(Secret, ALERTS_NAMESPACE, ALERTS_PUSH_SECRET);

const secretsOf = (view: View, { target }: Receiver): Readonly<Record<string, string>> =>
  (target.type === "webpush" ? pushSecretIn(view) : view.get(Secret, ALERTS_NAMESPACE, ALERTS_SECRET))?.data ?? {};

function withoutSubscriptions(view: View, receivers: readonly Receiver[]): Write[] {
  const secret = pushSecretIn(view);
  const gone = new Set(receivers.flatMap(({ target }) => (target.type === "webpush" ? target.key : [])));
  if (!secret || gone.size === 0) return [];
  const data = Object.fromEntries(Object.entries(secret.data ?? {}).filter(([key]) => !gone.has(key)));
  return [{ do: "update", kind: Secret, object: { ...secret, data } as Secret }];
}

function lookAtAll(view: View, now: number): Intent[] {
  const config = configIn(view);
  const map = statusIn(view);
  const before = readAlertStatus(map?.data);
  const test = view.get(ConfigMap, ALERTS_NAMESPACE, ALERTS_CONFIG)?.metadata.annotations?.[TEST_ANNOTATION];
  const { due, ...wrong } = wrongIn(view, config.rules, before.alerts, now);
  const step = look(before, wrong, config, test, now);
  const next = Math.min(due ?? Number.POSITIVE_INFINITY, step.due ?? Number.POSITIVE_INFINITY);
  return [
    ...(same(step.status, map ? before : NO_ALERTS) ? [] : [written(map, step.status)]),
    ...withoutSubscriptions(
      view,
      browsersIn(view).filter((browser) => isOfNobody(view, browser)),
    ),
    ...step.fired.slice(0, MAX_EVENTS).flatMap((alert) => told(view, alert)),
    ...step.resolved.slice(0, MAX_EVENTS).flatMap((alert) => told(view, alert)),
    ...(Number.isFinite(next) ? [again(next - now)] : []),
  ];
}

function told(view: View, alert: Alert): Intent[] {
  const about = objectOf(view, alert);
  if (!about) return [];
  return [
    alert.resolvedAt === undefined
      ? warning(about, "AlertFiring", `${alert.rule}: ${alert.cause}`)
      : normal(about, "AlertResolved", `${alert.rule} is over`),
  ];
}

type Write = Extract<Intent, { do: "create" | "update" }>;

function written(map: Readonly<ConfigMap> | undefined, status: AlertStatus): Write {
  const data = { [STATUS_KEY]: JSON.stringify(status) };
  const object: KubeObject & { data: Record<string, string> } = map
    ? { ...map, data }
    : { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: ALERTS_NAMESPACE, name: ALERTS_STATUS }, data };
  return { do: map ? "update" : "create", kind: ConfigMap, object };
}
