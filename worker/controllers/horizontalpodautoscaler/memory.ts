/**
 * What an autoscaler remembers: what it recommended lately, so that it does not swing, and how much it changed, for the
 * policies. kube-controller-manager keeps it in memory; a cluster here may sleep between two looks, so it is stored where it
 * says more than the target does.
 */
export type Recommendation = { replicas: number; at: number };
export type Change = { replicas: number; at: number };
export type Memory = {
  readonly uid: string;
  /** Oldest first; equal ones in a row are one, at the time of the last. */
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly Change[];
  readonly downs: readonly Change[];
};

/** Without a past, what there is counts as recommended now. */
export const newMemory = (uid: string, replicas: number, now: number): Memory => ({
  uid,
  recommendations: [{ replicas, at: now }],
  ups: [],
  downs: [],
});

/** With a recommendation more; those older than `keptMs` are forgotten. */
export function recommended(memory: Memory, replicas: number, now: number, keptMs: number): Memory {
  const last = memory.recommendations.at(-1);
  const before = last?.replicas === replicas ? memory.recommendations.slice(0, -1) : memory.recommendations;
  const kept = before.filter(({ at }) => now - at <= keptMs);
  return { ...memory, recommendations: [...kept, { replicas, at: now }] };
}

/** With a change of the target more, in replicas added or (negative) taken away. */
export function changed(memory: Memory, difference: number, now: number, keptMs: number): Memory {
  const side = difference > 0 ? "ups" : "downs";
  const kept = memory[side].filter(({ at }) => now - at < keptMs);
  return { ...memory, [side]: [...kept, { replicas: Math.abs(difference), at: now }] };
}

/** How many replicas were added or taken away in the last so many ms. */
export const changedWithin = (changes: readonly Change[], ms: number, now: number): number =>
  changes.reduce((sum, { replicas, at }) => (at > now - ms ? sum + replicas : sum), 0);

/** Where memories lie; a text a key. */
export type MemoryStore = {
  recall(key: string): string | undefined;
  /** Nothing where it is undefined. */
  remember(key: string, text: string | undefined): void;
};

type Known = { memory: Memory; told: string };

/** Memories by key: in memory, and stored when what they say has changed. */
export class Memories {
  readonly #store: MemoryStore;
  readonly #repeatMs: number;
  readonly #known = new Map<string, Known>();

  /** The last recommendation of what is recalled is taken as repeated up to `repeatMs` ago: repeats are not stored. */
  constructor(store: MemoryStore, repeatMs: number) {
    this.#store = store;
    this.#repeatMs = repeatMs;
  }

  of(key: string, uid: string, replicas: number, now: number): Memory {
    const known = this.#known.get(key) ?? this.#recall(key, now);
    if (known?.memory.uid === uid) return known.memory;
    const memory = newMemory(uid, replicas, now);
    this.#known.set(key, { memory, told: known?.told ?? "" });
    return memory;
  }

  #recall(key: string, now: number): Known | undefined {
    const text = this.#store.recall(key);
    if (text === undefined) return undefined;
    const stored = JSON.parse(text) as Memory;
    const last = stored.recommendations.at(-1);
    const repeated = last && { ...last, at: Math.max(last.at, now - this.#repeatMs) };
    const recommendations = [...stored.recommendations.slice(0, -1), ...(repeated ? [repeated] : [])];
    const memory = { ...stored, recommendations };
    const known = { memory, told: gist(memory) };
    this.#known.set(key, known);
    return known;
  }

  /** `replicas`: how many the target has from now on. */
  set(key: string, memory: Memory, replicas: number): void {
    const told = saysMore(memory, replicas) ? gist(memory) : "";
    const before = this.#known.get(key)?.told ?? "";
    this.#known.set(key, { memory, told });
    if (told !== before) this.#store.remember(key, told === "" ? undefined : JSON.stringify(memory));
  }

  /** A change of so many replicas did not come about. */
  undo(key: string, difference: number): void {
    const known = this.#known.get(key);
    if (!known || difference === 0) return;
    const side = difference > 0 ? "ups" : "downs";
    if (known.memory[side].at(-1)?.replicas !== Math.abs(difference)) return;
    const memory = { ...known.memory, [side]: known.memory[side].slice(0, -1) };
    this.#known.set(key, { memory, told: gist(memory) });
    this.#store.remember(key, JSON.stringify(memory));
  }

  forget(key: string): void {
    this.#known.delete(key);
    if (this.#store.recall(key) !== undefined) this.#store.remember(key, undefined);
  }
}

/** Else it is what would be made anew. */
const saysMore = ({ recommendations, ups, downs }: Memory, replicas: number): boolean =>
  ups.length > 0 || downs.length > 0 || recommendations.some((known) => known.replicas !== replicas);

const gist = ({ uid, recommendations, ups, downs }: Memory): string =>
  JSON.stringify([uid, recommendations.map(({ replicas }) => replicas), ups, downs]);
