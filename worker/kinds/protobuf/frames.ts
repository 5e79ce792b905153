/**
 * Watch events as protobuf streams them: each is a `WatchEvent` without an envelope after its length in four bytes, and
 * the object inside has an envelope of its own.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { WireType } from "@bufbuild/protobuf/wire";
import { concat } from "../../lib/bytes.ts";
import { encodeProtobuf } from "./envelope.ts";
import { Writer } from "./writer.ts";

/** `meta.v1.WatchEvent` and, inside, `runtime.RawExtension`. */
const EVENT = { type: 1, object: 2 } as const;
const RAW = 1;
const LENGTH_BYTES = 4;

/** The frames of events that came as lines of JSON. */
export function watchFrames(lines: string): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const { type, object } = JSON.parse(line) as { type: string; object: { apiVersion: string; kind: string } };
    const writer = new Writer().tag(EVENT.type, WireType.LengthDelimited).string(type);
    writer.tag(EVENT.object, WireType.LengthDelimited).fork();
    const event = writer.tag(RAW, WireType.LengthDelimited).bytes(encodeProtobuf(object)).join().finish();
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, event.length);
    parts.push(length, event);
  }
  return concat(parts);
}
