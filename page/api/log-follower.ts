/**
 * The logs of several containers as they are written. Each is followed on its own, from where it broke off: when its
 * container is started anew, its node comes back, or it did not run yet.
 */

import { errorText } from "../../worker/lib/error-text.ts";
import { comparable, cut } from "../../worker/lib/facts/timed-line.ts";
import { type Client, StatusError } from "./client.ts";

export type Source = { namespace: string; pod: string; container: string };

export type LogFollowerOptions = {
  client: Client;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The log of the container before, which has an end. */
  previous: boolean;
  take(source: Source, line: string): void;
  /** Why a log cannot be had now; "" when it can again. */
  tell(source: Source, why: string): void;
};

const TAIL = 200;
/** Between two tries; a container that has ended for good has nothing more to tell. */
const AGAIN_MS = { first: 1_000, most: 30_000 };
/** A program may print without ever ending a line. */
const MAX_LINE = 64 * 1024;

const pathOf = ({ namespace, pod, container }: Source, query: string) =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?container=${encodeURIComponent(container)}&${query}`;

const keyOf = ({ namespace, pod, container }: Source) => `${namespace}/${pod}/${container}`;

export class LogFollower {
  readonly #options: LogFollowerOptions;
  readonly #following = new Map<string, AbortController>();

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  /** Follows these and no others; those that were followed before go on as they are. */
  want(sources: readonly Source[]): void {
    const wanted = new Map(sources.map((source) => [keyOf(source), source]));
    for (const [key, abort] of this.#following)
      if (!wanted.has(key)) {
        abort.abort();
        this.#following.delete(key);
      }
    for (const [key, source] of wanted)
      if (!this.#following.has(key)) {
        const abort = new AbortController();
        this.#following.set(key, abort);
        void this.#follow(source, abort.signal);
      }
  }

  stop(): void {
    this.want([]);
  }

  async #follow(source: Source, signal: AbortSignal): Promise<void> {
    const { previous, take, tell, sleep } = this.#options;
    let last = "";
    let againMs = AGAIN_MS.first;
    while (!signal.aborted) {
      const from = last ? `sinceTime=${encodeURIComponent(last)}` : `tailLines=${TAIL}`;
      const query = `timestamps=true&${from}&${previous ? "previous=true" : "follow=true"}`;
      try {
        for await (const line of this.#lines(source, query, signal)) {
          const [time = "", text = ""] = cut(line);
          if (time && last && comparable(time) <= comparable(last)) continue; // times are asked for by whole seconds
          last = time || last;
          take(source, text);
          againMs = AGAIN_MS.first;
          tell(source, "");
        }
        if (previous) return;
      } catch (error) {
        const why = await this.#reason(source, error, signal);
        if (signal.aborted) return;
        tell(source, why);
        if (previous) return;
      }
      await sleep(againMs, signal);
      againMs = Math.min(againMs * 2, AGAIN_MS.most);
    }
  }

  async *#lines(source: Source, query: string, signal: AbortSignal): AsyncGenerator<string, void, void> {
    let rest = "";
    for await (const text of this.#options.client.messages(pathOf(source, query), signal, "binary.k8s.io")) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (rest.length <= MAX_LINE) continue;
      yield rest;
      rest = "";
    }
    if (rest) yield rest;
  }

  /** A browser does not say why a WebSocket was refused: the same is asked without one. */
  async #reason(source: Source, error: unknown, signal: AbortSignal): Promise<string> {
    const query = `limitBytes=1${this.#options.previous ? "&previous=true" : ""}`;
    try {
      await this.#options.client.fetch(pathOf(source, query), { accept: "*/*", signal });
    } catch (why) {
      if (why instanceof StatusError) return why.message;
    }
    return errorText(error);
  }
}
