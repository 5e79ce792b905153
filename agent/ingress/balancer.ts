/** Which endpoint of a backend takes the next request: of those that answer, the one with the fewest that are pending. */
import type { Endpoint } from "../../worker/kinds/ingress/backends.ts";

/** Requests to one endpoint that have no whole answer yet. More would only wait there. */
const MAX_PENDING = 4096;
/** One that could not be reached is asked again after so long, ms, if there are others. */
const AVOIDED_MS = 5_000;

type Tally = { pending: number; avoidedUntil: number };

export const addressOf = ({ address, port }: Endpoint): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

export class Balancer {
  readonly #tallies = new Map<string, Tally>();
  readonly #now: () => number;
  #turn = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `"busy"` where all have as much as they may; undefined where there is none beside those that were `tried`. */
  choose(endpoints: readonly Endpoint[], tried: ReadonlySet<string>): Endpoint | "busy" | undefined {
    const untried = endpoints.filter((endpoint) => !tried.has(addressOf(endpoint)));
    const answering = untried.filter((endpoint) => this.#of(endpoint).avoidedUntil <= this.#now());
    const candidates = answering.length > 0 ? answering : untried;
    if (candidates.length === 0) return undefined;
    const fewest = Math.min(...candidates.map((endpoint) => this.#of(endpoint).pending));
    if (fewest >= MAX_PENDING) return "busy";
    const free = candidates.filter((endpoint) => this.#of(endpoint).pending === fewest);
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return free[this.#turn % free.length];
  }

  /** A request goes there; returns what says, once or more often, that it is over. */
  begin(endpoint: Endpoint): () => void {
    const tally = this.#of(endpoint);
    this.#tallies.set(addressOf(endpoint), tally);
    tally.pending += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      tally.pending -= 1;
    };
  }

  avoid(endpoint: Endpoint): void {
    const tally = this.#of(endpoint);
    tally.avoidedUntil = this.#now() + AVOIDED_MS;
    this.#tallies.set(addressOf(endpoint), tally);
  }

  /** Of endpoints that are no more, nothing is kept once they have no requests. */
  retain(endpoints: ReadonlySet<string>): void {
    for (const [key, { pending }] of this.#tallies) if (pending === 0 && !endpoints.has(key)) this.#tallies.delete(key);
  }

  #of(endpoint: Endpoint): Tally {
    return this.#tallies.get(addressOf(endpoint)) ?? { pending: 0, avoidedUntil: 0 };
  }
}
