/**
 * Port forwarding by channels, `v4.channel.k8s.io`, as the Python client and browsers ask for it: of each port one
 * channel with its data and one with an error's text. The first message of both is the port, 16 bits, little-endian.
 */
import type { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { WebSocket } from "ws";
import { closeInOrder, sendWithin } from "./channels.ts";
import type { NamespaceDialer } from "./namespace.ts";

/** Forwards until all ports' connections have ended, or the client is gone. */
export async function forwardChannels(
  socket: WebSocket,
  ports: readonly number[],
  dialer: NamespaceDialer,
  refusal: (port: number, cause: Error) => string,
): Promise<void> {
  const inputs = ports.map(() => new PassThrough());
  const send = (channel: number, data: Uint8Array) => sendWithin(socket, Buffer.concat([Buffer.of(channel), data]));
  socket.on("message", (message: Buffer) => {
    const input = message[0] !== undefined && message[0] % 2 === 0 ? inputs[message[0] / 2] : undefined;
    if (!input?.writable || input.write(message.subarray(1))) return;
    socket.pause();
    input.once("drain", () => socket.resume()).once("close", () => socket.resume());
  });
  socket.once("close", () => {
    for (const input of inputs) input.end();
  });
  await Promise.all(
    ports.map(async (port, index) => {
      const number = Buffer.alloc(2);
      number.writeUInt16LE(port);
      await send(2 * index, number);
      await send(2 * index + 1, number);
      try {
        await exchange(await dialer.dial(port), inputs[index] as PassThrough, (data) => send(2 * index, data));
      } catch (cause) {
        await send(2 * index + 1, Buffer.from(refusal(port, cause as Error)));
      }
    }),
  );
  await closeInOrder(socket);
}

/** A connection that breaks is told by its end, as upstream. */
async function exchange(connection: Socket, input: PassThrough, send: (data: Uint8Array) => Promise<void>) {
  const sent = pipeline(input, connection).catch(() => {});
  try {
    for await (const data of connection) await send(data as Buffer);
  } catch {
    // the program in the pod has broken off
  }
  input.destroy();
  await sent;
}
