import { beyondIncluded, billed, type MonthUsage, PAID_PLAN_PER_MONTH, tightest } from "../api/usage.ts";
import { duration } from "./words.ts";

const DAY_MS = 86_400_000;

const percent = (share: number): string => (share < 0.01 ? "less than 1 %" : `${Math.round(share * 100)} %`);

export type Spent = { awake: string; free: string; paid: string };

/** What a month so far is in time and in money. */
export function spentOf(usage: MonthUsage, now: number): Spent {
  const used = billed(usage);
  const days = Math.max(1, (now - Date.parse(usage.since)) / DAY_MS);
  const { share, line } = tightest(used, days);
  const beyond = beyondIncluded(used);
  return {
    awake: duration(usage.awakeMs),
    free: share === 0 ? "nothing yet" : `${percent(share)} of what it has in that time, ${line.name} before all`,
    paid:
      beyond === 0
        ? `all within its $${PAID_PLAN_PER_MONTH}`
        : `$${beyond.toFixed(2)} beyond its $${PAID_PLAN_PER_MONTH}`,
  };
}
