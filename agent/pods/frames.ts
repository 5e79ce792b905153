/** Frames on the sockets of the keeper: a byte that says the kind, the length of the data in 4 bytes, high first, the data. */
export const Kind = { stdin: 0, stdout: 1, stderr: 2, end: 3, resize: 4, over: 5 } as const;

const HEADER = 5;
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

export function frame(kind: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(data.length, 1);
  return Buffer.concat([header, data]);
}

export class FrameReader {
  readonly #onFrame: (kind: number, data: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onFrame: (kind: number, data: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(data: Buffer): void {
    this.#rest = this.#rest.length ? Buffer.concat([this.#rest, data]) : data;
    while (this.#rest.length >= HEADER) {
      const length = this.#rest.readUInt32BE(1);
      if (length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
      if (this.#rest.length < HEADER + length) return;
      const kind = this.#rest.readUInt8(0);
      const body = this.#rest.subarray(HEADER, HEADER + length);
      this.#rest = this.#rest.subarray(HEADER + length);
      this.#onFrame(kind, body);
    }
  }
}
