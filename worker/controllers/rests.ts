/**
 * Keys that rest. A controller looks at all objects of a set whenever one of them changes, so that a set of n costs n²
 * until it is settled. A key that has looked at many therefore waits before it looks again, in proportion to how many
 * they were: then its looks take a bounded share of the time, and what changed meanwhile is seen at once.
 */

/** Objects that a look may see before its key must rest. */
const FREE_OBJECTS = 200;
/** About twenty times as long as looking at one object takes. */
const REST_MS_AN_OBJECT = 0.1;

type Rest<Item> = { item: Item; from: number; until: number; wanted: boolean };

/** Also where the clock was set back. */
const isOver = ({ from, until }: Rest<unknown>, now: number) => now >= until || now < from;

export class Rests<Item> {
  readonly #rests = new Map<string, Rest<Item>>();

  /** After a look of `id` at so many objects. */
  begin(id: string, item: Item, objects: number, now: number): void {
    if (objects <= FREE_OBJECTS) return;
    this.#rests.set(id, { item, from: now, until: now + Math.ceil(objects * REST_MS_AN_OBJECT), wanted: false });
  }

  /** Whether `id` rests; if so, it is handed out by `over` in time. */
  delays(id: string, now: number): boolean {
    const rest = this.#rests.get(id);
    if (!rest || isOver(rest, now)) return false;
    rest.wanted = true;
    return true;
  }

  /** Those whose rest is over and that were wanted meanwhile. */
  over(now: number): Item[] {
    const ended = [...this.#rests].filter(([, rest]) => isOver(rest, now));
    for (const [id] of ended) this.#rests.delete(id);
    return ended.flatMap(([, { item, wanted }]) => (wanted ? [item] : []));
  }

  /** When the next that is wanted is over, in ms. */
  next(): number | undefined {
    let soonest: number | undefined;
    for (const { until, wanted } of this.#rests.values())
      if (wanted && (soonest === undefined || until < soonest)) soonest = until;
    return soonest;
  }
}
