/**
 * The frames of SPDY/3.1, as bytes and as values. Header blocks stay compressed here: their context is the connection's.
 * https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/#TOC-2.2-Framing
 */

export type Frame =
  | { type: "synStream"; id: number; associated: number; priority: number; block: Buffer; fin: boolean }
  | { type: "synReply"; id: number; block: Buffer; fin: boolean }
  | { type: "headers"; id: number; block: Buffer; fin: boolean }
  | { type: "rstStream"; id: number; status: number }
  | { type: "settings"; settings: readonly Setting[] }
  | { type: "ping"; id: number }
  | { type: "goAway"; lastGoodId: number; status: number }
  | { type: "windowUpdate"; id: number; delta: number }
  | { type: "data"; id: number; data: Buffer; fin: boolean };

export type Setting = { id: number; value: number };

/** Status codes of RST_STREAM. */
export const Reset = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;
/** Status codes of GOAWAY. */
export const Farewell = { ok: 0, protocolError: 1 } as const;
export const INITIAL_WINDOW_SIZE = 7;

/** What is not SPDY/3.1. The connection cannot go on. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

const VERSION = 3;
const HEADER_BYTES = 8;
/** Far above what peers send at once (32 KiB), far below what would hurt. */
const MAX_FRAME_BYTES = 1024 * 1024;
const CONTROL_BIT = 0x8000_0000;
const FLAG_FIN = 0x01;

type Fields<Type extends Frame["type"]> = Omit<Extract<Frame, { type: Type }>, "type">;
type Codec<Type extends Frame["type"]> = {
  code: number;
  /** The least length of a valid body, and, for bodies of fixed length, the only one. */
  bytes: number;
  fixed: boolean;
  read(body: Buffer, flags: number): Fields<Type>;
  write(frame: Fields<Type>): Buffer;
};

const streamId = (body: Buffer, at = 0) => body.readUInt32BE(at) & 0x7fff_ffff;
const words = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value >>> 0, 4 * index);
  return buffer;
};

const block = <Type extends "synReply" | "headers">(code: number): Codec<Type> => ({
  code,
  bytes: 4,
  fixed: false,
  read: (body, flags) =>
    ({ id: streamId(body), block: body.subarray(4), fin: (flags & FLAG_FIN) !== 0 }) as Fields<Type>,
  write: (frame) => Buffer.concat([words(frame.id), frame.block]),
});

const CODECS: { [Type in Exclude<Frame["type"], "data">]: Codec<Type> } = {
  synStream: {
    code: 1,
    bytes: 10,
    fixed: false,
    read: (body, flags) => ({
      id: streamId(body),
      associated: streamId(body, 4),
      priority: body.readUInt8(8) >>> 5,
      block: body.subarray(10),
      fin: (flags & FLAG_FIN) !== 0,
    }),
    write: (frame) =>
      Buffer.concat([words(frame.id, frame.associated), Buffer.of(frame.priority << 5, 0), frame.block]),
  },
  synReply: block<"synReply">(2),
  rstStream: {
    code: 3,
    bytes: 8,
    fixed: true,
    read: (body) => ({ id: streamId(body), status: body.readUInt32BE(4) }),
    write: ({ id, status }) => words(id, status),
  },
  settings: {
    code: 4,
    bytes: 4,
    fixed: false,
    read: (body) => ({ settings: readSettings(body) }),
    write: ({ settings }) => words(settings.length, ...settings.flatMap(({ id, value }) => [id, value])),
  },
  ping: {
    code: 6,
    bytes: 4,
    fixed: true,
    read: (body) => ({ id: body.readUInt32BE(0) }),
    write: ({ id }) => words(id),
  },
  goAway: {
    code: 7,
    bytes: 8,
    fixed: true,
    read: (body) => ({ lastGoodId: streamId(body), status: body.readUInt32BE(4) }),
    write: ({ lastGoodId, status }) => words(lastGoodId, status),
  },
  headers: block<"headers">(8),
  windowUpdate: {
    code: 9,
    bytes: 8,
    fixed: true,
    read: (body) => ({ id: streamId(body), delta: body.readUInt32BE(4) & 0x7fff_ffff }),
    write: ({ id, delta }) => words(id, delta),
  },
};

function readSettings(body: Buffer): Setting[] {
  const count = body.readUInt32BE(0);
  if (body.length !== 4 + 8 * count) throw new ProtocolError(`${count} settings in ${body.length} bytes`);
  return Array.from({ length: count }, (_, index) => ({
    id: body.readUInt32BE(4 + 8 * index) & 0x00ff_ffff,
    value: body.readUInt32BE(8 + 8 * index),
  }));
}

export function writeFrame(frame: Frame): Buffer {
  const flags = "fin" in frame && frame.fin ? FLAG_FIN : 0;
  if (frame.type === "data") {
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + frame.data.length);
    bytes.writeUInt32BE(frame.id, 0);
    bytes.writeUInt32BE(flags * 0x100_0000 + frame.data.length, 4);
    frame.data.copy(bytes, HEADER_BYTES);
    return bytes;
  }
  const codec = CODECS[frame.type] as Codec<typeof frame.type>;
  const body = codec.write(frame);
  return Buffer.concat([words(CONTROL_BIT + (VERSION << 16) + codec.code, flags * 0x100_0000 + body.length), body]);
}

/** Cuts a byte stream into frames, wherever its chunks begin and end. What comes whole is not copied. */
export class FrameReader {
  private readonly head = Buffer.alloc(HEADER_BYTES);
  private headBytes = 0;
  /** Parts of a body that has begun, and what is missing of it. */
  private parts: Buffer[] = [];
  private missing = 0;

  /** Control frames of unknown types are left out, as the specification asks. Throws `ProtocolError`. */
  read(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.headBytes < HEADER_BYTES) {
        const copied = chunk.copy(this.head, this.headBytes, at);
        this.headBytes += copied;
        at += copied;
        if (this.headBytes < HEADER_BYTES) break;
        this.missing = this.head.readUInt32BE(4) & 0x00ff_ffff;
        if (this.missing > MAX_FRAME_BYTES) throw new ProtocolError(`a frame of ${this.missing} bytes`);
      }
      const part = chunk.subarray(at, at + this.missing);
      if (part.length > 0) this.parts.push(part);
      this.missing -= part.length;
      at += part.length;
      if (this.missing > 0) break;
      const [body] = this.parts.length === 1 ? this.parts : [Buffer.concat(this.parts)];
      const frame = readFrame(this.head.readUInt32BE(0), this.head.readUInt8(4), body as Buffer);
      if (frame) frames.push(frame);
      this.parts = [];
      this.headBytes = 0;
    }
    return frames;
  }
}

function readFrame(head: number, flags: number, body: Buffer): Frame | undefined {
  if (head < CONTROL_BIT) return { type: "data", id: head, data: body, fin: (flags & FLAG_FIN) !== 0 };
  const version = (head >>> 16) & 0x7fff;
  if (version !== VERSION) throw new ProtocolError(`SPDY version ${version}`);
  const found = Object.entries(CODECS).find(([, { code }]) => code === (head & 0xffff));
  if (!found) return undefined;
  const [type, codec] = found as [Frame["type"], Codec<Exclude<Frame["type"], "data">>];
  if (codec.fixed ? body.length !== codec.bytes : body.length < codec.bytes)
    throw new ProtocolError(`${type} of ${body.length} bytes`);
  return { type, ...codec.read(body, flags) } as Frame;
}
