import { once } from "node:events";
import { createServer } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { get, HOST, listening, portOf, raw, startProxy, type TestProxy } from "./testing/proxy.ts";

let proxy: TestProxy;
const sessions: ClientHttp2Session[] = [];
beforeEach(async () => {
  proxy = await startProxy();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await proxy.stop();
});

/** The names of the certificate that is shown to who asks for `servername`. */
async function shown(servername?: string): Promise<string> {
  const options = { host: "127.0.0.1", port: proxy.securePort, rejectUnauthorized: false };
  const socket: TLSSocket = connectTls({ ...options, ...(servername && { servername }) });
  await once(socket, "secureConnect");
  const { subjectaltname, subject } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname ?? String(subject.CN);
}

function http2(): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${proxy.securePort}`, { rejectUnauthorized: false, servername: HOST });
  session.on("error", () => {});
  sessions.push(session);
  return session;
}

async function answerOf(stream: ClientHttp2Stream) {
  let [text, trailers] = ["", {} as Record<string, unknown>];
  stream.on("data", (chunk) => {
    text += chunk;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  const ended = once(stream, "end");
  const [headers] = await once(stream, "response");
  await ended;
  return { headers, text, trailers };
}

describe("certificates", () => {
  test("are chosen by name, by wildcard, or the one for all, and are renewed", async () => {
    expect(await shown("a.example.com")).toBe("test");
    const wild = await proxy.certificate("default/wild", ["*.example.com"]);
    const exact = await proxy.certificate("default/exact", ["a.example.com"]);
    const broken = { secret: "default/broken", hosts: ["b.example.com"], certificate: "x", key: "y" };
    proxy.certificates.configure([broken, wild, exact]);
    expect(proxy.certificates.problems).toEqual([
      expect.stringContaining('the certificate of secret "default/broken" cannot be used: '),
    ]);
    expect(await shown("A.example.com")).toBe("DNS:a.example.com");
    expect(await shown("b.example.com")).toBe("DNS:*.example.com");
    expect(await shown("a.b.example.com")).toBe("test");
    const all = { ...(await proxy.certificate("default/all", ["all.example.com"])), hosts: [] };
    proxy.certificates.configure([exact, all]);
    expect(await shown("b.example.com")).toBe("DNS:all.example.com");
    expect(proxy.certificates.unnamed.cert).toBe(all.certificate);
  });

  test("HTTP/1.1 over TLS, and the program knows", async () => {
    await proxy.program((request, response) => response.end(JSON.stringify(request.headers)));
    const https = await import("node:https");
    const text = await new Promise<string>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: proxy.securePort, headers: { host: HOST }, rejectUnauthorized: false };
      https
        .get({ ...options, agent: false }, (response) => {
          let body = "";
          response.on("data", (chunk) => {
            body += chunk;
          });
          response.on("end", () => resolve(body));
        })
        .on("error", reject);
    });
    expect(JSON.parse(text)).toMatchObject({ "x-forwarded-proto": "https", "x-forwarded-port": `${proxy.securePort}` });
  });
});

describe("HTTP/2", () => {
  test("to a program that speaks HTTP/1.1", async () => {
    await proxy.program((request, response) => {
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      request.on("data", (chunk) => response.write(chunk));
      request.on("end", () => response.end(JSON.stringify(request.headers)));
    });
    const stream = http2().request({ ":method": "POST", ":path": "/x", ":authority": HOST, cookie: ["c=1", "d=2"] });
    stream.end("body");
    const { headers, text } = await answerOf(stream);
    expect(headers[":status"]).toBe(200);
    expect(headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(text.startsWith("body")).toBe(true);
    expect(JSON.parse(text.slice(4))).toMatchObject({ host: HOST, cookie: "c=1; d=2", "transfer-encoding": "chunked" });
  });

  test("refusals, HEAD and what has no body", async () => {
    await proxy.program((_, response) => response.writeHead(304).end());
    const session = http2();
    const none = await answerOf(session.request({ ":path": "/", ":authority": HOST }));
    expect([none.headers[":status"], none.text]).toEqual([304, ""]);
    const lost = await answerOf(session.request({ ":path": "/", ":authority": "other" }));
    expect([lost.headers[":status"], lost.text]).toEqual([404, "no rule is for this host and path\n"]);
    const head = await answerOf(session.request({ ":method": "HEAD", ":path": "/", ":authority": "other" }));
    expect([head.headers[":status"], head.text]).toEqual([404, ""]);
  });

  test("gRPC both ways: messages stream, and the status comes after them or alone", async () => {
    await proxy.http2Program((stream, headers) => {
      if (headers[":path"] === "/fails")
        return stream.respond({ ":status": 200, "grpc-status": "5" }, { endStream: true });
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-te": String(headers.te) }));
      stream.on("data", (chunk) => stream.write(`got ${chunk}`));
      stream.on("end", () => stream.end());
    });
    const session = http2();
    const call = session.request({ ":method": "POST", ":path": "/calls", ":authority": HOST, te: "trailers" });
    const done = answerOf(call);
    call.write("one");
    expect(String((await once(call, "data"))[0])).toBe("got one"); // before the second was sent
    call.end("two");
    expect(await done).toMatchObject({ text: "got onegot two", trailers: { "grpc-status": "0", "x-te": "trailers" } });
    const failing = session.request({ ":method": "POST", ":path": "/fails", ":authority": HOST });
    failing.end("one");
    const [headers, flags] = await once(failing, "response");
    expect(headers["grpc-status"]).toBe("5");
    expect(flags & 1).toBe(1); // END_STREAM
  });

  test("a client of HTTP/1.1 reaches a program that speaks HTTP/2", async () => {
    await proxy.http2Program((stream, headers) => {
      stream.respond({ ":status": 200 });
      stream.end(`${headers[":method"]} ${headers[":authority"]} ${headers["x-forwarded-for"]}`);
    });
    expect((await get(proxy.port)).text).toBe(`GET ${HOST} 127.0.0.1`);
    proxy.lead([1], "h2c");
    expect(await get(proxy.port, "/", { method: "POST" }, "x")).toMatchObject({
      status: 502,
      text: expect.stringContaining("connection refused"),
    });
  });
});

describe("WebSockets", () => {
  async function echo(): Promise<WebSocketServer> {
    const server = await listening(createServer());
    const sockets = new WebSocketServer({ server, handleProtocols: (offered) => [...offered][0] ?? false });
    sockets.on("connection", (socket, request) => {
      socket.send(JSON.stringify(request.headers));
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    proxy.lead([portOf(server)]);
    return sockets;
  }

  test.each(["ws", "wss"])("%s: open, carry both ways, and end with their code", async (scheme) => {
    const sockets = await echo();
    const port = scheme === "ws" ? proxy.port : proxy.securePort;
    const options = { headers: { host: HOST }, rejectUnauthorized: false };
    const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/chat?x`, ["one", "two"], options);
    const [first] = await once(socket, "message");
    expect(JSON.parse(String(first))).toMatchObject({ host: HOST, "x-forwarded-for": "127.0.0.1" });
    expect(socket.protocol).toBe("one");
    const bytes = Buffer.alloc(1_000_000, "x");
    socket.send(bytes);
    expect(((await once(socket, "message"))[0] as Buffer).equals(bytes)).toBe(true);
    for (const each of sockets.clients) each.close(4321, "enough");
    expect(await once(socket, "close")).toEqual([4321, Buffer.from("enough")]);
    sockets.close();
  });

  test("a refusal of the program's is told as it is, and one of the proxy's too", async () => {
    await proxy.program((_, response) => response.writeHead(403).end("not you"));
    const refused = async (host: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, { headers: { host } });
      const [, response] = await once(socket, "unexpected-response");
      response.resume();
      socket.on("error", () => {}).terminate();
      return response.statusCode;
    };
    expect(await refused(HOST)).toBe(403);
    expect(await refused("other")).toBe(404);
    proxy.lead([1]);
    expect(await refused(HOST)).toBe(502);
  });

  test("HTTP/2 inside of HTTP/1 is not begun", async () => {
    const seen: unknown[] = [];
    await proxy.program((request, response) => {
      seen.push(request.headers.upgrade, request.headers["http2-settings"]);
      response.end("plain");
    });
    const lines = ["GET / HTTP/1.1", `Host: ${HOST}`, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"];
    const text = await raw(
      proxy.port,
      `${[...lines, "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"].join("\r\n")}\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1.1 200 [\s\S]*plain/);
    expect(seen).toEqual([undefined, undefined]);
  });
});
