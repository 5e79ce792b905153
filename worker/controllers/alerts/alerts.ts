/**
 * Tells somebody of what is wrong. One key looks at all of it and writes what has become of it into the status; each message
 * that is to be delivered has a key of its own, which sends it and writes how that ended. Both lie in a ConfigMap, so that
 * whatever ends in between, a message is sent at least once.
 */
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Secret } from "../../kinds/core/secret.ts";
import { same } from "../../kinds/paths.ts";
import { type AlertConfig, type Receiver, readAlertConfig } from "../../lib/alerts/config.ts";
import { delivered, isSame, look, nextDeliveries, type Outcome } from "../../lib/alerts/step.ts";
import {
  ALERTS_CONFIG,
  ALERTS_NAMESPACE,
  ALERTS_PUSH_SECRET,
  ALERTS_SECRET,
  ALERTS_STATUS,
  type Alert,
  type AlertStatus,
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
    const ended = !outcome.sent && outcome.gone ? withoutSubscription(view, receiver) : [];
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
  return { ...config, receivers: [...config.receivers, ...browsersIn(view)] };
}

function browsersIn(view: View): Receiver[] {
  const keys = Object.keys(pushSecretIn(view)?.data ?? {}).filter((key) => key.startsWith(SUBSCRIPTION_PREFIX));
  return keys.slice(0, MAX_BROWSERS).map((key) => ({
    name: pushReceiver(key.slice(SUBSCRIPTION_PREFIX.length)),
    target: { type: "webpush", key },
    errorsOnly: false,
  }));
}

const pushSecretIn = (view: View) => view.get(Secret, ALERTS_NAMESPACE, ALERTS_PUSH_SECRET);

const secretsOf = (view: View, { target }: Receiver): Readonly<Record<string, string>> =>
  (target.type === "webpush" ? pushSecretIn(view) : view.get(Secret, ALERTS_NAMESPACE, ALERTS_SECRET))?.data ?? {};

function withoutSubscription(view: View, { target }: Receiver): Write[] {
  const secret = pushSecretIn(view);
  if (!secret || target.type !== "webpush") return [];
  const { [target.key]: _, ...data } = secret.data ?? {};
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
