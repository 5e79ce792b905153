/** What the ConfigMap `kube-system/skerry-alerts` says: who is told of what, and when. Everything in it is optional. */
import { parse } from "yaml";
import { parseDuration } from "../cel/times.ts";
import { errorText } from "../error-text.ts";
import { ALERT_RULES, type BrowserFacts, type RuleSettings } from "../facts/alerts.ts";
import type { ProblemRule } from "../facts/problems.ts";
import { dnsLabelProblems } from "../names.ts";
import { duplicate, type FieldError, invalidValue, notSupported, required, tooMany } from "../status.ts";

/** `…Key` names an entry of the Secret `kube-system/skerry-alerts`. */
export type Target =
  | { type: "webhook"; url?: string; urlKey?: string; hmacKey?: string; tokenKey?: string }
  | { type: "ntfy"; url?: string; urlKey?: string; tokenKey?: string }
  /** By the HTTP API of a mail service. */
  | { type: "email"; url: string; tokenKey: string; from: string; to: readonly string[] }
  /** A browser's subscription; nobody writes these down here. */
  | { type: "webpush"; key: string; of?: BrowserFacts };

export type Receiver = {
  name: string;
  target: Target;
  /** It is told of errors alone. */
  errorsOnly: boolean;
  /** It is told of these alone. */
  rules?: readonly string[];
};

/** What it matches is not told until then, ms. */
export type Silence = { rule?: string; namespace?: string; name?: string; until: number };

/** In ms. `wait`: what comes so soon after the first goes into the same message; `interval`: between messages of one rule. */
export type Timing = { waitMs: number; intervalMs: number; repeatMs: number };

export type AlertConfig = {
  receivers: readonly Receiver[];
  rules: Readonly<Record<ProblemRule, RuleSettings>>;
  silences: readonly Silence[];
  timing: Timing;
};

const RULE_NAMES = Object.keys(ALERT_RULES) as ProblemRule[];
const DEFAULT_TIMING: Timing = { waitMs: 30_000, intervalMs: 300_000, repeatMs: 12 * 3_600_000 };
const MIN_REPEAT_MS = 60_000;
const MAX_RECEIVERS = 20;
const MAX_SILENCES = 100;
const MAX_DURATION_MS = 366 * 24 * 3_600_000;
const NANOS_A_MS = 1_000_000n;
const DATA_KEYS = ["receivers", "rules", "silences", "timing"];
/** https://resend.com/docs/api-reference/emails/send-email */
const MAIL_URL = "https://api.resend.com/emails";

type Fields = Readonly<Record<string, unknown>>;

/** Reads what it can, and notes what it cannot: a misspelt rule must not be one that is not held. */
class Reader {
  readonly problems: FieldError[] = [];

  yaml(text: string | undefined, field: string): unknown {
    try {
      return parse(text ?? "", { maxAliasCount: 0 });
    } catch (error) {
      this.problems.push(invalidValue(field, text, errorText(error)));
      return undefined;
    }
  }

  fields(value: unknown, field: string, known: readonly string[]): Fields {
    if (value === undefined || value === null) return {};
    if (typeof value !== "object" || Array.isArray(value)) {
      this.problems.push(invalidValue(field, value, "must be an object"));
      return {};
    }
    for (const name of Object.keys(value))
      if (!known.includes(name)) this.problems.push(notSupported(`${field}.${name}`, name, known));
    return value as Fields;
  }

