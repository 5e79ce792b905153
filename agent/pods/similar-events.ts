import type { CoreV1Event } from "../../worker/kinds/generated/types.ts";

/** From so many different messages on, each within so long after the one before, they are told as one event. */
const MOST_MESSAGES = 10;
const ALIKE_FOR_MS = 600_000;
const MOST_KINDS = 4096;

type Group = { messages: Set<string>; last: number };

/**
 * Joins events that differ in nothing but their words, as client-go's correlator does, so that a pod that says something
 * new each time tells the newest and how often it spoke. https://pkg.go.dev/k8s.io/client-go/tools/record
 */
export class SimilarEvents {
  readonly #groups = new Map<string, Group>();

  /** Whether an event is to be told together with those like it. */
  joins(about: CoreV1Event["involvedObject"], type: string, reason: string, message: string, now: number): boolean {
    const key = [about.kind, about.namespace, about.name, about.uid, type, reason].join("\n");
    const before = this.#groups.get(key);
    const group = before && now - before.last <= ALIKE_FOR_MS ? before : { messages: new Set<string>(), last: now };
    group.last = now;
    group.messages.add(message);
    this.#groups.delete(key); // to the young end
    this.#groups.set(key, group);
    for (const old of this.#groups.keys().take(Math.max(this.#groups.size - MOST_KINDS, 0))) this.#groups.delete(old);
    if (group.messages.size < MOST_MESSAGES) return false;
    for (const oldest of group.messages.keys().take(1)) group.messages.delete(oldest);
    return true;
  }
}
