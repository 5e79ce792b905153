/** Instants and spans as Go writes and reads them. */
import { CelError } from "./errors.ts";
import { CelDuration, CelTimestamp } from "./values.ts";

const SECOND = 1_000_000_000n;
/** 0001-01-01 and 9999-12-31, in seconds. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;
const MAX_NANOS = 2n ** 63n - 1n;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

/** Undefined for what is no RFC 3339 date and time. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const found = RFC3339.exec(text);
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = found;
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number.isNaN(milliseconds) || Number(day) > days || Number(hour) > 23) return undefined;
  const nanos = BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  return new CelTimestamp(nanos, /^[+-]00:00$/.test(zone) ? "Z" : zone);
}

/** Throws CelError outside the years 1 to 9999. */
export function checkedTimestamp(nanos: bigint, zone?: string): CelTimestamp {
  const seconds = floorDivide(nanos, SECOND);
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw new CelError("timestamp overflow");
  return new CelTimestamp(nanos, zone);
}

export function checkedDuration(nanos: bigint): CelDuration {
  if (nanos > MAX_NANOS || nanos < -MAX_NANOS - 1n) throw new CelError("duration overflow");
  return new CelDuration(nanos);
}

export const floorDivide = (a: bigint, b: bigint): bigint => (a % b < 0n ? a / b - 1n : a / b);

export function formatTimestamp({ nanos: instant, zone }: CelTimestamp): string {
  const nanos = instant + zoneNanos(zone);
  const seconds = floorDivide(nanos, SECOND);
  const fraction = (nanos - seconds * SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction && `.${fraction}`}${zone}`;
}

function zoneNanos(zone: string): bigint {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? [];
  const size = (BigInt(hours ?? 0) * 60n + BigInt(minutes ?? 0)) * 60n * SECOND;
  return sign === "-" ? -size : size;
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  "\u00b5s": 1000n,
  "\u03bcs": 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

/** `1h30m`, `-1.5s`, `0`; undefined for what is none. */
export function parseDuration(text: string): CelDuration | undefined {
  const sign = /^[+-]/.exec(text)?.[0];
  const rest = sign ? text.slice(1) : text;
  if (rest === "0") return new CelDuration(0n);
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/.test(rest)) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of rest.matchAll(/(\d*)\.?(\d*)([a-z\u00b5\u03bc]+)/g)) {
    const size = UNITS[unit] as bigint;
    nanos += BigInt(whole || "0") * size;
    if (fraction) nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (nanos > MAX_NANOS) return undefined;
  return new CelDuration(sign === "-" ? -nanos : nanos);
}

/** Always in seconds: `5400s`, `1.5s`. */
export function formatDuration({ nanos }: CelDuration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  return `${nanos < 0n ? "-" : ""}${size / SECOND}${fraction && `.${fraction}`}s`;
}

/** The instant as fields of a calendar at a place: `UTC`, `+02:00`, `Europe/Berlin`. Throws for no place. */
export function localTime({ nanos }: CelTimestamp, zone: string): Date {
  const milliseconds = Number(floorDivide(nanos, 1_000_000n));
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset) {
    const [, sign, hours, minutes] = offset;
    return new Date(milliseconds + (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000);
  }
  return new Date(milliseconds + zoneOffset(milliseconds, zone));
}

function zoneOffset(milliseconds: number, zone: string): number {
  if (zone === "UTC" || zone === "") return 0;
  try {
    const shown = new Date(milliseconds).toLocaleString("en-US", { timeZone: zone, hourCycle: "h23" });
    const there = Date.parse(`${shown} UTC`);
    return there - Math.floor(milliseconds / 1000) * 1000;
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}
