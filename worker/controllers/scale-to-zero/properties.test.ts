/** Whatever comes and goes, and in whatever order: what holds of everything that may be scaled to zero. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { IdleModel } from "./testing.ts";

const IDLE_MS = 60_000;

type Step =
  | { do: "ask"; forMs: number }
  | { do: "pass"; ms: number }
  | { do: "scale"; replicas: number }
  /** Nodes do not answer from now on, or do again. */
  | { do: "silence"; lasts: boolean }
  /** The control plane's memory is lost, with who waits. */
  | { do: "crash" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("ask" as const), forMs: fc.integer({ min: 0, max: 90_000 }) }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 120_000 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("scale" as const), replicas: fc.integer({ min: 0, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("silence" as const), lasts: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  ),
  { maxLength: 30 },
);

/** A Deployment, and who asks for it: requests wait where it has no replicas, and are told of again and again. */
class Application {
  readonly model = new IdleModel();
  isSilent = false;
  /** When each ends that has no answer yet. */
  #ends: number[] = [];
  #last = 0;
  #seen = 2;
  #before = 2;

  constructor() {
    this.model.hear(() => this.#heard());
    this.model.deploy(2);
    this.model.serve(`${IDLE_MS / 1000}s`);
    this.model.lead();
    this.model.rest();
  }

  get replicas(): number {
    return this.model.replicas() ?? 0;
  }

  #heard() {
    if (this.isSilent) return { last: "unknown" as const };
    return { last: this.#ends.length > 0 ? ("pending" as const) : this.#last };
  }

  take(step: Step): void {
    switch (step.do) {
      case "ask":
        this.#last = this.model.now;
        if (this.replicas === 0) this.#wake();
        this.#ends.push(this.model.now + step.forMs);
        return this.#look();
      case "pass":
        return this.pass(step.ms);
      case "scale":
        this.model.scale(step.replicas);
        this.#seen = this.replicas; // a user's word needs no reason
        return;
      case "silence":
        this.isSilent = step.lasts;
        return;
      case "crash":
        this.model.wakes.clear();
        if (this.#ends.length > 0 && this.replicas === 0) this.#wake();
        return this.#look();
    }
  }

  #wake(): void {
    const from = Number(this.model.from() ?? 1);
    this.model.wake();
    expect(this.replicas).toBe(from);
    this.#seen = this.replicas;
  }

  /** A second at a time, as far as anything ends or is told. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.model.advance(Math.min(left, 1000));
      const ended = this.#ends.filter((at) => at <= this.model.now);
      if (ended.length > 0) this.#last = this.model.now;
      this.#ends = this.#ends.filter((at) => at > this.model.now);
      this.#look();
    }
  }

  /** It sleeps for a reason, and remembers what it was. */
  #look(): void {
    const { replicas } = this;
    if (replicas === 0 && this.#seen > 0) {
      expect(this.#ends).toEqual([]);
      expect(this.isSilent).toBe(false);
      expect(this.model.now - this.#last).toBeGreaterThanOrEqual(IDLE_MS - 1000);
      expect(this.model.from()).toBe(String(this.#before));
    }
    if (replicas > 0) {
      expect(this.model.from()).toBeUndefined();
      this.#before = replicas;
    }
    this.#seen = replicas;
  }
}

test("it sleeps when nobody asks and at no other time, and whoever asks wakes it to what it was", () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const application = new Application();
      const began = application.model.now;
      for (const step of taken) application.take(step);
      // In the end it is quiet, nodes answer, and it sleeps: into a silence it is asked after as long as it has lasted.
      application.isSilent = false;
      application.pass(90_000 + 2 * IDLE_MS + 60_000 + application.model.now - began);
      expect(application.replicas).toBe(0);
      expect(application.model.stored.size).toBe(0);
      application.take({ do: "ask", forMs: 0 });
      expect(application.replicas).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});
