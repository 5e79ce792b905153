import type { AuditEvent } from "./event.ts";

const WINDOW_MS = 60_000;
/** Different ones that are told apart; what comes beyond counts as one. */
const MAX_KINDS = 200;
const OTHERS = "";

export const REPEATED = "skerry.dev/repeated";

type Repeated = { last: AuditEvent; count: number; until: number };

/** Counts events that are alike, until a minute after the first of them. It is memory, and what it counted goes with that. */
export class Repeats {
  readonly #kinds = new Map<string, Repeated>();

  /** Counts the event; false, and it is not counted, where it is the first of its kind and is to be told itself. */
  add(event: AuditEvent, now: number, isSilent: boolean): boolean {
    const kind = kindOf(event);
    const known = this.#kinds.get(kind) ?? (this.#kinds.size >= MAX_KINDS ? this.#kinds.get(OTHERS) : undefined);
    if (known) {
      // Past its minute it is told with what is recorded next: with this one.
      if (known.until <= now && !isSilent) return false;
      known.count++;
      known.last = event;
      return true;
    }
    const isFull = this.#kinds.size >= MAX_KINDS;
    const count = isSilent || isFull ? 1 : 0;
    this.#kinds.set(isFull ? OTHERS : kind, { last: event, count, until: now + WINDOW_MS });
    return count === 1;
  }

  /** Of those whose minute is over the last event, with their number. They begin anew. */
  over(now: number): AuditEvent[] {
    const events: AuditEvent[] = [];
    for (const [kind, { last, count, until }] of this.#kinds) {
      if (until > now) continue;
      this.#kinds.delete(kind);
      if (count > 0) events.push({ ...last, annotations: { ...last.annotations, [REPEATED]: String(count) } });
    }
    return events;
  }
}

const kindOf = ({ user, impersonatedUser, verb, objectRef, responseStatus }: AuditEvent): string =>
  JSON.stringify([
    user.username,
    impersonatedUser?.username,
    verb,
    objectRef?.apiGroup,
    objectRef?.resource,
    objectRef?.subresource,
    objectRef?.namespace,
    responseStatus?.code,
  ]);
