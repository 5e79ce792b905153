/**
 * What becomes of alerts: `(status, what is wrong, configuration, now) → status`. An alert fires, somebody is told of it, it is
 * resolved, and they are told of that. What they are to be told stands in the status until it was delivered, so that no
 * end of this process loses it.
 */
import {
  type Alert,
  type AlertStatus,
  alertId,
  type Delivery,
  type ReceiverStatus,
  type Told,
} from "../facts/alerts.ts";
import type { AlertConfig, Receiver, Silence } from "./config.ts";

/** What is told of an alert. */
export type Active = Omit<Alert, "firedAt" | "toldAt" | "resolvedAt" | "silenced">;

export type Wrong = {
  /** By id what is an alert now; described when it begins. */
  active: ReadonlyMap<string, () => Active>;
  /** Ids of what is no reason to begin an alert, and none to end one. */
  lingering: ReadonlySet<string>;
};

export type Step = {
  status: AlertStatus;
  fired: readonly Alert[];
  resolved: readonly Alert[];
  /** When time alone changes something, ms. */
  due: number | undefined;
};

/** They lie in one ConfigMap, which holds 1 MiB. */
const MAX_ALERTS = 500;
const MAX_DELIVERIES = 100;
/** Names that one message has. */
const MAX_TOLD = 50;
const MAX_TEXT = 300;

const RETRY_MS = 10_000;
const MAX_RETRY_MS = 30 * 60_000;
/** It is tried for about three hours. */
const MAX_ATTEMPTS = 14;

export function look(
  before: AlertStatus,
  { active, lingering }: Wrong,
  { rules: _, receivers, silences, timing }: AlertConfig,
  test: string | undefined,
  now: number,
): Step {
  const silenced = (alert: Alert) => silences.some((silence) => now < silence.until && isMatch(silence, alert));
  const isWrong = (alert: Alert) => active.has(alertId(alert)) || lingering.has(alertId(alert));
  const known = before.alerts.map((alert) => goOn(alert, isWrong(alert), now));
  const wrong = new Map(active);
  for (const alert of before.alerts) wrong.delete(alertId(alert));
  const room = Math.max(0, MAX_ALERTS - known.length);
  const fired: Alert[] = [...wrong.values()]
    .slice(0, room)
    .map((describe) => ({ ...shortened(describe()), firedAt: now }));
  const alerts = [...known, ...fired].map((alert) => withSilence(alert, silenced(alert)));
  const groups: Record<string, number> = { ...before.groups };
  const made: Delivery[] = [];
  const told = new Set<Alert>();
  for (const rule of new Set(alerts.map((alert) => alert.rule))) {
    const own = alerts.filter((alert) => alert.rule === rule && !alert.silenced);
    const news = newsOf(own, timing.repeatMs, now);
    if (receivers.length === 0 || now < dueOf(news, groups[rule], timing)) continue;
    const id = `${rule}-${now.toString(36)}`;
    made.push(...deliveriesOf(id, news.alerts, receivers, news.isRepeat, now));
    for (const alert of news.alerts) told.add(alert);
    groups[rule] = now;
  }
  const rest = alerts.flatMap((alert) => {
    if (!told.has(alert)) return isForgotten(alert) ? [] : [alert];
    return alert.resolvedAt === undefined ? [{ ...alert, toldAt: now }] : [];
  });
  for (const rule of Object.keys(groups)) {
    const isOver = !rest.some((alert) => alert.rule === rule) && now - (groups[rule] ?? 0) >= timing.intervalMs;
    if (isOver) delete groups[rule];
  }
  const isTest = test !== undefined && test !== before.tested;
  if (isTest) made.push(...testsOf(receivers, now));
  const names = new Set(receivers.map(({ name }) => name));
  const deliveries = [...before.deliveries.filter(({ receiver }) => names.has(receiver)), ...made];
  const status: AlertStatus = {
    alerts: rest,
    more: Math.max(0, wrong.size - fired.length),
    groups,
    deliveries: deliveries.slice(-MAX_DELIVERIES),
    receivers: receivers.map((receiver) => statusOf(receiver, before.receivers)),
    ...(test !== undefined && { tested: test }),
  };
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

/** It is over, and nobody ever heard of it. */
const isForgotten = ({ resolvedAt, toldAt }: Alert): boolean => resolvedAt !== undefined && toldAt === undefined;

function withSilence(alert: Alert, isSilenced: boolean): Alert {
  const { silenced: _, ...others } = alert;
  return isSilenced ? { ...others, silenced: true } : others;
}

const isMatch = ({ rule, namespace, name }: Silence, alert: Alert): boolean =>
  (rule === undefined || rule === alert.rule) &&
  (namespace === undefined || namespace === alert.namespace) &&
  (name === undefined || name === alert.name);

function shortened(alert: Active): Active {
  const cut = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);
  return { ...alert, cause: cut(alert.cause), remedy: cut(alert.remedy) };
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

function* deliveriesOf(
  id: string,
  alerts: readonly Alert[],
  receivers: readonly Receiver[],
  isRepeat: boolean,
  now: number,
): Iterable<Delivery> {
  for (const receiver of receivers) {
    const own = alerts.filter((alert) => isFor(receiver, alert));
    if (own.length === 0) continue;
    const part = (isResolved: boolean) =>
      own.filter(({ resolvedAt }) => (resolvedAt !== undefined) === isResolved).map(toldOf);
    const [firing, resolved] = [part(false), part(true)];
    yield {
      id,
      receiver: receiver.name,
      at: now,
      due: now,
      attempts: 0,
      firing: firing.slice(0, MAX_TOLD),
      resolved: resolved.slice(0, MAX_TOLD),
      ...(isRepeat && { repeated: true }),
    };
  }
}

function testsOf(receivers: readonly Receiver[], now: number): Delivery[] {
  const told: Told = {
    rule: "test",
    severity: "warning",
    kind: "Cluster",
    name: "test",
    cause: "This is a test: somebody asked for it.",
    remedy: "Nothing is to be done.",
    since: now,
  };
  const common = { id: `test-${now.toString(36)}`, at: now, due: now, attempts: 0, firing: [told], resolved: [] };
  return receivers.map(({ name }) => ({ ...common, receiver: name }));
}

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
  const open = alerts.filter(({ silenced }) => !silenced);
  const times = [...new Set(open.map(({ rule }) => rule))].flatMap((rule) => {
    const own = open.filter((alert) => alert.rule === rule);
    const news = newsOf(own, timing.repeatMs, now);
    if (news.alerts.length > 0) return [dueOf(news, groups[rule], timing)];
    return timing.repeatMs > 0 ? [Math.max(...own.map(({ toldAt = 0 }) => toldAt)) + timing.repeatMs] : [];
  });
  const ends = alerts.some(({ silenced }) => silenced) ? silences.map(({ until }) => until) : [];
  const soonest = Math.min(...[...times, ...ends].filter((time) => time > now));
  return Number.isFinite(soonest) ? soonest : undefined;
}

