/** The end of every turn: the cluster is brought to rest, everyone is told what was written, and the next wake-up is set. */
import type { Audit } from "./api/audit/audit.ts";
import type { Driver } from "./controllers/driver.ts";
import type { CoreParts } from "./core-parts.ts";
import type { Link } from "./link/link.ts";
import type { Losses } from "./liveness.ts";
import { LINKED_RESOURCES, writeOf } from "./nodes.ts";
import type { Change } from "./storage/store.ts";
import type { Upkeep } from "./upkeep.ts";
import type { Watchers } from "./watchers.ts";

export type TurnEndParts = Pick<CoreParts, "store" | "effects" | "platform" | "limits"> & {
  audit: Audit;
  losses: Losses;
  driver: Driver;
  upkeep: Upkeep;
  watchers: Watchers;
  link: Link;
  /** Makes a turn come. */
  come(): void;
};

/** Keys that wait for controllers and are done in the turn of the requests that brought them. */
const FEW_KEYS = 4;

/** How soon a turn that failed is tried again, and how long it may take at most, when it fails again and again. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

const LINKED: ReadonlySet<string> = new Set(LINKED_RESOURCES);

export class TurnEnd {
  readonly #parts: TurnEndParts;
  /** Committed, and not yet told to watchers and nodes. */
  #untold: Change[] = [];
  #failures = 0;
  #isRetrying = false;
  /** When a turn comes for keys that have rested, ms. */
  #returning = Number.POSITIVE_INFINITY;

  constructor(parts: TurnEndParts) {
    this.#parts = parts;
    parts.store.onChange((changes) => void this.#untold.push(...changes));
  }

  /**
   * True when controllers were put off for those who were `served`. Where storage takes no writes (a full disk, a used-up
   * day), what could not be done waits in memory and is tried again, whether or not anyone asks for something meanwhile.
   */
  settle(served: boolean): boolean {
    try {
      const isPutOff = this.#bringToRest(served);
      this.#failures = 0;
      return isPutOff;
    } catch (error) {
      this.#parts.platform.report("cluster", "turn", error);
      this.#tryAgain();
      return false;
    }
  }

  #tryAgain(): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    this.#parts.platform.defer(
      () => {
        this.#isRetrying = false;
        this.#parts.come();
      },
      Math.min(RETRY_MS * 2 ** this.#failures++, LONGEST_RETRY_MS),
    );
  }

  /**
   * Controllers to rest (within the budget), then everyone is told, then the next wake-up is set. Where much waits for
   * controllers, those who sent requests are answered first: true, and they go on in the next turn.
   */
  #bringToRest(served: boolean): boolean {
    const { store, effects, platform, limits, losses, driver, upkeep, link, come } = this.#parts;
    const start = effects.now();
    this.#writeAudit();
    losses.persist(store.work, (node) => link.connected(node));
    driver.due(start);
    if (this.#failures > 0) this.#markFirst();
    const isPutOff = served && driver.waiting > FEW_KEYS;
    const rested = driver.drain(
      isPutOff ? { reconciles: 0 } : { reconciles: limits.turnReconciles, until: start + limits.turnMs },
    );
    driver.persist();
    const mustGoOn = upkeep.run(start, this.#untold.length);
    this.#tell();
    platform.wakeAt(store.work.nextDue());
    this.#returnAt(driver.restedAt, start);
    if (!rested || mustGoOn) platform.defer(come);
    return isPutOff;
  }

  /**
   * Where storage takes some writes and not others, controllers' own may be taken and the mark of what these led to not,
   * and then the memory of it may be lost: so that is written before them.
   */
  #markFirst(): void {
    const { driver } = this.#parts;
    driver.drain({ reconciles: 0 });
    driver.persist();
  }

  #tell(): void {
    const { watchers, link, platform } = this.#parts;
    const told = this.#untold;
    this.#untold = [];
    if (told.length === 0) return;
    watchers.changed(told);
    const linked = told.filter(({ resource }) => LINKED.has(resource));
    if (linked.length === 0) return;
    if (platform.nodeSockets().length > 0) link.changed(linked.map(writeOf));
    else link.forget();
  }

  /** Where that cannot be, it waits for the next turn, and nothing else does for it. */
  #writeAudit(): void {
    try {
      this.#parts.audit.flush();
    } catch (error) {
      this.#parts.platform.report("audit", "", error);
    }
  }

  /** Rests are short, and an alarm would write a row for each; where memory is lost, the driver's mark brings it back. */
  #returnAt(due: number | undefined, now: number): void {
    if (due === undefined || due >= this.#returning) return;
    this.#returning = due;
    this.#parts.platform.defer(
      () => {
        this.#returning = Number.POSITIVE_INFINITY;
        this.#parts.come();
      },
      Math.max(0, due - now),
    );
  }
}
