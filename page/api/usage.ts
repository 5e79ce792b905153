import type { MonthUsage } from "../../worker/lib/facts/usage.ts";
import type { Client } from "./client.ts";

/** What the control plane used this month. */
export const askUsage = (client: Client, signal: AbortSignal): Promise<MonthUsage> =>
  client.json<MonthUsage>("/skerry/usage", { signal });

export { beyondIncluded, billed, PAID_PLAN_PER_MONTH, tightest } from "../../worker/lib/facts/prices.ts";
export type { MonthUsage };
