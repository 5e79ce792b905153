/**
 * Counts what the Cluster object uses of what Cloudflare bills. Its memory is gone whenever it sleeps, and to write after
 * each event would cost more than many an event: so what was counted is kept by chance, the likelier the more it cost, and
 * then that many times over. Sums are right on average, and keeping them costs 1 % of what is counted.
 */

import { USAGE } from "./api/backup/settings.ts";
import { type Effects, timestamp } from "./lib/effects.ts";
import { billed, fullPrice } from "./lib/facts/prices.ts";
import { combined, type MonthUsage, type ObjectUsage, UNUSED } from "./lib/facts/usage.ts";
import type { Store } from "./storage/store.ts";

/** What is always kept, dollars: a row that is written costs 1 % of that. */
const KEPT_DOLLARS = 1e-4;
/** Who never rests is looked at as often, ms. */
const LOOK_MS = 60_000;

type Counter = Exclude<keyof ObjectUsage, "awakeMs" | "storedBytes">;
type Kept = Omit<MonthUsage, "storedBytes">;

const monthOf = (now: number): string => timestamp(now).slice(0, 7);

export class Meter {
  readonly #effects: Pick<Effects, "now" | "random">;
  readonly #storedBytes: () => number;
  #store: Store | undefined;
  /** Since this memory began, kept or not; what is stored is no part of it. */
  readonly total: ObjectUsage = { ...UNUSED };
  /** What of it was kept, or left. */
  #settled: ObjectUsage = UNUSED;
  /** What keeps the object awake just now. */
  #reasons = 0;
  #since = 0;

  constructor(effects: Pick<Effects, "now" | "random">, storedBytes: () => number) {
    this.#effects = effects;
    this.#storedBytes = storedBytes;
  }

  /** Where sums lie; nothing is kept before. */
  keepIn(store: Store): void {
    this.#store = store;
  }

  count(what: Counter, more = 1): void {
    this.total[what] += more;
  }

  begin(): void {
    if (this.#reasons++ === 0) this.#since = this.#effects.now();
  }

  end(): void {
    const now = this.#effects.now();
    if (--this.#reasons > 0 && now - this.#since < LOOK_MS) return;
    this.total.awakeMs += now - this.#since;
    this.#since = now;
    this.#keep(now);
  }

  async during<T>(event: Counter | undefined, body: () => Promise<T>): Promise<T> {
    if (event) this.count(event);
    this.begin();
    try {
      return await body();
    } finally {
      this.end();
    }
  }

  /** Of this month so far. */
  month(): MonthUsage {
    const now = this.#effects.now();
    const storedBytes = this.#storedBytes();
    return { ...UNUSED, month: monthOf(now), since: timestamp(now), ...this.#kept(now), storedBytes };
  }

  #kept(now: number): Kept | undefined {
    const kept = JSON.parse(this.#store?.getSetting(USAGE) ?? "{}") as Partial<Kept>;
    return kept.month === monthOf(now) ? (kept as Kept) : undefined;
  }

  /** Where no writes are taken, as on a full disk, it is not counted: whoever was answered meanwhile has nothing to do with that. */
  #keep(now: number): void {
    try {
      if (this.#store) this.#keepIn(this.#store, now);
    } catch {
      // not counted
    }
  }

  #keepIn(store: Store, now: number): void {
    const counted = combined(this.total, this.#settled, (all, settled) => all - settled);
    this.#settled = { ...this.total };
    const share = Math.min(1, fullPrice(billed(counted)) / KEPT_DOLLARS);
    if (this.#effects.random() >= share) return;
    const kept = { ...UNUSED, month: monthOf(now), since: timestamp(now), ...this.#kept(now) };
    const { storedBytes: _, ...sums } = combined(kept, counted, (sum, more) => sum + Math.round(more / share));
    store.write(() => store.setSetting(USAGE, JSON.stringify({ ...kept, ...sums } satisfies Kept)));
  }
}
