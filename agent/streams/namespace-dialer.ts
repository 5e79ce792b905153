/**
 * A program of its own, run inside a pod's network namespace: opens connections there and hands them over its channel
 * to the agent. A socket stays in the namespace it was made in, so no byte of the stream passes through here.
 */
import { connect, type Socket } from "node:net";
import { programPath } from "../program.ts";

export type DialRequest = { id: number; port: number };
/** The message that answers; with it comes the socket, unless `error` says why not. */
export type DialAnswer = { id: number; error?: string };

/** As for a program in the pod, `localhost` is tried by both of its addresses. */
const HOSTS = ["127.0.0.1", "::1"];

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.pause(); // what is read here would not be handed over
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

export async function dialLocalhost(port: number): Promise<Socket> {
  const errors: string[] = [];
  for (const host of HOSTS) {
    try {
      return await dial(host, port);
    } catch (error) {
      errors.push(reasonOf(error as NodeJS.ErrnoException, host, port));
    }
  }
  throw new Error(errors[0]);
}

/** In the words of Go's net package, which users of port-forward know. */
function reasonOf({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const reason = code === "ECONNREFUSED" ? "connect: connection refused" : message;
  return `dial tcp4 ${host}:${port}: ${reason}`;
}

async function answer({ id, port }: DialRequest): Promise<void> {
  try {
    const socket = await dialLocalhost(port);
    process.send?.({ id } satisfies DialAnswer, socket);
  } catch (error) {
    process.send?.({ id, error: (error as Error).message } satisfies DialAnswer);
  }
}

if (process.argv[1] === programPath("streams/namespace-dialer") && process.send) {
  process.on("message", (request: DialRequest) => void answer(request));
  process.on("disconnect", () => process.exit()); // the agent is gone, or needs no more
}
