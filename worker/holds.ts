/** Who reads the past in more than one turn holds the change log at it: a backup that takes minutes. */
import type { Hold } from "./api/backup/backup.ts";

/** A reader that has taken nothing for so long has gone without a word, ms. */
const UNUSED_MS = 60_000;
/** Nobody may keep all that is written from being forgotten for longer, ms. */
const LONGEST_MS = 3_600_000;

type Held = { revision: number; since: number; used: number };

export class Holds {
  readonly #now: () => number;
  readonly #held = new Set<Held>();

  constructor(now: () => number) {
    this.#now = now;
  }

  hold(revision: number): Hold {
    const now = this.#now();
    const held: Held = { revision, since: now, used: now };
    this.#held.add(held);
    return {
      used: () => {
        held.used = this.#now();
      },
      release: () => void this.#held.delete(held),
    };
  }

  /** The oldest revision that is still to be known. */
  oldest(): number | undefined {
    const now = this.#now();
    let oldest: number | undefined;
    for (const held of this.#held)
      if (now - held.used > UNUSED_MS || now - held.since > LONGEST_MS) this.#held.delete(held);
      else oldest = Math.min(held.revision, oldest ?? held.revision);
    return oldest;
  }
}
