/** The watches of clients: each is a socket whose attachment is its whole state, so that the object may sleep. */
import { CalloutsNeeded } from "./api/callouts/callouts.ts";
import type { WatchSpec } from "./api/request.ts";
import type { Watches } from "./api/watch/watch.ts";
import { ApiError } from "./lib/status.ts";
import type { Change, Reader } from "./storage/store.ts";

/** The same one each time for the same socket. */
export interface WatchSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  spec(): WatchSpec;
  remember(spec: WatchSpec): void;
}

/** Initial events are sent in pieces of about this many characters. */
const CHUNK_CHARACTERS = 256 * 1024;
/** A watcher that asked for bookmarks hears of the newest revision at most this often, and only when others write. */
const BOOKMARK_EVERY_MS = 60_000;

export type WatchersDeps = {
  watches: Pick<Watches, "initialEvents" | "renderChanges" | "bookmark">;
  store: Reader;
  now(): number;
  sockets(): readonly WatchSocket[];
  /** Hears of what no watcher should ever meet. */
  report(error: unknown): void;
};

export class Watchers {
  private readonly deps: WatchersDeps;
  private readonly bookmarked = new WeakMap<WatchSocket, number>();

  constructor(deps: WatchersDeps) {
    this.deps = deps;
  }

  /** Sends what comes before the first change. Nothing may wait between the check of the request and this. */
  open(socket: WatchSocket, spec: WatchSpec): void {
    let chunk = "";
    let failed = false;
    for (const line of this.deps.watches.initialEvents(spec, this.deps.store)) {
      failed = line.startsWith('{"type":"ERROR"');
      chunk += line;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      socket.send(chunk);
      chunk = "";
    }
    if (chunk) socket.send(chunk);
    socket.remember(spec);
    if (failed) socket.close(1000, "expired");
  }

  /** Undefined when the watch has ended: what cannot be converted now can be when the client has come back for it. */
  private render(
    socket: WatchSocket,
    spec: WatchSpec,
    changes: readonly Change[],
    told: Map<string, string>,
  ): string | undefined {
    try {
      return this.deps.watches.renderChanges(spec, changes, told);
    } catch (error) {
      if (!(error instanceof CalloutsNeeded || error instanceof ApiError)) throw error;
      socket.close(1000, "conversion");
      return undefined;
    }
  }

  /** Tells every watcher what a turn wrote: one message each. One that cannot be told ends, and its client comes back. */
  changed(changes: readonly Change[]): void {
    const told = new Map<string, string>();
    for (const socket of this.deps.sockets())
      try {
        this.tell(socket, changes, told);
      } catch (error) {
        this.deps.report(error);
        socket.close(1011, "failed");
      }
  }

  private tell(socket: WatchSocket, changes: readonly Change[], told: Map<string, string>): void {
    const now = this.deps.now();
    const spec = socket.spec();
    if (now >= spec.deadline) {
      if (spec.bookmarks) socket.send(this.deps.watches.bookmark(spec, this.deps.store.revision()));
      return socket.close(1000, "deadline");
    }
    const { headed } = spec;
    let lines = this.render(socket, spec, changes, told);
    if (lines === undefined) return;
    if (!lines && spec.bookmarks && now - (this.bookmarked.get(socket) ?? 0) >= BOOKMARK_EVERY_MS)
      lines = this.deps.watches.bookmark(spec, this.deps.store.revision());
    if (lines) {
      socket.send(lines);
      this.bookmarked.set(socket, now);
    }
    // The revision need not be kept: what is committed is told in the same turn, so nothing is ever told twice.
    if (spec.headed !== headed) socket.remember(spec);
  }
}
