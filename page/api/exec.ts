/**
 * A command in a container, over the WebSocket that `kubectl exec` uses: binary messages whose first byte is a channel.
 * https://kubernetes.io/docs/reference/using-api/websockets/ (KEP-4006)
 */
import { type Client, StatusError } from "./client.ts";
import { partOf } from "./discovery.ts";

const Channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

export type Target = { namespace: string; pod: string; container: string };

export type Command = {
  words: readonly string[];
  /** A terminal, which has no standard error of its own, and whose input has no end. */
  tty?: boolean;
  stdin?: boolean;
  /** In the order in which it was written. */
  stdout(bytes: Uint8Array): void;
  stderr?(bytes: Uint8Array): void;
};

/** How it ended: the exit code where it ran, and what the API says of it where that is not 0. */
export type Ending = { code?: number; message: string };

export class Exec {
  /** Rejects with a StatusError, or a TypeError without a reason, where the command did not begin or its end is unknown. */
  readonly ended: Promise<Ending>;
  readonly #socket: WebSocket;
  #why = "the connection was lost";
  #wasOpen = false;

  constructor(client: Client, target: Target, command: Command) {
    const path = pathOf(target, command);
    this.#socket = client.socket(path, "v5.channel.k8s.io");
    this.ended = this.#end(command).catch((error: unknown) => {
      if (this.#wasOpen) throw error;
      return refused(client, path, error);
    });
  }

  /** Bytes that wait in the browser to be sent. */
  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  write = (bytes: Uint8Array): void => this.#send(Channel.stdin, bytes);

  resize = (width: number, height: number): void =>
    this.#send(Channel.resize, new TextEncoder().encode(JSON.stringify({ Width: width, Height: height })));

  /** There is no more input. */
  finish = (): void => this.#send(Channel.close, Uint8Array.of(Channel.stdin));

  /** `why` is what it then ends with. */
  close(why?: string): void {
    this.#why = why ?? this.#why;
    this.#socket.close();
  }

  /** What is said before the connection is there waits; what is said after its end is lost, as with any terminal. */
  #send(channel: number, bytes: Uint8Array): void {
    const message = new Uint8Array(bytes.length + 1);
    message[0] = channel;
    message.set(bytes, 1);
    if (this.#socket.readyState === WebSocket.CONNECTING)
      this.#socket.addEventListener("open", () => this.#socket.send(message), { once: true });
    else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  #end({ stdout, stderr }: Command): Promise<Ending> {
    return new Promise((resolve, reject) => {
      this.#socket.onopen = () => {
        this.#wasOpen = true;
      };
      this.#socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
        const bytes = new Uint8Array(data);
        const rest = bytes.subarray(1);
        if (bytes[0] === Channel.stdout) stdout(rest);
        else if (bytes[0] === Channel.stderr) stderr?.(rest);
        else if (bytes[0] === Channel.error) resolve(endingOf(new TextDecoder().decode(rest)));
      };
      this.#socket.onclose = ({ reason }) => reject(new TypeError(reason || this.#why));
    });
  }
}

function pathOf({ namespace, pod, container }: Target, { words, tty, stdin }: Command): string {
  const query = new URLSearchParams([
    ["container", container],
    ["stdout", "true"],
    ...(stdin ? [["stdin", "true"]] : []),
    ...(tty ? [["tty", "true"]] : [["stderr", "true"]]),
    ...words.map((word) => ["command", word]),
  ]);
  return `/api/v1/namespaces/${partOf(namespace)}/pods/${partOf(pod)}/exec?${query}`;
}

type Status = {
  status: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[] };
};

function endingOf(text: string): Ending {
  const { status, message = "", details } = JSON.parse(text) as Status;
  if (status === "Success") return { code: 0, message: "" };
  const code = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return { message, ...(code === undefined ? {} : { code: Number(code) }) };
}

/** A browser does not say why a WebSocket was refused: the same is asked without one, which tells what else is wrong first. */
async function refused(client: Client, path: string, error: unknown): Promise<never> {
  await client.fetch(path).catch((why: unknown) => {
    if (why instanceof StatusError && why.code !== 400) throw why;
  });
  throw error;
}
