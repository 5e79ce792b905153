import type { Effects } from "../../lib/effects.ts";

/** A clock that stands still and chance that stays the same, unless they are moved; uids count up. */
export function testEffects(): { clock: { now: number; random: number }; effects: Effects } {
  const clock = { now: Date.UTC(2026, 0, 2, 3, 4, 5), random: 0.5 };
  let serial = 0;
  const effects = {
    now: () => clock.now,
    random: () => clock.random,
    uid: () => `00000000-0000-4000-8000-${String(++serial).padStart(12, "0")}`,
  };
  return { clock, effects };
}
