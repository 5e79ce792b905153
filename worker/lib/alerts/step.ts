/**
 * What becomes of alerts: `(status, what is wrong, configuration, now) → status`. An alert fires, somebody is told of it, it is
 * resolved, and they are told of that. What they are to be told stands in the status until it was delivered, so that no
 * end of this process loses it.
 */
import { byteLength } from "../bytes.ts";
import {
  type Alert,
  type AlertMessage,
  type AlertStatus,
  alertId,
  type Delivery,
  type ReceiverStatus,
  type Told,
  type Waiting,
} from "../facts/alerts.ts";
import type { AlertConfig, Receiver, Silence } from "./config.ts";

/** What is told of an alert. */
export type Active = Omit<Alert, "firedAt" | "toldAt" | "resolvedAt" | "silenced">;

export type Wrong = {
  /** By id what is an alert now; described when it begins. */
  active: ReadonlyMap<string, () => Active>;
  /** Ids of what is no reason to begin an alert, and none to end one. */
  lingering: ReadonlySet<string>;
  /** How many more there are. */
  more: number;
};

export type Step = {
  status: AlertStatus;
  fired: readonly Alert[];
  resolved: readonly Alert[];
  /** When time alone changes something, ms. */
  due: number | undefined;
};

/** So many are kept of a rule: those of one leave the others their room. */
export const ROOM_A_RULE = 35;
/** What is kept lies in one ConfigMap, which holds 1 MiB. */
const MAX_STATUS_BYTES = 900_000;
/** Messages that wait for one receiver. */
const MAX_WAITING = 50;
const MAX_TEXT_BYTES = 300;

const RETRY_MS = 10_000;
const MAX_RETRY_MS = 30 * 60_000;
/** It is tried for about three hours. */
const MAX_ATTEMPTS = 14;

export function look(
  before: AlertStatus,
  { active, lingering, more }: Wrong,
  { rules: _, receivers, silences, timing }: AlertConfig,
  test: string | undefined,
  now: number,
): Step {
  const silenced = (alert: Alert) => silences.some((silence) => now < silence.until && isMatch(silence, alert));
  const isWrong = (alert: Alert) => active.has(alertId(alert)) || lingering.has(alertId(alert));
  const known = before.alerts.map((alert) => goOn(alert, isWrong(alert), now));
  const wrong = new Map(active);
  for (const alert of before.alerts) wrong.delete(alertId(alert));
  const fired: Alert[] = withRoom(wrong, known).map((describe) => ({ ...shortened(describe()), firedAt: now }));
  const alerts = [...known, ...fired].map((alert) => withSilence(alert, silenced(alert)));
  const groups: Record<string, number> = { ...before.groups };
  const messages: Record<string, AlertMessage> = { ...before.messages };
  const made: Waiting[] = [];
  const told = new Set<Alert>();
  for (const [rule, own] of byRule(alerts.filter((alert) => isHeard(alert, receivers)))) {
    const news = newsOf(own, timing.repeatMs, now);
    if (now < dueOf(news, groups[rule], timing)) continue;
    const id = idFor(rule, messages, now);
    messages[id] = messageOf(news, now);
    made.push(...waitingFor(id, news.alerts, receivers, now));
    for (const alert of news.alerts) told.add(alert);
    groups[rule] = now;
  }
  const rest = alerts.flatMap((alert) => {
    if (!told.has(alert)) return isForgotten(alert, receivers) ? [] : [alert];
    return alert.resolvedAt === undefined ? [{ ...alert, toldAt: now }] : [];
  });
  for (const rule of Object.keys(groups)) {
    const isOver = !rest.some((alert) => alert.rule === rule) && now - (groups[rule] ?? 0) >= timing.intervalMs;
    if (isOver) delete groups[rule];
  }
  const tested = test === undefined ? undefined : cut(test);
  if (tested !== undefined && tested !== before.tested) {
    const id = idFor("test", messages, now);
    messages[id] = { at: now, firing: [TEST(now)], resolved: [] };
    made.push(...receivers.map(({ name }) => ({ id, receiver: name, due: now, attempts: 0 })));
  }
  const names = new Set(receivers.map(({ name }) => name));
  const status = bounded({
    alerts: rest,
    more: more + wrong.size - fired.length,
    groups,
    messages,
    deliveries: [...before.deliveries.filter(({ receiver }) => names.has(receiver)), ...made],
    receivers: receivers.map((receiver) => statusOf(receiver, before.receivers)),
    ...(tested !== undefined && { tested }),
  });
  const resolved = alerts.filter(({ resolvedAt }) => resolvedAt === now);
  return { status, fired, resolved, due: nextDue(status, { receivers, silences, timing }, now) };
}

