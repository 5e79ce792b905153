/**
 * The remote command protocol of Kubernetes over WebSocket, `channel.k8s.io` with `v4` or `v5` before it or nothing:
 * binary messages whose first byte is a channel. https://kubernetes.io/docs/reference/using-api/websockets/ (KEP-4006)
 */
import type { WebSocket } from "ws";

export const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export type Incoming =
  | { type: "stdin"; data: Buffer }
  | { type: "resize"; width: number; height: number }
  /** The client has no more input (v5 only). */
  | { type: "end" };

/** Undefined for what no server has to understand. */
export function readMessage(message: Buffer): Incoming | undefined {
  const data = message.subarray(1);
  switch (message[0]) {
    case Channel.stdin:
      return { type: "stdin", data };
    case Channel.close:
      return data[0] === Channel.stdin ? { type: "end" } : undefined;
    case Channel.resize:
      return readSize(data.toString());
    default:
      return undefined;
  }
}

function readSize(text: string): Incoming | undefined {
  try {
    const size: unknown = JSON.parse(text);
    if (typeof size !== "object" || size === null) return undefined;
    const { Width: width, Height: height } = size as { Width?: unknown; Height?: unknown };
    if (!Number.isInteger(width) || !Number.isInteger(height)) return undefined;
    return { type: "resize", width: width as number, height: height as number };
  } catch {
    return undefined;
  }
}

/** A `metav1.Status`; a success has no message. */
export type Ending = {
  metadata: object;
  status: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: object;
};

/** How a command ended, as the error channel tells it. */
export function exitStatus(code: number): Ending {
  if (code === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: error executing command, exit code ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

export const internalError = (cause: string): string => `Internal error occurred: ${cause}`;

export const failureStatus = (cause: string): Ending => ({
  metadata: {},
  status: "Failure",
  message: internalError(cause),
  reason: "InternalError",
  details: { causes: [{ message: cause }] },
  code: 500,
});

/** What a server has sent and the socket has not taken yet, in bytes, before it pauses its source. */
const HIGH_WATER_BYTES = 1024 * 1024;

/** Sends a message; resolves when more may be sent. What a closed socket does not take is dropped. */
export function sendWithin(socket: WebSocket, message: Buffer | string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  if (socket.bufferedAmount >= HIGH_WATER_BYTES) return new Promise((resolve) => socket.send(message, () => resolve()));
  socket.send(message);
  return Promise.resolve();
}

/** Closes once the other end has all that was sent: its answer to a ping comes after that. */
export async function closeInOrder(socket: WebSocket): Promise<void> {
  if (socket.readyState !== socket.OPEN) return;
  socket.resume(); // input that nobody reads any more must not hold the answer back
  await new Promise<void>((resolve) => {
    socket.once("pong", () => resolve()).once("close", () => resolve());
    socket.ping();
  });
  socket.close(1000);
}

/** Takes no more messages until there is room for what the last one brought. */
export function waitForRoom(socket: WebSocket, room: Promise<void> | undefined): void {
  if (!room) return;
  socket.pause();
  void room.then(() => socket.resume());
}

/** The first version has no statuses: its error channel says in words what went wrong, and nothing else. */
const FIRST_VERSION = "channel.k8s.io";

export class Channels {
  private readonly socket: WebSocket;
  private readonly subprotocol: string;

  constructor(socket: WebSocket, subprotocol: string) {
    this.socket = socket;
    this.subprotocol = subprotocol;
  }

  /** Resolves when more may be sent. */
  send(channel: number, data: Buffer): Promise<void> {
    return sendWithin(this.socket, Buffer.concat([Buffer.of(channel), data]));
  }

  /** The last word, then a clean close. */
  async finish(status: Ending): Promise<void> {
    const isFirst = this.subprotocol === FIRST_VERSION;
    const word = isFirst ? (status.message ?? "") : JSON.stringify(status);
    if (word) await this.send(Channel.error, Buffer.from(word));
    await closeInOrder(this.socket);
  }
}
