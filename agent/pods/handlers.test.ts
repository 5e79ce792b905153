import { createServer as createHttp2 } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { steadyEffects } from "../effects.ts";
import { act } from "./handlers.ts";

let server: Server | undefined;
afterEach(() => server?.close());

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const listening = createServer((socket) => serve(socket.on("error", () => {})));
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return (listening.address() as { port: number }).port;
}

const means = { exec: () => Promise.reject(new Error("no")), timers: steadyEffects, purpose: "probe" as const };
const target = { container: { name: "c" }, containerId: "", ip: "127.0.0.1" };

const probe = (port: number, kind: "httpGet" | "tcpSocket", more: object = {}) =>
  act({ [kind]: { port, ...more } }, target, means, 2_000);

test("a program that answers is well, one that answers with an error is not", async () => {
  const answer = (status: string) => (socket: Socket) =>
    socket.once("data", () => socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nok`));
  expect(await probe(await listen(answer("200 OK")), "httpGet")).toEqual({ ok: true, output: "ok" });
  server?.close();
  expect(await probe(await listen(answer("500 No")), "httpGet")).toEqual({
    ok: false,
    output: "HTTP probe failed with statuscode: 500",
  });
});

test("what went wrong on the network is said as kubelets say it", async () => {
  const hangsUp = await listen((socket) => socket.end());
  expect((await probe(hangsUp, "httpGet")).output).toBe(`Get "http://127.0.0.1:${hangsUp}/": EOF`);
  expect((await probe(hangsUp, "tcpSocket")).ok).toBe(true);
  server?.close();
  const resets = await listen((socket) => socket.once("data", () => socket.resetAndDestroy()));
  expect((await probe(resets, "httpGet")).output).toMatch(/: read: connection reset by peer$/);
  server?.close();
  await new Promise((resolve) => setImmediate(resolve));
  for (const kind of ["httpGet", "tcpSocket"] as const)
    expect((await probe(resets, kind)).output).toContain(`dial tcp 127.0.0.1:${resets}: connect: connection refused`);
});

/** Serves what `answer` says for a path, and remembers the heads of requests. */
async function website(answer: (path: string) => string, heads: string[] = []): Promise<number> {
  return listen((socket) =>
    socket.once("data", (data) => {
      heads.push(data.toString());
      socket.end(`${answer(data.toString().split(" ")[1] ?? "")}\r\nConnection: close\r\n\r\nbody`);
    }),
  );
}

test("a redirect is followed on the same host only; one that leads away is a warning", async () => {
  const port = await website((path) =>
    path === "/" ? "HTTP/1.1 302 Found\r\nLocation: /well" : path === "/well" ? "HTTP/1.1 200 OK" : away(path),
  );
  const away = (path: string) =>
    path === "/loop"
      ? "HTTP/1.1 302 Found\r\nLocation: /loop"
      : "HTTP/1.1 301 Moved\r\nLocation: http://other.example/";
  expect(await probe(port, "httpGet")).toEqual({ ok: true, output: "body" });
  expect(await probe(port, "httpGet", { path: "/away" })).toEqual({
    ok: true,
    output: "",
    warning: "Probe terminated redirects, Response body: body",
  });
  expect((await probe(port, "httpGet", { path: "/loop" })).output).toBe(
    `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`,
  );
});

test("headers are those of a kubelet, where the user gives no others", async () => {
  const heads: string[] = [];
  const port = await website(() => "HTTP/1.1 200 OK", heads);
  await probe(port, "httpGet");
  const httpHeaders = [
    { name: "Host", value: "web.example" },
    { name: "accept", value: "" },
    { name: "X-Two", value: "1" },
    { name: "X-Two", value: "2" },
  ];
  await probe(port, "httpGet", { httpHeaders, path: "health?full=1" });
  expect(heads[0]).toMatch(/^GET \/ HTTP\/1.1\r\n/);
  expect(heads[0]).toMatch(/User-Agent: kube-probe\/1.35\r\nAccept: \*\/\*/);
  expect(heads[1]).toMatch(/^GET \/health\?full=1 HTTP/);
  expect(heads[1]).toMatch(/Host: web.example\r\n/);
  expect(heads[1]).toMatch(/X-Two: 1\r\nX-Two: 2/);
  expect(heads[1]).not.toMatch(/accept:/i);
});

test("a hook is content with any answer, also with one without TLS", async () => {
  const heads: string[] = [];
  const port = await website(() => "HTTP/1.1 500 No", heads);
  const hook = (more: object) => act({ httpGet: { port, ...more } }, target, { ...means, purpose: "lifecycle" }, 2_000);
  expect(await hook({})).toEqual({ ok: true, output: "" });
  expect(heads[0]).toContain("User-Agent: kube-lifecycle/1.35");
  expect(await hook({ scheme: "HTTPS" })).toEqual({
    ok: true,
    output: "",
    warning: `request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
  });
  expect((await probe(port, "httpGet", { scheme: "HTTPS" })).output).toBe(
    `Get "https://127.0.0.1:${port}/": http: server gave HTTP response to HTTPS client`,
  );
  expect((await act({ tcpSocket: { port } }, target, { ...means, purpose: "lifecycle" }, 2_000)).ok).toBe(false);
});

