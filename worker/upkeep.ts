import type { CoreLimits } from "./core-parts.ts";
import type { Store } from "./storage/store.ts";

/** Events past their hour go when the cluster is awake anyway. */
const EXPIRE_EVERY_MS = 60_000;

type UpkeepParts = {
  store: Pick<Store, "revision" | "compact">;
  /** Removes at most so many events; true when more remain. */
  expireEvents(budget: number): boolean;
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

  /** `written`: the changes of this turn. */
  run(now: number, written: number): void {
    const { store, expireEvents, limits } = this.#parts;
    if (now >= this.#expireAt) {
      const more = expireEvents(limits.compactRows);
      this.#expireAt = more ? now : now + EXPIRE_EVERY_MS;
    }
    if (store.revision() < this.#compactAt) return;
    // More than came in this turn, or a long rush would outrun it.
    const more = store.compact(limits.keepRevisions, limits.compactRows + 2 * written);
    this.#compactAt = store.revision() + (more ? 1 : limits.compactEveryRevisions);
  }
}
