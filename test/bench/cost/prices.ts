/**
 * What Cloudflare asks, in US dollars, as its documentation said in November 2026:
 * https://developers.cloudflare.com/durable-objects/platform/pricing/ and
 * https://developers.cloudflare.com/workers/platform/pricing/
 */
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

type Counted = {
  workerRequests: number;
  objectRequests: number;
  alarms: number;
  messages: number;
  awakeMs: number;
  rowsRead: number;
  rowsWritten: number;
  rowsLater: number;
  storedBytes: number;
};

export const billed = (usage: Counted): Billed => ({
  workerRequests: usage.workerRequests,
  objectRequests: usage.objectRequests + usage.alarms + usage.messages / MESSAGES_PER_REQUEST,
  duration: (usage.awakeMs / 1000) * OBJECT_GB,
  rowsRead: usage.rowsRead,
  rowsWritten: usage.rowsWritten + usage.rowsLater,
  storedGb: usage.storedBytes / 1e9,
});

/** The share of a free day that this uses, and of what. */
export function tightest(day: Billed): { share: number; line: Line } {
  const shares = Object.entries(LINES).map(([key, line]) => ({
    share: day[key as keyof typeof LINES] / line.freePerDay,
    line,
  }));
  return shares.reduce((most, each) => (each.share > most.share ? each : most));
}

/** A month of such days on the paid plan, beyond its base price. */
export function beyondIncluded(day: Billed): number {
  const lines = Object.entries(LINES).map(([key, { includedPerMonth, pricePerUnit }]) => {
    const month = day[key as keyof typeof LINES] * DAYS_PER_MONTH;
    return Math.max(0, month - includedPerMonth) * pricePerUnit;
  });
  const stored = Math.max(0, day.storedGb - STORED.freeGb) * STORED.pricePerGbMonth;
  return lines.reduce((total, line) => total + line, stored);
}

/** The same month, were nothing included. */
export function fullPrice(day: Billed): number {
  const lines = Object.entries(LINES).map(
    ([key, { pricePerUnit }]) => day[key as keyof typeof LINES] * DAYS_PER_MONTH * pricePerUnit,
  );
  return lines.reduce((total, line) => total + line, day.storedGb * STORED.pricePerGbMonth);
}
