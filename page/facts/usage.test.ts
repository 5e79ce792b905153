import { expect, test } from "vitest";
import type { MonthUsage } from "../api/usage.ts";
import { spentOf } from "./usage.ts";

const NOTHING = { objectRequests: 0, alarms: 0, messages: 0, awakeMs: 0, rowsRead: 0, rowsWritten: 0, storedBytes: 0 };
const SINCE = Date.UTC(2026, 10, 1);
const of = (more: Partial<MonthUsage>): MonthUsage => ({
  ...NOTHING,
  month: "2026-11",
  since: new Date(SINCE).toISOString(),
  ...more,
});
const days = (count: number) => SINCE + count * 86_400_000;

test("a month that has just begun is measured by a day", () => {
  expect(spentOf(of({}), SINCE + 1)).toEqual({ awake: "0s", free: "nothing yet", paid: "all within its $5" });
  expect(spentOf(of({ rowsWritten: 50_000 }), SINCE + 1).free).toMatch(/^50 % .* rows written /);
});

test("the free plan's share is of the days that have been, by what is fullest", () => {
  const usage = of({ rowsWritten: 100_000, objectRequests: 900_000, awakeMs: 7_380_000 });
  expect(spentOf(usage, days(10))).toEqual({
    awake: "2h3m",
    free: "90 % of what it has in that time, Worker requests before all",
    paid: "all within its $5",
  });
  expect(spentOf(of({ alarms: 100 }), days(10)).free).toMatch(/^less than 1 %/);
});

test("the paid plan asks for what is beyond the month's allowance, and for what is stored", () => {
  expect(spentOf(of({ rowsWritten: 51_500_000 }), days(20)).paid).toBe("$1.50 beyond its $5");
  expect(spentOf(of({ storedBytes: 10e9 }), days(20)).paid).toBe("$1.00 beyond its $5");
});