  list(value: unknown, field: string, most: number): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.problems.push(invalidValue(field, value, "must be a list"));
      return [];
    }
    if (value.length > most) this.problems.push(tooMany(field, value.length, most));
    return value.slice(0, most);
  }

  text(value: unknown, field: string): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" && value !== "") return value;
    this.problems.push(invalidValue(field, value, "must be a text"));
    return undefined;
  }

  oneOf(value: unknown, field: string, known: readonly string[]): string | undefined {
    const text = this.text(value, field);
    if (text === undefined || known.includes(text)) return text;
    this.problems.push(notSupported(field, text, known));
    return undefined;
  }

  duration(value: unknown, field: string, otherwise: number): number {
    if (value === undefined || value === null) return otherwise;
    const nanos = typeof value === "string" ? parseDuration(value)?.nanos : value === 0 ? 0n : undefined;
    const ms = nanos === undefined ? -1 : Number(nanos / NANOS_A_MS);
    if (ms >= 0 && ms <= MAX_DURATION_MS) return ms;
    this.problems.push(invalidValue(field, value, "must be a duration of at most 8784h, such as 5m"));
    return otherwise;
  }

  /** Of what lasts a message each time, to everybody. */
  repeat(value: unknown, field: string): number {
    const ms = this.duration(value, field, DEFAULT_TIMING.repeatMs);
    if (ms === 0 || ms >= MIN_REPEAT_MS) return ms;
    this.problems.push(invalidValue(field, value, "must be 0s, which is never, or at least 1m"));
    return DEFAULT_TIMING.repeatMs;
  }

  url(value: unknown, field: string): string | undefined {
    const text = this.text(value, field);
    if (text === undefined || isHttpUrl(text)) return text;
    this.problems.push(invalidValue(field, text, "must be an http or https URL without a user"));
    return undefined;
  }
}

/** A user or password in it would be shown wherever the ConfigMap is. */
export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

const TARGETS: Readonly<Record<string, (read: Reader, value: unknown, field: string) => Target | undefined>> = {
  webhook(read, value, field) {
    const fields = read.fields(value, field, ["url", "urlKey", "hmacKey", "tokenKey"]);
    const { hmacKey, ...place } = placeOf(read, fields, field);
    return { type: "webhook", ...place, ...(hmacKey && { hmacKey }) };
  },
  ntfy(read, value, field) {
    const fields = read.fields(value, field, ["url", "urlKey", "tokenKey"]);
    const { hmacKey: _, ...place } = placeOf(read, fields, field);
    return { type: "ntfy", ...place };
  },
  email(read, value, field) {
    const fields = read.fields(value, field, ["url", "tokenKey", "from", "to"]);
    const url = read.url(fields.url, `${field}.url`) ?? MAIL_URL;
    const tokenKey = read.text(fields.tokenKey, `${field}.tokenKey`);
    const from = read.text(fields.from, `${field}.from`);
    const to = read
      .list(fields.to, `${field}.to`, MAX_RECEIVERS)
      .flatMap((one, i) => read.text(one, `${field}.to[${i}]`) ?? []);
    if (!tokenKey) read.problems.push(required(`${field}.tokenKey`, "the key of its token in the Secret"));
    if (!from) read.problems.push(required(`${field}.from`));
    if (to.length === 0) read.problems.push(required(`${field}.to`));
    return tokenKey && from && to.length > 0 ? { type: "email", url, tokenKey, from, to } : undefined;
  },
};

function placeOf(read: Reader, fields: Fields, field: string) {
  const url = read.url(fields.url, `${field}.url`);
  const keys = ["urlKey", "tokenKey", "hmacKey"].flatMap((name) => {
    const key = read.text(fields[name], `${field}.${name}`);
    return key === undefined ? [] : [[name, key] as const];
  });
  const { urlKey, tokenKey, hmacKey } = Object.fromEntries(keys) as Partial<Record<string, string>>;
  if ((fields.url === undefined) === (urlKey === undefined))
    read.problems.push(required(`${field}.url`, "either this or urlKey, which names a key of the Secret"));
  return { ...(url && { url }), ...(urlKey && { urlKey }), ...(tokenKey && { tokenKey }), ...(hmacKey && { hmacKey }) };
}

