import type { CoreLimits } from "./core-parts.ts";
import type { Store } from "./storage/store.ts";

/** Events past their time go when the cluster is awake anyway. */
const EXPIRE_EVERY_MS = 60_000;

/** Rows that one turn encrypts anew: each may hold 1.5 MB. */
const REWRITE_ROWS = 20;

type UpkeepParts = {
  store: Pick<Store, "revision" | "compact" | "rewrite">;
  /** Removes at most so many events; true when more remain. */
  expireEvents(budget: number): boolean;
  /** The oldest revision that somebody reads. */
  held(): number | undefined;
  limits: CoreLimits;
};

/** What storage needs now and then, done in turns that are there anyway: what is past its time goes, some at a time. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #compactAt = 0;
  #expireAt = 0;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** `written`: the changes of this turn. True when there is more that is not to wait for a turn to come. */
  run(now: number, written: number): boolean {
    const { store, expireEvents, limits } = this.#parts;
    if (now >= this.#expireAt) {
      const more = expireEvents(limits.compactRows);
      this.#expireAt = more ? now : now + EXPIRE_EVERY_MS;
    }
    if (store.revision() >= this.#compactAt) this.#compact(written);
    return store.rewrite(REWRITE_ROWS);
  }

  #compact(written: number): void {
    const { store, held, limits } = this.#parts;
    const keep = Math.max(limits.keepRevisions, store.revision() - (held() ?? store.revision()));
    // More than came in this turn, or a long rush would outrun it.
    const more = store.compact(keep, limits.compactRows + 2 * written);
    this.#compactAt = store.revision() + (more ? 1 : limits.compactEveryRevisions);
  }
}
