/** What calls of gRPC have in common: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Before a message: one byte that says whether it is compressed, four with its length. */
export const FRAME_HEADER = 5;
/** https://grpc.io/docs/guides/status-codes/ */
export const Code = { deadlineExceeded: 4, notFound: 5, unimplemented: 12, internal: 13, unavailable: 14 } as const;

/** Headers of a call of `/SERVICE/METHOD`. */
export const callOf = (path: string) => ({
  ":method": "POST",
  ":path": path,
  "content-type": "application/grpc",
  te: "trailers",
});

export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEADER);
  return frame;
}

/** How a call ended, where these headers or trailers tell: an answer without a body has only one of them. */
export function statusOf(headers: Record<string, unknown>): { code: number; message: string } | undefined {
  const code = headers["grpc-status"];
  if (code === undefined) return undefined;
  return { code: Number(code), message: decoded(String(headers["grpc-message"] ?? "")) };
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** All values of a field of messages, texts or bytes. */
export function fieldsIn(message: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(message);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === wanted && wire === WireType.LengthDelimited) found.push(reader.bytes());
    else reader.skip(wire, number);
  }
  return found;
}

/** The value of a field that is a message; an empty one when it is not there. */
export const messageIn = (message: Uint8Array, field: number): Uint8Array =>
  fieldsIn(message, field)[0] ?? new Uint8Array();

/** The value of a field that is a text; "" when it is not there. */
export const textIn = (message: Uint8Array, field: number): string => Buffer.from(messageIn(message, field)).toString();

/** The value of a field that is a number; 0 when it is not there. */
export function numberIn(message: Uint8Array, wanted: number): number {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === wanted && wire === WireType.Varint) return reader.uint32();
    reader.skip(wire, number);
  }
  return 0;
}
