import type { Extension } from "../../kinds/apiregistration/api-service.ts";
import type { Extensions, Question } from "./aggregation.ts";
import { AGGREGATOR } from "./identity.ts";

/** As often as kube-apiserver asks for documents, ms. */
const FRESH_MS = 60_000;
/** Servers that could not be asked are not asked again for so long, ms. */
const FAILED_MS = 10_000;
const TIMEOUT_MS = 5_000;

type Entry<T> = { until: number; of: string; answer: Promise<T | undefined> };

export const question = (path: string, accept: string): Question => ({
  path,
  accept,
  as: AGGREGATOR,
  timeoutMs: TIMEOUT_MS,
});

/** What extension servers said, asked for when it is needed and kept a while. */
export class Kept<T> {
  readonly #ask: (extensions: Extensions, extension: Extension) => Promise<T>;
  readonly #extensions: Extensions;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(
    extensions: Extensions,
    now: () => number,
    ask: (extensions: Extensions, extension: Extension) => Promise<T>,
  ) {
    this.#extensions = extensions;
    this.#now = now;
    this.#ask = ask;
  }

  /** Undefined where the server gave no answer, or need not be asked for one. */
  get(extension: Extension): Promise<T | undefined> {
    if (!extension.available) return Promise.resolve(undefined);
    const now = this.#now();
    const of = JSON.stringify(extension);
    const known = this.#entries.get(extension.name);
    if (known && known.of === of && now < known.until) return known.answer;
    const entry: Entry<T> = { until: now + FRESH_MS, of, answer: Promise.resolve(undefined) };
    entry.answer = this.#ask(this.#extensions, extension).catch(() => {
      entry.until = now + FAILED_MS;
      return undefined;
    });
    this.#entries.set(extension.name, entry);
    return entry.answer;
  }

  /** Of those that answered. */
  async all(extensions: readonly Extension[]): Promise<{ extension: Extension; answer: T }[]> {
    const found = await Promise.all(
      extensions.map(async (extension) => ({ extension, answer: await this.get(extension) })),
    );
    return found.flatMap(({ extension, answer }) => (answer === undefined ? [] : [{ extension, answer }]));
  }
}
