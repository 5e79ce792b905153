import type { Effects } from "./lib/effects.ts";

/** The platform's clock, chance and ids: the only place in the Worker that reads them. */
export const effects: Effects = {
  now: () => Date.now(),
  random: () => Math.random(),
  uid: () => crypto.randomUUID(),
};
