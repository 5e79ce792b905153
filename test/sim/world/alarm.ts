import type { Part } from "../contract.ts";
import type { Clock } from "./clock.ts";
import type { Conditions } from "./conditions.ts";
import { between } from "./random.ts";

const RETRY_MS = 2_000;

type AlarmOptions = { clock: Clock; part: Part; conditions: Conditions; ring(): void };

/** The one alarm of the object: as the object sees it, and as it is on the disk. */
export class Alarm {
  /** When it goes off, ms; null for never. */
  at: number | null = null;
  readonly #options: AlarmOptions;
  #durable: number | null = null;
  /** The turn that runs has changed it. */
  #isWritten = false;
  #cancel: (() => void) | undefined;

  constructor(options: AlarmOptions) {
    this.#options = options;
  }

  set(at: number | null): void {
    this.at = at;
    this.#isWritten = true;
    this.#schedule();
  }

  /** Its handler is through, so that it need not ring again after a death. */
  written(): void {
    this.#isWritten = true;
  }

  /** Its handler failed. */
  again(): void {
    this.set(this.#options.clock.now + RETRY_MS);
  }

  /** What the turn that ends is to write of it, if anything. */
  take(): number | null | undefined {
    const taken = this.#isWritten ? this.at : undefined;
    this.#isWritten = false;
    return taken;
  }

  /** That has reached the disk. */
  durable(at: number | null): void {
    this.#durable = at;
  }

  /** After a death it is as it was on the disk. One that was ringing rings again, but not at once. */
  restore(): void {
    const soonest = this.#options.clock.now + RETRY_MS;
    this.at = this.#durable === null ? null : Math.max(this.#durable, soonest);
    this.#isWritten = false;
    this.#schedule();
  }

  #schedule(): void {
    const { clock, part, conditions, ring } = this.#options;
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.at === null) return;
    const late = conditions.alarmLate > 0 ? between(part.random, 0, conditions.alarmLate) : 0;
    this.#cancel = clock.after(Math.max(0, this.at - clock.now) + late, () => {
      this.at = null;
      ring();
    });
  }
}
