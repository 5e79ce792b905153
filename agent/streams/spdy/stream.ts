/** One stream of a SPDY connection, as a Node.js duplex stream: each direction ends on its own. */
import { Duplex } from "node:stream";
import { type Frame, Reset } from "./frames.ts";
import type { Headers } from "./headers.ts";

/** What a stream needs of its connection. */
export type Connection = {
  send(frame: Frame): Promise<void>;
  forget(stream: SpdyStream): void;
  balance(): void;
};

/** What a socket brings at once. */
const MAX_DATA_BYTES = 64 * 1024;
/** So much is read before the client's window, 64 KiB at first, is widened again. */
const CREDIT_BYTES = 32 * 1024;

type Opened = { id: number; priority: number; headers: Headers; window: number | undefined };

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  private readonly connection: Connection;
  /** Bytes that the client still takes; undefined for a client that does not say. */
  private window: number | undefined;
  private onWidened: (() => void) | undefined;
  private received = 0;
  private credited = 0;
  private over = false;
  private abandoned = false;

  constructor(connection: Connection, { id, headers, window }: Opened) {
    super({ allowHalfOpen: true, highWaterMark: 64 * 1024 });
    this.connection = connection;
    this.id = id;
    this.headers = headers;
    this.window = window;
    this.on("error", () => {}); // its end is told by "close"
  }

  /** Data came. */
  deliver(data: Buffer): void {
    if (this.destroyed || this.over || data.length === 0) return;
    this.received += data.length;
    this.push(data);
    this.credit();
  }

  /** The client sends no more. */
  ended(): void {
    if (this.destroyed || this.over) return;
    this.over = true;
    this.push(null);
  }

  /** The client, or the whole connection, has given the stream up: it closes without a word. */
  abandon(): void {
    this.abandoned = true;
    this.destroy();
  }

  widen(delta: number): void {
    if (this.window === undefined) return;
    this.window += delta;
    this.onWidened?.();
  }

  /** The client has changed the window that streams start with, by `difference`. */
  rewindow(difference: number, initial: number): void {
    this.window = this.window === undefined ? initial : this.window + difference;
    this.onWidened?.();
  }

  /** Ends the stream at once, both ways. */
  reset(status: number): void {
    void this.connection.send({ type: "rstStream", id: this.id, status });
    this.abandon();
  }

  override _read(): void {} // data comes by `deliver`

  /** Every way to read a stream that holds data back ends here. */
  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.credit();
    return chunk;
  }

  private credit(): void {
    const read = this.received - this.readableLength;
    if (read - this.credited >= CREDIT_BYTES) {
      void this.connection.send({ type: "windowUpdate", id: this.id, delta: read - this.credited });
      this.credited = read;
    }
    this.connection.balance();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.sendAll(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const last: Frame = { type: "data", id: this.id, data: Buffer.alloc(0), fin: true };
    this.connection.send(last).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.onWidened?.();
    const complete = this.over && this.writableFinished;
    if (!complete && !this.abandoned)
      void this.connection.send({ type: "rstStream", id: this.id, status: Reset.cancel });
    this.connection.forget(this);
    done(error);
  }

  private async sendAll(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length && !this.destroyed; ) {
      while (this.window !== undefined && this.window <= 0 && !this.destroyed)
        await new Promise<void>((resolve) => {
          this.onWidened = resolve;
        });
      const data = chunk.subarray(at, at + Math.min(MAX_DATA_BYTES, this.window ?? MAX_DATA_BYTES));
      if (this.window !== undefined) this.window -= data.length;
      at += data.length;
      await this.connection.send({ type: "data", id: this.id, data, fin: false });
    }
  }
}