function goOn(alert: Alert, isWrong: boolean, now: number): Alert {
  if (isWrong) {
    const { resolvedAt: _, ...firing } = alert;
    return firing;
  }
  return alert.resolvedAt === undefined ? { ...alert, resolvedAt: now } : alert;
}

/** Takes a place among those of a rule beside the alerts that are known; false where there is none. */
export function roomBeside(known: readonly Alert[]): (rule: string) => boolean {
  const taken = new Map<string, number>();
  const take = (rule: string) => {
    const count = (taken.get(rule) ?? 0) + 1;
    taken.set(rule, count);
    return count <= ROOM_A_RULE;
  };
  for (const { rule } of known) take(rule);
  return take;
}

/** Of a rule as many as it has room for. */
function withRoom(wrong: ReadonlyMap<string, () => Active>, known: readonly Alert[]): (() => Active)[] {
  const take = roomBeside(known);
  return [...wrong].flatMap(([id, describe]) => (take(id.slice(0, id.indexOf("/"))) ? [describe] : []));
}

function byRule(alerts: readonly Alert[]): Map<string, Alert[]> {
  const found = new Map<string, Alert[]>();
  for (const alert of alerts) found.set(alert.rule, [...(found.get(alert.rule) ?? []), alert]);
  return found;
}

/** There is somebody who would be told of it now. */
const isHeard = (alert: Alert, receivers: readonly Receiver[]): boolean =>
  !alert.silenced && receivers.some((receiver) => isFor(receiver, alert));

/** It is over, and nobody ever heard of it or would hear of that. */
const isForgotten = (alert: Alert, receivers: readonly Receiver[]): boolean =>
  alert.resolvedAt !== undefined && (alert.toldAt === undefined || !isHeard(alert, receivers));

function withSilence(alert: Alert, isSilenced: boolean): Alert {
  const { silenced: _, ...others } = alert;
  return isSilenced ? { ...others, silenced: true } : others;
}

const isMatch = ({ rule, namespace, name }: Silence, alert: Alert): boolean =>
  (rule === undefined || rule === alert.rule) &&
  (namespace === undefined || namespace === alert.namespace) &&
  (name === undefined || name === alert.name);

const shortened = (alert: Active): Active => ({ ...alert, cause: cut(alert.cause), remedy: cut(alert.remedy) });

/** Control characters would take six bytes each. */
function cut(text: string): string {
  const plain = text.slice(0, MAX_TEXT_BYTES + 1).replace(/\p{Cc}/gu, " ");
  if (plain.length === text.length && byteLength(plain) <= MAX_TEXT_BYTES) return plain;
  const { read } = new TextEncoder().encodeInto(plain, new Uint8Array(MAX_TEXT_BYTES - byteLength("…")));
  return `${plain.slice(0, read)}…`;
}

type News = { alerts: readonly Alert[]; since: number | undefined; isRepeat: boolean };

const isNew = ({ toldAt, resolvedAt }: Alert): boolean => (toldAt === undefined) === (resolvedAt === undefined);

/** What there is to tell of one rule: what is new, or else what is still so after the time in which it is repeated. */
function newsOf(alerts: readonly Alert[], repeatMs: number, now: number): News {
  const news = alerts.filter(isNew);
  if (news.length > 0) {
    const since = Math.min(...news.map(({ resolvedAt, firedAt }) => resolvedAt ?? firedAt));
    return { alerts: news, since, isRepeat: false };
  }
  const told = alerts.filter(({ resolvedAt }) => resolvedAt === undefined);
  const last = Math.max(...told.map(({ toldAt = 0 }) => toldAt));
  const isDue = told.length > 0 && repeatMs > 0 && now - last >= repeatMs;
  return { alerts: isDue ? told : [], since: isDue ? last : undefined, isRepeat: isDue };
}

