import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { download, MAX_FILE_BYTES } from "./files.ts";
import { headerOf, paddingOf } from "./tar.ts";

const TARGET = { namespace: "shop", pod: "web", container: "c" };
const STDOUT = 1;
const ERROR = 3;

/** A connection to a command: it has an end only where one is told, or where the page closes it. */
class Socket {
  readonly readyState = WebSocket.OPEN;
  isClosed = false;
  onopen = () => {};
  onmessage = (_: { data: ArrayBuffer }) => {};
  onclose = (_: { reason: string }) => {};

  close(): void {
    this.isClosed = true;
  }
  tell(channel: number, bytes: Uint8Array): void {
    const data = new Uint8Array(bytes.length + 1);
    data[0] = channel;
    data.set(bytes, 1);
    this.onmessage({ data: data.buffer });
  }
}

function setup() {
  const socket = new Socket();
  const leave = new AbortController();
  const client = { socket: () => socket as unknown as WebSocket } as unknown as Client;
  return { socket, leave, file: download(client, TARGET, "/tmp/words", leave.signal) };
}

test("a file comes as it is", async () => {
  const { socket, file } = setup();
  const words = new TextEncoder().encode("some words");
  for (const bytes of [headerOf("words", words.length), words, paddingOf(words.length)]) socket.tell(STDOUT, bytes);
  socket.tell(ERROR, new TextEncoder().encode(JSON.stringify({ status: "Success" })));
  expect([(await file).name, await (await file).text()]).toEqual(["words", "some words"]);
  expect(socket.isClosed).toBe(true);
});

test("what is too large ends at once, whatever the other side goes on to send", async () => {
  const { socket, file } = setup();
  const piece = new Uint8Array(MAX_FILE_BYTES / 4 + 1);
  for (let n = 0; n < 4; n++) socket.tell(STDOUT, piece);
  await expect(file).rejects.toThrow("larger than 64 MB");
  expect(socket.isClosed).toBe(true);
});

test("who leaves ends it", async () => {
  const { socket, leave, file } = setup();
  socket.tell(STDOUT, new Uint8Array(10));
  leave.abort();
  await expect(file).rejects.toThrow("aborted");
  expect(socket.isClosed).toBe(true);
});
