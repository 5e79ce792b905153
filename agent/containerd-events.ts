import type { ClientHttp2Stream } from "node:http2";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { callOf, FRAME_HEADER, framed, messageIn, numberIn, textIn } from "./grpc.ts";
import type { RuntimeEvent } from "./runtime.ts";

/** https://github.com/containerd/containerd/blob/main/api/services/events/v1/events.proto */
const METHOD = "/containerd.services.events.v1.Events/Subscribe";
/** What the agent wants to know; each wakes it. */
const TOPICS = ['topic=="/tasks/exit"', 'topic=="/tasks/oom"', 'topic~="^/images/"'];

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
  const stream = session.request(callOf(METHOD));
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
  for (const filter of filters) writer.tag(1, WireType.LengthDelimited).string(filter);
  return writer.finish();
}

function eachMessage(stream: ClientHttp2Stream, onMessage: (message: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= FRAME_HEADER) {
      const end = FRAME_HEADER + rest.readUInt32BE(1);
      if (rest.length < end) return;
      onMessage(rest.subarray(FRAME_HEADER, end));
      rest = rest.subarray(end);
    }
  });
}

/** An Envelope: its topic, and of the event in it what `TaskExit` and `TaskOOM` have. */
function readEnvelope(envelope: Uint8Array): RuntimeEvent {
  const topic = textIn(envelope, 3);
  if (!topic.startsWith("/tasks/")) return { topic, payload: {} };
  const event = messageIn(messageIn(envelope, 4), 2);
  return { topic, payload: { container_id: textIn(event, 1), id: textIn(event, 2), exit_status: numberIn(event, 4) } };
}
