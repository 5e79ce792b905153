/** Protobuf's wire format: https://protobuf.dev/programming-guides/encoding/ */

/** Bytes that are no message. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** What a field holds on the wire: a number for varints and doubles, bytes for everything that has a length. */
export type WireField = { number: number; value: bigint | number | Uint8Array };

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const MAX_VARINT_BYTES = 10;

/** The fields of a message, in the order in which they come. */
export function* fieldsOf(message: Uint8Array): Iterable<WireField> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;

  function varint(): bigint {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = message[at++];
      if (byte === undefined) throw new WireError("unexpected EOF");
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return value;
    }
    throw new WireError("integer overflow");
  }

  function take(length: number): number {
    if (length > message.length - at) throw new WireError("unexpected EOF");
    at += length;
    return at - length;
  }

  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number < 1) throw new WireError(`illegal tag ${number}`);
    switch (Number(tag & 7n)) {
      case WIRE.varint:
        yield { number, value: BigInt.asIntN(64, varint()) };
        break;
      case WIRE.fixed64:
        yield { number, value: view.getFloat64(take(8), true) };
        break;
      case WIRE.bytes: {
        const length = Number(varint());
        const start = take(length);
        yield { number, value: message.subarray(start, start + length) };
        break;
      }
      case WIRE.fixed32:
        yield { number, value: view.getFloat32(take(4), true) };
        break;
      default:
        throw new WireError(`illegal wireType ${tag & 7n}`);
    }
  }
}