test("a command knows of the environment what its container says", async () => {
  const said: (readonly string[])[] = [];
  const exec = (_: string, command: readonly string[]) => {
    said.push(command);
    return Promise.resolve({ code: said.length < 3 ? 3 : undefined, stdout: "out", stderr: "err" });
  };
  const container = { name: "c", env: [{ name: "WHO", value: "me" }] };
  const ask = (purpose: "probe" | "lifecycle") =>
    act(
      { exec: { command: ["test", "$(WHO)", "$(ELSE)"] } },
      { ...target, container },
      { ...means, purpose, exec },
      1_000,
    );
  expect(await ask("probe")).toMatchObject({ ok: false, output: "outerr" });
  expect((await ask("lifecycle")).error).toBe("command 'test $(WHO) $(ELSE)' exited with 3: err");
  expect((await ask("probe")).output).toBe('command timed out: "test me $(ELSE)" timed out after 1s');
  expect(await act({ exec: { command: ["x"] } }, target, means, 1_000)).toMatchObject({ ok: false, errored: true });
  expect(said).toEqual([
    ["test", "me", "$(ELSE)"],
    ["test", "$(WHO)", "$(ELSE)"],
    ["test", "me", "$(ELSE)"],
  ]);
});

test("a health service is asked by gRPC", async () => {
  const asked: string[] = [];
  const health = createHttp2();
  health.on("stream", (stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const service = Buffer.concat(chunks).subarray(7).toString();
      asked.push(service);
      if (service === "gone")
        return stream.respond(
          { ":status": 200, "grpc-status": 5, "grpc-message": "unknown service" },
          { endStream: true },
        );
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": 0 }));
      stream.end(Buffer.from(service === "ill" ? [0, 0, 0, 0, 2, 8, 2] : [0, 0, 0, 0, 2, 8, 1]));
    });
  });
  await new Promise<void>((resolve) => health.listen(0, "127.0.0.1", resolve));
  const { port } = health.address() as { port: number };
  const ask = (service?: string, at = port, ms = 60_000) => act({ grpc: { port: at, service } }, target, means, ms);
  expect((await ask()).ok).toBe(true);
  expect(await ask("ill")).toEqual({ ok: false, output: 'service unhealthy (responded with "NOT_SERVING")' });
  expect((await ask("gone")).output).toBe(
    "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
  );
  expect(asked).toEqual(["", "ill", "gone"]);
  health.close();
  expect((await ask("", 1, 500)).output).toBe(
    'timeout: failed to connect service "127.0.0.1:1" within 0.5s: context deadline exceeded',
  );
});
