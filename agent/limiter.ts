import type { Urgency } from "./runtime.ts";

/**
 * Runs at most `most` bodies at once, in the order asked. Patient ones begin only while nobody else waits: what was
 * begun is finished before more is begun, so that of many pods some are ready soon, instead of all being half made.
 */
export function limiter(most: number): <T>(body: () => Promise<T>, urgency?: Urgency) => Promise<T> {
  let running = 0;
  const waiting: Record<Urgency, (() => void)[]> = { now: [], patient: [] };
  return async (body, urgency = "now") => {
    if (running >= most) await new Promise<void>((resolve) => waiting[urgency].push(resolve));
    else running++;
    try {
      return await body();
    } finally {
      const next = waiting.now.shift() ?? waiting.patient.shift(); // takes over this one's place
      if (next) next();
      else running--;
    }
  };
}