/** When it is told: so soon after it came up that others can join, and so long after the last message of the rule. */
function dueOf({ since }: News, last: number | undefined, { waitMs, intervalMs }: AlertConfig["timing"]): number {
  if (since === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(since + waitMs, last === undefined ? 0 : last + intervalMs);
}

const isFor = ({ rules, errorsOnly }: Receiver, { rule, severity }: Alert): boolean =>
  (!errorsOnly || severity === "error") && (!rules || rules.includes(rule));

const toldOf = ({ rule, severity, kind, namespace, name, cause, remedy, since, firedAt }: Alert): Told => ({
  rule,
  severity,
  kind,
  ...(namespace && { namespace }),
  name,
  cause,
  remedy,
  since: since || firedAt,
});

/** Of two at one moment the second's is longer. */
function idFor(rule: string, messages: Readonly<Record<string, unknown>>, now: number): string {
  const id = `${rule}-${now.toString(36)}`;
  return messages[id] === undefined ? id : idFor(`${rule}-again`, messages, now);
}

function messageOf({ alerts, isRepeat }: News, now: number): AlertMessage {
  const part = (isResolved: boolean) =>
    alerts.filter(({ resolvedAt }) => (resolvedAt !== undefined) === isResolved).map(toldOf);
  return { at: now, firing: part(false), resolved: part(true), ...(isRepeat && { repeated: true }) };
}

/** All of a message are of one rule, so that who takes errors alone is the only one who takes a part of it. */
const waitingFor = (id: string, alerts: readonly Alert[], receivers: readonly Receiver[], now: number): Waiting[] =>
  receivers
    .filter((receiver) => alerts.some((alert) => isFor(receiver, alert)))
    .map(({ name, errorsOnly }) => ({
      id,
      receiver: name,
      due: now,
      attempts: 0,
      ...(errorsOnly && { errorsOnly: true }),
    }));

const TEST = (now: number): Told => ({
  rule: "test",
  severity: "warning",
  kind: "Cluster",
  name: "test",
  cause: "This is a test: somebody asked for it.",
  remedy: "Nothing is to be done.",
  since: now,
});

function statusOf({ name, target }: Receiver, before: readonly ReceiverStatus[]): ReceiverStatus {
  const of = target.type === "webpush" ? target.of : {};
  return { ...before.find((known) => known.name === name), ...of, name, type: target.type };
}

function nextDue(
  { alerts, groups }: AlertStatus,
  { receivers, silences, timing }: Pick<AlertConfig, "receivers" | "silences" | "timing">,
  now: number,
): number | undefined {
  if (receivers.length === 0) return undefined;
  const times = [...byRule(alerts.filter((alert) => isHeard(alert, receivers)))].flatMap(([rule, own]) => {
    const news = newsOf(own, timing.repeatMs, now);
    if (news.alerts.length > 0) return [dueOf(news, groups[rule], timing)];
    return timing.repeatMs > 0 ? [Math.max(...own.map(({ toldAt = 0 }) => toldAt)) + timing.repeatMs] : [];
  });
  const ends = alerts.some(({ silenced }) => silenced) ? silences.map(({ until }) => until) : [];
  const soonest = Math.min(...[...times, ...ends].filter((time) => time > now));
  return Number.isFinite(soonest) ? soonest : undefined;
}

// ---- deliveries ----

/**
 * What fits into the ConfigMap. Of whoever has most waiting the oldest is dropped, so that one that takes nothing costs no
 * other a message; what nobody has heard then counts as not told.
 */
function bounded(status: AlertStatus): AlertStatus {
  const { deliveries, messages } = status;
  const bytesOf = (value: unknown) => byteLength(JSON.stringify(value));
  const sizes = new Map(Object.entries(messages).map(([id, message]) => [id, bytesOf(message)]));
  const referring = new Map<string, number>();
  const queues = new Map<string, Waiting[]>();
  for (const waiting of deliveries) {
    referring.set(waiting.id, (referring.get(waiting.id) ?? 0) + 1);
    queues.set(waiting.receiver, [...(queues.get(waiting.receiver) ?? []), waiting]);
  }
  let bytes = bytesOf({ ...status, messages: {} });
  for (const id of referring.keys()) bytes += sizes.get(id) ?? 0;
  const dropped = new Set<Waiting>();
  const unheard: AlertMessage[] = [];
  for (;;) {
    const longest = [...queues.values()].reduce((most, queue) => (queue.length > most.length ? queue : most), []);
    if (longest.length <= MAX_WAITING && bytes <= MAX_STATUS_BYTES) break;
    const oldest = longest.shift();
    if (!oldest) break;
    dropped.add(oldest);
    bytes -= bytesOf(oldest);
    const left = (referring.get(oldest.id) ?? 0) - 1;
    referring.set(oldest.id, left);
    const message = messages[oldest.id];
    if (left > 0 || !message) continue;
    bytes -= sizes.get(oldest.id) ?? 0;
    if (!message.heard) unheard.push(message);
  }
  return referred({
    ...status,
    deliveries: deliveries.filter((waiting) => !dropped.has(waiting)),
    alerts: status.alerts.map((alert) => {
      if (!unheard.some(({ at, firing }) => at === alert.toldAt && firing[0]?.rule === alert.rule)) return alert;
      const { toldAt: _, ...untold } = alert;
      return untold;
    }),
  });
}

/** Without messages that wait for nobody. */
function referred(status: AlertStatus): AlertStatus {
  const ids = new Set(status.deliveries.map(({ id }) => id));
  return { ...status, messages: Object.fromEntries(Object.entries(status.messages).filter(([id]) => ids.has(id))) };
}

/** Of each receiver its oldest: what it is told comes in order. */
export function nextDeliveries({ deliveries, messages }: Pick<AlertStatus, "deliveries" | "messages">): Delivery[] {
  const first = new Map<string, Waiting>();
  for (const waiting of deliveries) if (!first.has(waiting.receiver)) first.set(waiting.receiver, waiting);
  return [...first.values()].flatMap((waiting) => {
    const whole = messages[waiting.id];
    if (!whole) return [];
    const { heard: _, ...message } = whole;
    const own = (told: readonly Told[]) =>
      waiting.errorsOnly ? told.filter(({ severity }) => severity === "error") : told;
    return [{ ...waiting, ...message, firing: own(message.firing), resolved: own(message.resolved) }];
  });
}

export const isSame = (a: Pick<Waiting, "id" | "receiver">, b: Pick<Waiting, "id" | "receiver">): boolean =>
  a.id === b.id && a.receiver === b.receiver;

/** How an attempt ended. `gone`: there is nobody any more whom it could reach; `final`: another would end likewise. */
export type Outcome = { sent: true } | { sent: false; error: string; gone?: true; final?: true };

/** What was sent is done; what was not is tried again, ever more seldom, and at last given up. */
export function delivered(status: AlertStatus, delivery: Waiting, outcome: Outcome, now: number): AlertStatus {
  const attempts = delivery.attempts + 1;
  const isOver = outcome.sent || outcome.gone || outcome.final || attempts >= MAX_ATTEMPTS;
  const due = now + Math.min(RETRY_MS * 2 ** (attempts - 1), MAX_RETRY_MS);
  const message = status.messages[delivery.id];
  return referred({
    ...status,
    messages: {
      ...status.messages,
      ...(outcome.sent && message && { [delivery.id]: { ...message, heard: true } }),
    },
    deliveries: status.deliveries.flatMap((other) => {
      if (!isSame(other, delivery)) return [other];
      return isOver ? [] : [{ ...other, attempts, due }];
    }),
    receivers: status.receivers.map((receiver) => {
      if (receiver.name !== delivery.receiver) return receiver;
      const { error: _, failedAt: __, ...well } = receiver;
      if (outcome.sent) return { ...well, sentAt: now };
      const error = cut(outcome.error);
      return { ...receiver, error: isOver ? `${error}; given up` : error, failedAt: now };
    }),
  });
}
