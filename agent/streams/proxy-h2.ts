/** One request to a program that speaks HTTP/2 in the clear, and its answer. Trailers are not passed on. */
import { type ClientHttp2Stream, connect } from "node:http2";
import { isIPv6 } from "node:net";
import type { ProxyRequest } from "../../worker/protocol/link.ts";
import type { ProxyMessage } from "../../worker/protocol/proxy.ts";
import { headerObject, headerPairs } from "../ingress/h2-dialer.ts";
import { endToEnd } from "../ingress/headers.ts";
import type { Ask, Edge } from "./proxy.ts";

const isHost = ([name]: readonly [string, string]) => name.toLowerCase() === "host";

/** `dialError` says in Go's words why nobody answers. */
export function serveHttp2(
  edge: Edge,
  { address, port }: ProxyRequest,
  { method, path, headers, hasBody }: Ask,
  { timeoutMs, dialError }: { timeoutMs: number; dialError: (error: NodeJS.ErrnoException) => Error },
): Promise<void> {
  const authority = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  const session = connect(`http://${authority}`);
  session.setTimeout(timeoutMs, () => session.destroy(new Error(`dial tcp ${authority}: i/o timeout`)));
  session.once("connect", () => session.setTimeout(0));
  const pseudo = { ":method": method, ":path": path, ":authority": headers.find(isHost)?.[1] ?? authority };
  // HTTP/2 refuses what speaks of one connection, which filters may have set.
  const own = headerObject(endToEnd(headers.filter((header) => !isHost(header))));
  edge.socket.once("close", () => session.destroy());
  return new Promise<void>((resolve) => {
    let isAnswered = false;
    let isOver = false;
    const fail = (error: Error) => {
      if (isOver) return;
      isOver = true;
      if (isAnswered) edge.socket.close(1011, "the program's answer broke off");
      else void edge.unreachable(dialError(error)).catch(() => {});
      resolve();
    };
    session.on("error", fail);
    session.once("close", () => {
      if (!isAnswered) fail(new Error("EOF"));
    });
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({ ...pseudo, ...own }, { endStream: !hasBody });
    } catch (error) {
      fail(error as Error);
      session.destroy();
      return;
    }
    stream.once("response", (answered) => {
      isAnswered = true;
      const status = answered[":status"] ?? 502;
      void edge
        .send({ type: "response", status, headers: headerPairs(answered) })
        .then(() => edge.sendBody(stream))
        .then(resolve, fail);
    });
    // Of a session that has failed, its own error says why.
    stream.on("error", (error) => {
      if (!session.destroyed) fail(error);
    });
    edge.listen((data, isBinary) => {
      if (isBinary) return void stream.write(data, () => void edge.send({ type: "read", bytes: data.length }));
      const message = JSON.parse(data.toString()) as ProxyMessage;
      if (message.type === "read") edge.window.read(message.bytes);
      if (message.type === "end" && hasBody) stream.end();
    });
  }).finally(() => session.close());
}