// ---- deliveries ----

/** Of each receiver its oldest: what it is told comes in order. */
export function nextDeliveries({ deliveries }: Pick<AlertStatus, "deliveries">): Delivery[] {
  return deliveries.filter(({ receiver }, i) => deliveries.findIndex((earlier) => earlier.receiver === receiver) === i);
}

export const isSame = (a: Pick<Delivery, "id" | "receiver">, b: Pick<Delivery, "id" | "receiver">): boolean =>
  a.id === b.id && a.receiver === b.receiver;

/** How an attempt ended. `gone`: there is nobody any more whom it could reach. */
export type Outcome = { sent: true } | { sent: false; error: string; gone?: boolean };

/** What was sent is done; what was not is tried again, ever more seldom, and at last given up. */
export function delivered(status: AlertStatus, delivery: Delivery, outcome: Outcome, now: number): AlertStatus {
  const attempts = delivery.attempts + 1;
  const isOver = outcome.sent || outcome.gone === true || attempts >= MAX_ATTEMPTS;
  const again = { ...delivery, attempts, due: now + Math.min(RETRY_MS * 2 ** (attempts - 1), MAX_RETRY_MS) };
  return {
    ...status,
    deliveries: status.deliveries.flatMap((other) => (isSame(other, delivery) ? (isOver ? [] : [again]) : [other])),
    receivers: status.receivers.map((receiver) => {
      if (receiver.name !== delivery.receiver) return receiver;
      const { error: _, failedAt: __, ...well } = receiver;
      return outcome.sent
        ? { ...well, sentAt: now }
        : { ...receiver, error: isOver ? `${outcome.error}; given up` : outcome.error, failedAt: now };
    }),
  };
}
