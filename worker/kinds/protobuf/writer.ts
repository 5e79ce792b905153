/**
 * Writes messages into one buffer. It has those methods of the library's BinaryWriter that codecs need: that one keeps a
 * list of pieces for every message inside another, which takes most of the time where messages are small and many.
 */
import type { WireType } from "@bufbuild/protobuf/wire";

const FIRST_BYTES = 4096;
const MAX_VARINT_BYTES = 10;
const DOUBLE_BYTES = 8;
const MAX_UTF8_BYTES = 3;
/** Up to so many characters, writing them one by one is faster than calling the encoder. */
const SHORT_CHARACTERS = 48;
const MAX_SMALL = 0x7f;

const encoder = new TextEncoder();

export class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;
  /** Where the lengths of the messages begin that are being written. */
  readonly #open: number[] = [];

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }

  /** Of a whole number from 0 that is exact. */
  #varint(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = value;
    while (rest > MAX_SMALL) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  tag(number: number, wire: WireType): this {
    this.#varint(number * 8 + wire);
    return this;
  }

  bool(value: boolean): this {
    this.#varint(value ? 1 : 0);
    return this;
  }

  /** Also of what is negative, which takes ten bytes; beyond what a number holds exactly, as it is rounded. */
  int64(value: number): this {
    if (value >= 0 && Number.isSafeInteger(value)) {
      this.#varint(value);
      return this;
    }
    this.#reserve(MAX_VARINT_BYTES);
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)));
    while (rest > BigInt(MAX_SMALL)) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
    return this;
  }

  double(value: number): this {
    this.#reserve(DOUBLE_BYTES);
    new DataView(this.#bytes.buffer).setFloat64(this.#at, value, true);
    this.#at += DOUBLE_BYTES;
    return this;
  }

  /** With its length before it. */
  string(text: string): this {
    if (text.length > SHORT_CHARACTERS || !this.#ascii(text)) {
      this.fork();
      this.#reserve(text.length * MAX_UTF8_BYTES);
      this.#at += encoder.encodeInto(text, this.#bytes.subarray(this.#at)).written;
      this.join();
    }
    return this;
  }

  /** Writes short text of ASCII alone; false where it is none, and then nothing is written. */
  #ascii(text: string): boolean {
    const { length } = text;
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > MAX_SMALL) return false;
      bytes[start + index] = code;
    }
    bytes[this.#at] = length;
    this.#at = start + length;
    return true;
  }

  /** With their length before them. */
  bytes(value: Uint8Array): this {
    this.#varint(value.length);
    return this.raw(value);
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Begins what is to have its length before it. */
  fork(): this {
    this.#reserve(1);
    this.#open.push(this.#at);
    // Most are short enough for one byte; others are moved when they are written.
    this.#at += 1;
    return this;
  }

  join(): this {
    const at = this.#open.pop();
    if (at === undefined) throw new Error("no message was begun");
    const end = this.#at;
    const length = end - at - 1;
    if (length <= MAX_SMALL) {
      this.#bytes[at] = length;
      return this;
    }
    const more = lengthBytes(length) - 1;
    this.#reserve(more + MAX_VARINT_BYTES);
    this.#bytes.copyWithin(at + 1 + more, at + 1, end);
    this.#at = at;
    this.#varint(length);
    this.#at = end + more;
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }
}

function lengthBytes(length: number): number {
  let count = 1;
  for (let rest = length; rest > MAX_SMALL; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}