function receiverOf(read: Reader, value: unknown, field: string): Receiver[] {
  const fields = read.fields(value, field, ["name", "severity", "rules", ...Object.keys(TARGETS)]);
  const name = read.text(fields.name, `${field}.name`);
  if (!name) read.problems.push(required(`${field}.name`));
  for (const problem of name ? dnsLabelProblems(name) : [])
    read.problems.push(invalidValue(`${field}.name`, name, problem));
  const severity = read.oneOf(fields.severity, `${field}.severity`, ["error", "warning"]);
  const types = Object.keys(TARGETS).filter((type) => fields[type] !== undefined);
  const [type] = types;
  if (types.length !== 1 || !type) {
    read.problems.push(required(field, `exactly one of ${Object.keys(TARGETS).join(", ")}`));
    return [];
  }
  const target = TARGETS[type]?.(read, fields[type], `${field}.${type}`);
  const rules = fields.rules === undefined ? undefined : rulesIn(read, fields.rules, `${field}.rules`);
  return name && target ? [{ name, target, errorsOnly: severity === "error", ...(rules && { rules }) }] : [];
}

const rulesIn = (read: Reader, value: unknown, field: string): string[] =>
  read.list(value, field, RULE_NAMES.length).flatMap((one, i) => read.oneOf(one, `${field}[${i}]`, RULE_NAMES) ?? []);

function silenceOf(read: Reader, value: unknown, field: string): Silence[] {
  const fields = read.fields(value, field, ["rule", "namespace", "name", "until", "comment"]);
  const rule = read.oneOf(fields.rule, `${field}.rule`, RULE_NAMES);
  const namespace = read.text(fields.namespace, `${field}.namespace`);
  const name = read.text(fields.name, `${field}.name`);
  const until = Date.parse(String(fields.until));
  if (fields.until === undefined) read.problems.push(required(`${field}.until`, "a time such as 2030-01-31T12:00:00Z"));
  else if (Number.isNaN(until))
    read.problems.push(invalidValue(`${field}.until`, fields.until, "must be a time such as 2030-01-31T12:00:00Z"));
  if (Number.isNaN(until) || (fields.rule !== undefined && !rule)) return [];
  return [{ until, ...(rule && { rule }), ...(namespace && { namespace }), ...(name && { name }) }];
}

/** What is wrong is left out, so that the rest is in force; `problems` tell it. */
export function readAlertConfig(data: Readonly<Record<string, string>> = {}): {
  config: AlertConfig;
  problems: FieldError[];
} {
  const read = new Reader();
  for (const key of Object.keys(data))
    if (!DATA_KEYS.includes(key)) read.problems.push(notSupported(`data[${key}]`, key, DATA_KEYS));
  const receivers = read
    .list(read.yaml(data.receivers, "data[receivers]"), "data[receivers]", MAX_RECEIVERS)
    .flatMap((value, i) => receiverOf(read, value, `data[receivers][${i}]`));
  receivers.forEach(({ name }, i) => {
    if (receivers.findIndex((other) => other.name === name) < i)
      read.problems.push(duplicate(`data[receivers][${i}].name`, name));
  });
  const told = read.fields(read.yaml(data.rules, "data[rules]"), "data[rules]", RULE_NAMES);
  const rules = Object.fromEntries(
    RULE_NAMES.map((rule) => {
      const field = `data[rules].${rule}`;
      const { enabled = true, for: lasts } = read.fields(told[rule], field, ["enabled", "for"]);
      if (typeof enabled !== "boolean")
        read.problems.push(invalidValue(`${field}.enabled`, enabled, "must be true or false"));
      return [
        rule,
        { enabled: enabled !== false, forMs: read.duration(lasts, `${field}.for`, ALERT_RULES[rule].forMs) },
      ];
    }),
  ) as AlertConfig["rules"];
  const silences = read
    .list(read.yaml(data.silences, "data[silences]"), "data[silences]", MAX_SILENCES)
    .flatMap((value, i) => silenceOf(read, value, `data[silences][${i}]`));
  const times = read.fields(read.yaml(data.timing, "data[timing]"), "data[timing]", ["wait", "interval", "repeat"]);
  const timing = {
    waitMs: read.duration(times.wait, "data[timing].wait", DEFAULT_TIMING.waitMs),
    intervalMs: read.duration(times.interval, "data[timing].interval", DEFAULT_TIMING.intervalMs),
    repeatMs: read.repeat(times.repeat, "data[timing].repeat"),
  };
  return { config: { receivers, rules, silences, timing }, problems: read.problems };
}
