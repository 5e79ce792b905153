import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { NodeIdentity } from "../local/join.ts";
import { serveStream } from "./serve.ts";
import type { StreamDeps } from "./served.ts";

/** RFC 6455: what the handshake's key is answered with. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const server = createServer();
afterEach(() => void server.close());

/** A text message of a server, up to 125 bytes. */
const frame = (text: string) => Buffer.concat([Buffer.of(0x81, text.length), Buffer.from(text)]);

/** Answers the handshake, and says something, in one write: as whatever stands between may join the two. */
async function relay(message: string): Promise<Socket> {
  const [socket] = (await once(server, "connection")) as [Socket];
  const [request] = (await once(socket, "data")) as [Buffer];
  const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? "";
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), frame(message)]));
  return socket;
}

test("what comes together with the handshake is heard", async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const identity = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, node: "n", token: "t" };
  const deps = {
    identity: identity as NodeIdentity,
    node: { answer: async () => ({ status: 200, headers: {}, body: "ok" }) },
    log: () => {},
  } as unknown as StreamDeps & {
    identity: NodeIdentity;
  };
  const joined = relay(
    JSON.stringify({ type: "request", method: "GET", path: "/healthz", headers: [], hasBody: false }),
  );
  const served = serveStream({ id: "1", kind: "proxy", address: "", port: 10250 } as never, deps);
  const socket = await joined;
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer[0]).toBe(0x81); // a text message
  socket.destroy();
  await served;
});
