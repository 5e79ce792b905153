/** The watches of clients: each is a socket whose attachment is its whole state, so that the object may sleep. */
import { CalloutsNeeded } from "./api/callouts/callouts.ts";
import type { WatchSpec } from "./api/request.ts";
import type { Watches } from "./api/watch/watch.ts";
import { watchFrames } from "./kinds/protobuf/frames.ts";
import { ApiError } from "./lib/status.ts";
import type { Change, Reader } from "./storage/store.ts";

/** The same one each time for the same socket. */
export interface WatchSocket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  spec(): WatchSpec;
  remember(spec: WatchSpec): void;
}

/** Initial events are sent in pieces of about this many characters, and no more of later ones waits. */
const CHUNK_CHARACTERS = 256 * 1024;
/**
 * A message takes its Worker some 0.1 ms whatever its length. After telling, watchers rest so long for each message, so
 * that what many writes do meanwhile comes in one; few watchers, and who hear of writes seldom, wait for nothing.
 */
const REST_PER_MESSAGE_MS = 1;
const MAX_REST_MS = 100;
/** A watcher that asked for bookmarks hears of the newest revision at most this often, and only when others write. */
const BOOKMARK_EVERY_MS = 60_000;

export type WatchersDeps = {
  watches: Pick<Watches, "initialEvents" | "renderChanges" | "bookmark" | "tooOld">;
  store: Reader;
  now(): number;
  /** Runs `body` after so many ms; the object does not sleep before. */
  defer(body: () => void, ms: number): void;
  sockets(): readonly WatchSocket[];
  /** Hears of what no watcher should ever meet. */
  report(error: unknown): void;
};

/** Lines that were told in a turn, encoded as protobuf. */
type Framed = Map<string, Uint8Array<ArrayBuffer>>;

export class Watchers {
  private readonly deps: WatchersDeps;
  private readonly bookmarked = new WeakMap<WatchSocket, number>();
  private untold: Change[] = [];
  private untoldCharacters = 0;
  /** When watchers have rested from the last telling, ms. */
  private restedAt = 0;
  private deferred = false;

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
      this.send(socket, spec, chunk);
      chunk = "";
    }
    if (chunk) this.send(socket, spec, chunk);
    socket.remember(spec);
    if (failed) socket.close(1000, "expired");
  }

  /** Lines as the watch takes them. Those who are told the same share what it was encoded to, in `framed`. */
  private send(socket: WatchSocket, { encoding }: WatchSpec, lines: string, framed?: Framed): void {
    if (encoding !== "protobuf") return socket.send(lines);
    const frames = framed?.get(lines) ?? watchFrames(lines);
    framed?.set(lines, frames);
    socket.send(frames);
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

  /** Ends all watches: what they know cannot be gone on from. Their clients look at everything anew. */
  expire(): void {
    this.untold = [];
    for (const socket of this.deps.sockets())
      try {
        const spec = socket.spec();
        this.send(socket, spec, this.deps.watches.tooOld(spec, this.deps.store.oldestRevision()));
        socket.close(1000, "expired");
      } catch (error) {
        this.deps.report(error);
        socket.close(1011, "failed");
      }
  }

  /** Tells every watcher what was written, at once or when they have rested. */
  changed(changes: readonly Change[]): void {
    this.untold.push(...changes);
    for (const { json } of changes) this.untoldCharacters += json.length;
    // No longer than that where the clock was set back.
    const rest = Math.min(this.restedAt - this.deps.now(), MAX_REST_MS);
    if (rest <= 0 || this.untoldCharacters >= CHUNK_CHARACTERS) return this.tellAll();
    if (this.deferred) return;
    this.deferred = true;
    this.deps.defer(() => {
      this.deferred = false;
      if (this.untold.length > 0) this.tellAll();
    }, rest);
  }

  /** One message each. One that cannot be told ends, and its client comes back. */
  private tellAll(): void {
    const changes = this.untold;
    this.untold = [];
    this.untoldCharacters = 0;
    const told = new Map<string, string>();
    const framed: Framed = new Map();
    let messages = 0;
    for (const socket of this.deps.sockets())
      try {
        if (this.tell(socket, changes, told, framed)) messages += 1;
      } catch (error) {
        this.deps.report(error);
        socket.close(1011, "failed");
      }
    this.restedAt = this.deps.now() + Math.min(messages * REST_PER_MESSAGE_MS, MAX_REST_MS);
  }

  /** True when there was something to say. */
  private tell(socket: WatchSocket, changes: readonly Change[], told: Map<string, string>, framed: Framed): boolean {
    const now = this.deps.now();
    const spec = socket.spec();
    if (now >= spec.deadline) {
      // How far it has come, and not how far others have: it is told no more. What was before has been told, though its
      // spec may say less after a sleep.
      const reached = Math.max(spec.revision, (changes[0]?.revision ?? 0) - 1);
      if (spec.bookmarks) this.send(socket, spec, this.deps.watches.bookmark(spec, reached));
      socket.close(1000, "deadline");
      return false;
    }
    const { headed } = spec;
    let lines = this.render(socket, spec, changes, told);
    if (lines === undefined) return false;
    if (!lines && spec.bookmarks && now - (this.bookmarked.get(socket) ?? 0) >= BOOKMARK_EVERY_MS)
      lines = this.deps.watches.bookmark(spec, spec.revision);
    if (lines) {
      this.send(socket, spec, lines, framed);
      this.bookmarked.set(socket, now);
    }
    // The revision need not be kept: what is committed is told before the object sleeps, so nothing is ever told twice.
    if (spec.headed !== headed) socket.remember(spec);
    return lines !== "";
  }
}
