/**
 * When kept logs that are past their day go: while somebody asks something anyway. The time of the next look is storage,
 * since a look lists the bucket, which is billed, and the object sleeps between most requests.
 */

/** They are kept for days. */
const EVERY_MS = 6 * 3_600_000;
const DUE = "kept-logs.tidy-at";

type Storage = { get(key: string): Promise<number | undefined>; put(key: string, at: number): Promise<void> };

export class Tidying {
  readonly #storage: Storage;
  readonly #tidy: (cluster: string, now: number) => Promise<void>;
  #isRead = false;
  /** Ms since the epoch; undefined where no pod's logs were ever to be kept. */
  #due: number | undefined;

  constructor(storage: Storage, tidy: (cluster: string, now: number) => Promise<void>) {
    this.#storage = storage;
    this.#tidy = tidy;
  }

  /** Some pod's logs are kept: from now on there is something to look after. */
  async granted(now: number): Promise<void> {
    await this.#read();
    if (this.#due === undefined) await this.#next(now);
  }

  async look(cluster: string, now: number): Promise<void> {
    await this.#read();
    if (this.#due === undefined || now < this.#due) return;
    await this.#next(now);
    await this.#tidy(cluster, now);
  }

  async #read(): Promise<void> {
    if (this.#isRead) return;
    const due = await this.#storage.get(DUE);
    this.#due ??= due;
    this.#isRead = true;
  }

  #next(now: number): Promise<void> {
    this.#due = now + EVERY_MS;
    return this.#storage.put(DUE, this.#due);
  }
}
