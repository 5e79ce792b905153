/**
 * Objects of one kind as they are now: a list, then a watch from its version on, as client-go's informers do. Whoever
 * shows them holds them; while nobody does, or the tab is hidden, no watch is open, so that the cluster may sleep.
 */
import { type Signal, signal } from "@preact/signals";
import { errorText } from "../../worker/lib/error-text.ts";
import { type Client, StatusError } from "./client.ts";
import type { KubeObject } from "./objects.ts";

/** `behind`: what is shown may be old, and why. */
export type Freshness =
  | { state: "loading" }
  | { state: "live" }
  | { state: "paused" }
  /** Who looks may not see it, in the API's words. What they may not, they may later. */
  | { state: "forbidden"; why: string }
  | { state: "behind"; why: string };

type List<T> = { metadata: { resourceVersion: string; continue?: string }; items: T[] };
type WatchEvent<T> =
  | { type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; object: T }
  | { type: "ERROR"; object: { code?: number; message?: string } };

export type WatchedDeps = {
  client: Client;
  /** Whether somebody can see the page. */
  visible: Signal<boolean>;
  /** Resolves after so many milliseconds, or when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

const PAGE_SIZE = 500;
const RETRY_MS = { first: 500, most: 30_000, forbidden: 300_000 };

const isForbidden = (error: unknown) => error instanceof StatusError && error.code === 403;
/** The server no longer has what came after the version that was asked for. */
const isGone = (error: unknown) => error instanceof StatusError && error.code === 410;

export class Watched<T extends KubeObject> {
  /** By uid. */
  readonly objects = signal<ReadonlyMap<string, T>>(new Map());
  readonly freshness = signal<Freshness>({ state: "loading" });
  /** Whether there ever was a list: without one, that something is not in it says nothing. */
  readonly listed = signal(false);
  readonly #path: string;
  readonly #query: string;
  readonly #deps: WatchedDeps;
  #holders = 0;
  #version: string | undefined;
  #running: AbortController | undefined;
  #stopLooking = () => {};

  /** `path` of the collection, and what to select of it: `fieldSelector=…`. */
  constructor(path: string, query: string, deps: WatchedDeps) {
    this.#path = path;
    this.#query = query;
    this.#deps = deps;
  }

  /** What it gives lets go again. */
  hold(): () => void {
    if (this.#holders++ === 0)
      this.#stopLooking = this.#deps.visible.subscribe((visible) => (visible ? this.#start() : this.#pause()));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holders > 0) return;
      this.#stopLooking();
      this.#pause();
    };
  }

  #start(): void {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal);
  }

  #pause(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.freshness.value = { state: "paused" };
  }

  async #run(signal: AbortSignal): Promise<void> {
    let retryMs = RETRY_MS.first;
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(signal, () => {
          retryMs = RETRY_MS.first;
          this.freshness.value = { state: "live" };
        });
        await this.#deps.sleep(retryMs, signal); // a server that ends each watch at once is not asked without end
      } catch (error) {
        if (signal.aborted) return;
        if (isGone(error)) {
          this.#version = undefined;
          continue;
        }
        if (isForbidden(error)) {
          this.objects.value = new Map();
          this.listed.value = false;
          this.freshness.value = { state: "forbidden", why: errorText(error) };
          await this.#deps.sleep(RETRY_MS.forbidden, signal);
          continue;
        }
        this.freshness.value = { state: "behind", why: errorText(error) };
        await this.#deps.sleep(retryMs, signal);
        retryMs = Math.min(retryMs * 2, RETRY_MS.most);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<string> {
    const found = new Map<string, T>();
    let from = "";
    for (;;) {
      const query = `${this.#query}&limit=${PAGE_SIZE}${from && `&continue=${encodeURIComponent(from)}`}`;
      const list = await this.#deps.client.json<List<T>>(`${this.#path}?${query}`, { signal });
      for (const object of list.items) found.set(object.metadata.uid, object);
      from = list.metadata.continue ?? "";
      if (from) continue;
      this.objects.value = found;
      this.listed.value = true;
      this.freshness.value = { state: "live" };
      return list.metadata.resourceVersion;
    }
  }

  async #watch(signal: AbortSignal, live: () => void): Promise<void> {
    const query = `${this.#query}&watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    const version = this.#version;
    this.#version = undefined; // what cannot be watched from is listed anew, which also tells what is wrong
    for await (const message of this.#deps.client.messages(`${this.#path}?${query}`, signal, "watch", () => {
      this.#version = version;
      live();
    }))
      this.#apply(JSON.parse(message) as WatchEvent<T>);
  }

  #apply(event: WatchEvent<T>): void {
    if (event.type === "ERROR") throw new StatusError(event.object.code ?? 500, "", event.object.message ?? "");
    const { metadata } = event.object;
    this.#version = metadata.resourceVersion;
    if (event.type === "BOOKMARK") return;
    const next = new Map(this.objects.value);
    if (event.type === "DELETED") next.delete(metadata.uid);
    else next.set(metadata.uid, event.object);
    this.objects.value = next;
  }
}
