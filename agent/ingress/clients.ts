/** Clients as the proxy sees them, by HTTP/1 and by HTTP/2. */
import { type IncomingMessage, ServerResponse } from "node:http";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Client } from "./exchange.ts";
import { headerObject } from "./h2-dialer.ts";
import { type Arrival, type Pairs, pairs, plainAddress } from "./headers.ts";
import { hasBody } from "./target.ts";

/** `port` is where it came in, `listener` what that port is called. */
function arrivalOf(socket: Duplex, listener: number): Arrival {
  const {
    remoteAddress,
    localPort = 0,
    encrypted,
    servername,
  } = socket as Socket & Partial<Pick<TLSSocket, "encrypted">> & { servername?: string | false };
  return {
    address: plainAddress(remoteAddress),
    isSecure: encrypted === true,
    port: localPort,
    listener,
    ...(servername && { serverName: servername }),
  };
}

export function http1Client(request: IncomingMessage, response: ServerResponse, listener: number): Client {
  const headers = pairs(request.rawHeaders);
  const body = hasBody(headers) ? request : undefined;
  if (!body) request.resume();
  request.on("error", () => {}); // the response closes
  response.on("error", () => {});
  return {
    method: request.method ?? "",
    headers,
    target: request.url ?? "",
    version: request.httpVersion,
    arrival: arrivalOf(request.socket, listener),
    body,
    head(status, reason, answered, isEmpty) {
      if (reason) response.writeHead(status, reason, answered.flat());
      else response.writeHead(status, answered.flat());
      if (!isEmpty) response.flushHeaders();
    },
    out: response,
    end(trailers) {
      if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(trailers);
      response.end();
    },
    abort: () => void request.socket.destroy(),
    onClose: (listener) => void response.once("close", listener),
  };
}

/** What asked for another protocol and does not get it, as a plain request: its connection ends with the answer. */
export function afterUpgrade(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once("finish", () => socket.end());
  return response;
}

export function http2Client(
  stream: ServerHttp2Stream,
  { ":method": method = "", ":path": target = "", ":authority": authority }: IncomingHttpHeaders,
  raw: readonly string[],
  socket: Duplex,
  listener: number,
): Client {
  const own = pairs(raw).filter(([name]) => !name.startsWith(":"));
  const hasHost = own.some(([name, value]) => name.toLowerCase() === "host" && value === authority);
  const isNamed = authority !== undefined && !hasHost;
  let trailers: Pairs = [];
  stream.on("error", () => {}); // it closes
  stream.on("wantTrailers", () => stream.sendTrailers(headerObject(trailers)));
  return {
    method,
    headers: isNamed ? [["host", authority], ...own] : own,
    target,
    version: "2",
    arrival: arrivalOf(socket, listener),
    body: stream.endAfterHeaders ? undefined : stream,
    head(status, _, answered, isEmpty) {
      stream.respond(
        { ":status": status, ...headerObject(answered) },
        { endStream: isEmpty, waitForTrailers: !isEmpty },
      );
    },
    out: stream,
    end(received) {
      trailers = received;
      stream.end();
    },
    abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    onClose: (listener) => void stream.once("close", listener),
  };
}
