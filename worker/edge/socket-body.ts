/** What a socket receives, as the body of an HTTP answer. */
export type Bounds = {
  /** The answer ends cleanly after this many bytes. */
  bytes: number;
  /** A client that is this far behind is dropped rather than buffered without end. */
  bufferedBytes: number;
};

/** workerd counts a buffer in 32 bits: what is more than this would be less than nothing. */
const MAX_BUFFERED_BYTES = 2 ** 31 - 1;
const UNBOUNDED: Bounds = { bytes: Number.MAX_SAFE_INTEGER, bufferedBytes: MAX_BUFFERED_BYTES };

/** Accepts the socket. Either end closes the other: the socket the body, and `close` or a client that goes away both. */
export function socketBody(socket: WebSocket, { bytes, bufferedBytes }: Bounds = UNBOUNDED) {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let sent = 0;
  const end = () => {
    try {
      controller.close();
    } catch {
      // already closed or cancelled by the client
    }
  };
  const close = (reason: string) => {
    socket.close(1000, reason);
    end();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start: (started) => {
        controller = started;
      },
      cancel: () => socket.close(1000, "client gone"),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: bufferedBytes }),
  );
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    const chunk = typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
    sent += chunk.byteLength;
    try {
      controller.enqueue(chunk);
    } catch {
      return close("client gone");
    }
    if (sent > bytes || (controller.desiredSize ?? 0) < 0) close("the answer is bounded");
  });
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  socket.accept();
  return { body, close };
}
