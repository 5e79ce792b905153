/** The serving side of one SPDY/3.1 connection: streams that its client opens. */
import { Farewell, type Frame, FrameReader, INITIAL_WINDOW_SIZE, ProtocolError, Reset, writeFrame } from "./frames.ts";
import { HeaderReader, type Headers, HeaderWriter } from "./headers.ts";
import { SpdyStream } from "./stream.ts";

/** What carries the bytes. */
export type Transport = {
  /** Resolves when more may be sent. */
  send(bytes: Buffer): Promise<void>;
  /** Holds incoming bytes back, and lets them come again. */
  pause(): void;
  resume(): void;
  close(): void;
};

const MAX_STREAMS = 1000;
/** What all streams together may hold unread before the transport is paused: the last defence, see below. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * Flow control goes both ways, with one exception that real clients ask for: Go's spdystream neither keeps to a window
 * nor ever widens the other side's. So sending is bound to windows only for a client that has announced its own
 * (SETTINGS), and a client that ignores ours is held back by pausing the transport.
 */
export class SpdySession {
  private readonly transport: Transport;
  private readonly onStream: (stream: SpdyStream) => void;
  private readonly streams = new Map<number, SpdyStream>();
  private readonly frames = new FrameReader();
  private readonly reader = new HeaderReader();
  private readonly writer = new HeaderWriter();
  private lastId = 0;
  private window: number | undefined;
  private paused = false;
  private closed = false;
  /** Frames are handled in order, though header blocks take a turn to unpack. */
  private handled: Promise<void> = Promise.resolve();

  /** `onStream` gets each stream after it was accepted, and owns it. */
  constructor(transport: Transport, onStream: (stream: SpdyStream) => void) {
    this.transport = transport;
    this.onStream = onStream;
  }

  /** Takes bytes of the transport, in any portions. */
  receive(bytes: Buffer): void {
    this.handled = this.handled
      .then(async () => {
        if (this.closed) return;
        for (const frame of this.frames.read(bytes))
          if (frame.type === "data") this.take(frame);
          else await this.handle(frame);
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** The transport is gone, or is to go: all streams end. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const stream of this.streams.values()) stream.abandon();
    this.streams.clear();
    this.reader.close();
    this.writer.close();
    this.transport.close();
  }

  send(frame: Frame): Promise<void> {
    return this.closed ? Promise.resolve() : this.transport.send(writeFrame(frame));
  }

  /** Called by a stream that is over. */
  forget(stream: SpdyStream): void {
    this.streams.delete(stream.id);
    this.balance();
  }

  /** Called when a stream's unread bytes became more or less. */
  balance(): void {
    if (this.closed) return;
    const unread = this.streams.values().reduce((sum, stream) => sum + stream.readableLength, 0);
    if (unread > MAX_UNREAD_BYTES === this.paused) return;
    this.paused = !this.paused;
    if (this.paused) this.transport.pause();
    else this.transport.resume();
  }

  private fail(error: unknown): void {
    if (this.closed) return;
    const status = error instanceof ProtocolError ? Farewell.protocolError : Farewell.ok;
    void this.send({ type: "goAway", lastGoodId: this.lastId, status });
    this.close();
  }

  private async handle(frame: Exclude<Frame, { type: "data" }>): Promise<void> {
    switch (frame.type) {
      case "synStream":
        return this.open(frame);
      case "headers":
        await this.reader.read(frame.block); // nothing is said by them here, but the context must follow
        if (frame.fin) this.streams.get(frame.id)?.ended();
        return;
      case "rstStream":
        return this.streams.get(frame.id)?.abandon();
      case "windowUpdate":
        return this.streams.get(frame.id)?.widen(frame.delta);
      case "settings":
        return this.adopt(frame.settings.find(({ id }) => id === INITIAL_WINDOW_SIZE)?.value);
      case "ping":
        if (frame.id % 2 === 1) await this.send(frame); // even ones would answer ours
        return;
      case "goAway": // it opens no more streams; those that are open go on
        return;
      case "synReply":
        throw new ProtocolError("an answer to a stream that was never opened");
    }
  }

  private async open({ id, priority, block, fin }: Extract<Frame, { type: "synStream" }>): Promise<void> {
    const headers = await this.reader.read(block);
    if (id % 2 === 0 || id <= this.lastId) throw new ProtocolError(`stream ${id} after ${this.lastId}`);
    this.lastId = id;
    if (this.streams.size >= MAX_STREAMS) return this.send({ type: "rstStream", id, status: Reset.refusedStream });
    const stream = new SpdyStream(this, { id, priority, headers, window: this.window });
    this.streams.set(id, stream);
    await this.reply(id, new Map());
    if (fin) stream.ended();
    this.onStream(stream);
  }

  private async reply(id: number, headers: Headers): Promise<void> {
    await this.send({ type: "synReply", id, block: await this.writer.write(headers), fin: false });
  }

  private take({ id, data, fin }: Extract<Frame, { type: "data" }>): void {
    const stream = this.streams.get(id);
    if (!stream) {
      // What was under way when a stream was reset is no fault.
      if (id > this.lastId) void this.send({ type: "rstStream", id, status: Reset.invalidStream });
      return;
    }
    stream.deliver(data);
    if (fin) stream.ended();
  }

  private adopt(window: number | undefined): void {
    if (window === undefined) return;
    for (const stream of this.streams.values()) stream.rewindow(window - (this.window ?? window), window);
    this.window = window;
  }
}
