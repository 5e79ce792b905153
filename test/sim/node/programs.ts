/** What containers do, by the name of their image. A workload chooses the behaviour it wants by choosing the image. */
import { between, pick, type Random } from "../world/random.ts";

export type Program = {
  /** Ends by itself with this code after so many ms. */
  ends?: { code: number; afterMs: number };
  /** What SIGTERM does; without it only SIGKILL ends it. */
  onTerm?: { code: number; afterMs: number };
  /** Whether probes and hooks succeed. */
  healthy: boolean;
};

/** Images of this name cannot be pulled. */
export const MISSING = "missing";

/**
 * - `job`: ends well after 1–30 s; `fail`: ends with 1 in that time; `crash`: ends with 1 within a second
 * - `flaky`: ends after 5–300 s, one way or another
 * - `stubborn`: does not mind SIGTERM
 * - `sick`: no probe and no hook of it succeeds
 * - every other one runs until it is told to stop
 */
export function programOf(image: string, random: Random): Program {
  const name = (image.split("/").at(-1) ?? "").split(/[:@]/)[0] ?? "";
  const onTerm = { code: pick(random, [0, 0, 143]), afterMs: random() < 0.9 ? between(random, 1, 100) : 5_000 };
  const steady: Program = { onTerm, healthy: true };
  switch (name) {
    case "job":
      return { ...steady, ends: { code: 0, afterMs: between(random, 1_000, 30_000) } };
    case "fail":
      return { ...steady, ends: { code: 1, afterMs: between(random, 1_000, 30_000) } };
    case "crash":
      return { ...steady, ends: { code: 1, afterMs: between(random, 1, 1_000) } };
    case "flaky":
      return { ...steady, ends: { code: pick(random, [0, 1, 137]), afterMs: between(random, 5_000, 300_000) } };
    case "stubborn":
      return { healthy: true };
    case "sick":
      return { ...steady, healthy: false };
    default:
      return steady;
  }
}
