/**
 * What Cloudflare asks, in US dollars, as its documentation said in November 2026:
 * https://developers.cloudflare.com/durable-objects/platform/pricing/ and
 * https://developers.cloudflare.com/workers/platform/pricing/
 */
import type { ObjectUsage } from "./usage.ts";

export const PRICES_READ = "November 2026";

/** An object is billed for this much memory while it is awake, whatever it uses. */
const OBJECT_GB = 0.128;
/** Messages received on sockets that are billed as one request; those sent are free, and pings that the platform answers. */
const MESSAGES_PER_REQUEST = 20;
export const PAID_PLAN_PER_MONTH = 5;
export const DAYS_PER_MONTH = 30;

/** A line of the bill: what a day of the free plan and a month of the paid one include, and what a unit more costs. */
export type Line = { name: string; unit: string; freePerDay: number; includedPerMonth: number; pricePerUnit: number };

export const LINES = {
  workerRequests: {
    name: "Worker requests",
    unit: "",
    freePerDay: 100_000,
    includedPerMonth: 10e6,
    pricePerUnit: 0.3e-6,
  },
  objectRequests: {
    name: "object requests",
    unit: "",
    freePerDay: 100_000,
    includedPerMonth: 1e6,
    pricePerUnit: 0.15e-6,
  },
  duration: {
    name: "object duration",
    unit: "GB-s",
    freePerDay: 13_000,
    includedPerMonth: 400_000,
    pricePerUnit: 12.5e-6,
  },
  rowsRead: { name: "rows read", unit: "", freePerDay: 5e6, includedPerMonth: 25e9, pricePerUnit: 0.001e-6 },
  rowsWritten: { name: "rows written", unit: "", freePerDay: 100_000, includedPerMonth: 50e6, pricePerUnit: 1e-6 },
} as const satisfies Record<string, Line>;

/** Stored data: free in all up to this, and what a GB more costs a month. */
const STORED = { freeGb: 5, pricePerGbMonth: 0.2 };

export type Billed = Record<keyof typeof LINES, number> & { storedGb: number };

/** What is counted; what does not count one of these leaves it out. */
export type Counted = ObjectUsage & { workerRequests?: number; rowsLater?: number };

export const billed = (usage: Counted): Billed => ({
  workerRequests: usage.workerRequests ?? usage.objectRequests,
  objectRequests: usage.objectRequests + usage.alarms + usage.messages / MESSAGES_PER_REQUEST,
  duration: (usage.awakeMs / 1000) * OBJECT_GB,
  rowsRead: usage.rowsRead,
  rowsWritten: usage.rowsWritten + (usage.rowsLater ?? 0),
  storedGb: usage.storedBytes / 1e9,
});

const NAMES = Object.keys(LINES) as (keyof typeof LINES)[];

/** So many days like this one. */
export const overDays = (day: Billed, days: number): Billed => ({
  ...(Object.fromEntries(NAMES.map((name) => [name, day[name] * days])) as Record<keyof typeof LINES, number>),
  storedGb: day.storedGb,
});

/** The share that this is of what the free plan has for so many days, and of what. */
export function tightest(used: Billed, days = 1): { share: number; line: Line } {
  const shares = NAMES.map((name) => ({ share: used[name] / (LINES[name].freePerDay * days), line: LINES[name] }));
  return shares.reduce((most, each) => (each.share > most.share ? each : most));
}

/** A month on the paid plan, beyond its base price. */
export function beyondIncluded(month: Billed): number {
  const lines = NAMES.map((name) => Math.max(0, month[name] - LINES[name].includedPerMonth) * LINES[name].pricePerUnit);
  const stored = Math.max(0, month.storedGb - STORED.freeGb) * STORED.pricePerGbMonth;
  return lines.reduce((total, line) => total + line, stored);
}

/** The same month, were nothing included. */
export const fullPrice = (month: Billed): number =>
  NAMES.reduce(
    (total, name) => total + month[name] * LINES[name].pricePerUnit,
    month.storedGb * STORED.pricePerGbMonth,
  );
