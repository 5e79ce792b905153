import type { ClientHttp2Stream } from "node:http2";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import type { RuntimeEvent } from "./runtime.ts";

/** https://github.com/containerd/containerd/blob/main/api/services/events/v1/events.proto */
const METHOD = "/containerd.services.events.v1.Events/Subscribe";
/** What the agent wants to know; each wakes it. */
const TOPICS = ['topic=="/tasks/exit"', 'topic=="/tasks/oom"', 'topic~="^/images/"'];
/** Of a gRPC message: one byte that says whether it is compressed, four with its length. */
const PREFIX_BYTES = 5;

/**
 * containerd's events of a namespace, asked of its socket: `nerdctl events` tells the same and takes 28 MB for it. Calls
 * `onEvent` for each until the connection ends (`onEnd`) or the returned function is called.
 */
export function containerdEvents(
  socket: string,
  namespace: string,
  onEvent: (event: RuntimeEvent) => void,
  onEnd: () => void,
): () => void {
  const session = connect("http://containerd", { createConnection: () => createConnection(socket) });
  let ended = false;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
    session.destroy();
  };
  session.on("error", end).on("close", end);
  const headers = { ":method": "POST", ":path": METHOD, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers);
  stream.on("error", end).on("close", end);
  stream.end(framed(subscription(TOPICS.map((topic) => `namespace==${namespace},${topic}`))));
  eachMessage(stream, (message) => onEvent(readEnvelope(message)));
  return () => {
    ended = true;
    session.destroy();
  };
}

function subscription(filters: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const filter of filters) writer.tag(1, 2).string(filter);
  return writer.finish();
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function eachMessage(stream: ClientHttp2Stream, onMessage: (message: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= PREFIX_BYTES) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1);
      if (rest.length < end) return;
      onMessage(rest.subarray(PREFIX_BYTES, end));
      rest = rest.subarray(end);
    }
  });
}

/** A field of a message: varints as numbers, all others as bytes. */
type Fields = Map<number, number | Uint8Array>;

function fieldsOf(message: Uint8Array): Fields {
  const reader = new BinaryReader(message);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === 0) fields.set(field, reader.uint32());
    else if (wireType === 2) fields.set(field, reader.bytes());
    else reader.skip(wireType);
  }
  return fields;
}

const decoder = new TextDecoder();
const text = (value: number | Uint8Array | undefined) => (value instanceof Uint8Array ? decoder.decode(value) : "");

/** An Envelope: its topic, and of the event in it what `TaskExit` and `TaskOOM` have. */
function readEnvelope(message: Uint8Array): RuntimeEvent {
  const envelope = fieldsOf(message);
  const topic = text(envelope.get(3));
  if (!topic.startsWith("/tasks/")) return { topic, payload: {} };
  const any = fieldsOf(bytes(envelope.get(4)));
  const event = fieldsOf(bytes(any.get(2)));
  const payload = { container_id: text(event.get(1)), id: text(event.get(2)), exit_status: event.get(4) ?? 0 };
  return { topic, payload };
}

const bytes = (value: number | Uint8Array | undefined) => (value instanceof Uint8Array ? value : new Uint8Array());
