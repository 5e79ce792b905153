/**
 * Questions to programs outside: webhooks. A turn cannot wait for them, so a write that needs an answer is given up
 * as if it had never been, the question is asked, and the write is tried again with the answer at hand. Each try runs
 * on what is stored then; where that has changed, so has the question, and it is asked anew.
 */
import type { Effects } from "../../lib/effects.ts";
import { internalError } from "../../lib/status.ts";

/** Where a webhook is, as configurations say it. */
export type ClientConfig = {
  url?: string;
  service?: { namespace: string; name: string; path?: string; port?: number };
  /** Base64 of the PEM of who may have signed its certificate; the system's trust when absent. */
  caBundle?: string;
};

/** One POST of JSON. Equal keys are the same question. */
export type Callout = {
  key: string;
  client: ClientConfig;
  body: string;
  timeoutMs: number;
  /** Told of the answer, for what outlives the write. */
  heard?(answer: CalloutAnswer): void;
};
/** `failed` says why there is no answer, in Go's words where it has some. */
export type CalloutAnswer = { status: number; body: string } | { failed: string };
/** Asks; never rejects. */
export type Caller = (callout: Callout) => Promise<CalloutAnswer>;

/** Thrown out of a write that cannot go on without these answers. */
export class CalloutsNeeded extends Error {
  override readonly name = "CalloutsNeeded";
  readonly callouts: readonly Callout[];

  constructor(callouts: readonly Callout[]) {
    super(`${callouts.length} questions must be asked first`);
    this.callouts = callouts;
  }
}

/** One write over its tries: what was answered, and the times and chances it drew, which must not change its questions. */
export class Attempt {
  readonly effects: Effects;
  readonly #real: Effects;
  readonly #answers: Map<string, CalloutAnswer>;
  readonly #drawn: (number | string)[] = [];
  readonly #parts: Attempt[] = [];
  #at = 0;

  constructor(effects: Effects, answers = new Map<string, CalloutAnswer>()) {
    this.#real = effects;
    this.#answers = answers;
    const again = <T extends number | string>(draw: () => T): T => {
      if (this.#at === this.#drawn.length) this.#drawn.push(draw());
      return this.#drawn[this.#at++] as T;
    };
    this.effects = {
      now: () => again(effects.now),
      random: () => again(effects.random),
      uid: () => again(effects.uid),
    };
  }

  /** To be called before each try. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  /** The try of one of several writes that are tried together: what it draws changes no questions of the others. */
  part(index: number): Attempt {
    this.#parts[index] ??= new Attempt(this.#real, this.#answers);
    return this.#parts[index].begin();
  }

  record(key: string, answer: CalloutAnswer): void {
    this.#answers.set(key, answer);
  }

  answer(key: string): CalloutAnswer | undefined {
    return this.#answers.get(key);
  }
}

/** The answers to all of these, or CalloutsNeeded for those that are missing. */
export function answersTo(attempt: Attempt | undefined, callouts: readonly Callout[]): CalloutAnswer[] {
  const missing = callouts.filter(({ key }) => !attempt?.answer(key));
  if (missing.length > 0) throw new CalloutsNeeded(missing);
  return callouts.map(({ key }) => attempt?.answer(key) as CalloutAnswer);
}

/** Tries of one write: as many as there may be webhooks one after another, and some for what changes meanwhile. */
const MAX_TRIES = 50;

/**
 * Runs a write until it needs no more answers. `run` is given nothing at first, so that writes that no webhook is
 * asked about cost nothing. What it throws else is thrown.
 */
export async function withCallouts<T>(
  run: (attempt?: Attempt) => Promise<T>,
  ask: Caller,
  effects: Effects,
): Promise<T> {
  let attempt: Attempt | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      return await run(attempt?.begin());
    } catch (error) {
      if (!(error instanceof CalloutsNeeded)) throw error;
      // What the first try drew is not known, so neither are the questions that it would ask again.
      if (attempt) await answerAll(attempt, error.callouts, ask);
      else attempt = new Attempt(effects);
    }
  }
  throw internalError("webhooks were asked too many times about one request");
}

async function answerAll(attempt: Attempt, callouts: readonly Callout[], ask: Caller): Promise<void> {
  await Promise.all(
    callouts.map(async (callout) => {
      const answer = await ask(callout);
      attempt.record(callout.key, answer);
      callout.heard?.(answer);
    }),
  );
}
