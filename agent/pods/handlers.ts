import { get as httpGet } from "node:http";
import { connect as http2Connect } from "node:http2";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";
import type {
  CoreV1Container,
  CoreV1GRPCAction,
  CoreV1HTTPGetAction,
  CoreV1LifecycleHandler,
  CoreV1Probe,
} from "../../worker/kinds/generated/types.ts";
import type { Timers } from "../effects.ts";
import type { Nerdctl } from "../nerdctl.ts";

/** What a probe or hook found; `output` is what users are told. `errored`: it could not be asked, which says nothing. */
export type Verdict = { ok: boolean; output: string; errored?: true };

/** Where a handler acts. */
export type Target = { container: CoreV1Container; containerId: string; ip: string };

/** Does an action. Never rejects. */
export type Act = (action: Action, target: Target, timeoutMs: number) => Promise<Verdict>;

type Means = { nerdctl: Nerdctl; timers: Timers };
export type Action = CoreV1Probe & CoreV1LifecycleHandler;

/** One way to act on a container. */
type Handler = {
  name: string;
  matches(action: Action): boolean;
  run(action: Action, target: Target, means: Means, timeoutMs: number): Promise<Verdict>;
};

const MOST_OUTPUT = 10 * 1024;
const MOST_REDIRECTS = 10;
const PROBE_AGENT = "kube-probe/1.35";

/** What nerdctl takes on a busy machine until the command runs; it is not the command's own time. */
const START_MS = 1_000;

const exec: Handler = {
  name: "exec",
  matches: (action) => action.exec !== undefined,
  async run({ exec: action }, target, { nerdctl }, timeoutMs) {
    const done = await nerdctl.exec(target.containerId, action?.command ?? [], timeoutMs + START_MS);
    const output = (done.stdout + done.stderr).slice(0, MOST_OUTPUT);
    if (done.code === 137 && !output) return { ok: false, output: `command timed out after ${timeoutMs / 1000}s` };
    return { ok: done.code === 0, output };
  },
};

const http: Handler = {
  name: "httpGet",
  matches: (action) => action.httpGet !== undefined,
  run: ({ httpGet: action }, target, _, timeoutMs) =>
    action ? requestHttp(action, target, timeoutMs) : Promise.resolve({ ok: false, output: "" }),
};

const tcp: Handler = {
  name: "tcpSocket",
  matches: (action) => action.tcpSocket !== undefined,
  run({ tcpSocket: action }, target, _, timeoutMs) {
    const port = portOf(action?.port ?? 0, target.container);
    const host = action?.host || target.ip;
    return new Promise((resolve) => {
      const socket = connect({ host, port, timeout: timeoutMs });
      const end = (verdict: Verdict) => {
        socket.destroy();
        resolve(verdict);
      };
      socket.once("connect", () => end({ ok: true, output: "" }));
      socket.once("timeout", () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }));
      socket.once("error", (error) => end({ ok: false, output: netError(error, host, port) }));
    });
  },
};

const grpc: Handler = {
  name: "grpc",
  matches: (action) => action.grpc !== undefined,
  run: ({ grpc: action }, target, _, timeoutMs) =>
    action ? checkHealth(action, target, timeoutMs) : Promise.resolve({ ok: false, output: "" }),
};

const sleep: Handler = {
  name: "sleep",
  matches: (action) => action.sleep !== undefined,
  async run({ sleep: action }, _target, { timers }) {
    await timers.sleep((action?.seconds ?? 0) * 1000);
    return { ok: true, output: "" };
  },
};

const handlers: readonly Handler[] = [exec, http, tcp, grpc, sleep];

/** Does what a probe or lifecycle hook says. Never rejects. */
export async function act(action: Action, target: Target, means: Means, timeoutMs: number): Promise<Verdict> {
  const handler = handlers.find((h) => h.matches(action));
  if (!handler) return { ok: false, errored: true, output: "missing probe handler" };
  try {
    return await handler.run(action, target, means, timeoutMs);
  } catch (error) {
    return { ok: false, errored: true, output: (error as Error).message };
  }
}

/** A port by its number or by its name in the container. */
export function portOf(port: number | string, container: CoreV1Container): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find((p) => p.name === port)?.containerPort ?? Number(port);
  if (!Number.isInteger(named)) throw new Error(`couldn't find port: "${port}"`);
  return named;
}

const DIAL_ERRORS: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
};

/** In the words of Go's net package, which users of Kubernetes know and search for. */
function netError(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.message === "socket hang up") return "EOF";
  if (error.code === "ECONNRESET") return `read tcp ${host}:${port}: read: connection reset by peer`;
  return `dial tcp ${host}:${port}: ${DIAL_ERRORS[error.code ?? ""] ?? error.message}`;
}

function requestHttp(action: CoreV1HTTPGetAction, target: Target, timeoutMs: number): Promise<Verdict> {
  const port = portOf(action.port, target.container);
  const host = action.host || target.ip;
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path?.startsWith("/") ? action.path : `/${action.path ?? ""}`;
  const headers: Record<string, string> = { "User-Agent": PROBE_AGENT, Accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === name.toLowerCase()) delete headers[known];
    headers[name] = value;
  }
  return follow(new URL(`${scheme}://${host}:${port}${path}`), headers, timeoutMs, MOST_REDIRECTS);
}

/** Redirects on the same host are followed; one that leads away counts as success, as the kubelet has it. */
function follow(url: URL, headers: Record<string, string>, timeoutMs: number, left: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const get = url.protocol === "https:" ? httpsGet : httpGet;
    const failed = (why: string) => resolve({ ok: false, output: `Get "${url}": ${why}` });
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(
      url.href,
      { headers, signal, agent: false, rejectUnauthorized: false } as object,
      (response) => {
        const { statusCode: status = 0, headers: given } = response;
        if (status >= 301 && status <= 308 && given.location) {
          response.resume();
          const next = URL.parse(given.location, url.href);
          if (!next || next.hostname !== url.hostname)
            return resolve({ ok: true, output: "Probe terminated redirects" });
          if (!left) return failed("stopped after 10 redirects");
          return resolve(follow(next, headers, timeoutMs, left - 1));
        }
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          if (body.length < MOST_OUTPUT) body += chunk;
        });
        response.on("end", () => {
          const ok = status >= 200 && status < 400;
          resolve({ ok, output: ok ? body : `HTTP probe failed with statuscode: ${status}` });
        });
        response.on("error", (error) => failed(error.message));
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (signal.aborted) failed("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      else failed(netError(error, url.hostname, Number(url.port || 80)));
    });
  });
}

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
function checkHealth(action: CoreV1GRPCAction, target: Target, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const session = http2Connect(`http://${target.ip}:${action.port}`);
    const end = (ok: boolean, output: string) => {
      session.destroy();
      resolve({ ok, output });
    };
    session.setTimeout(timeoutMs, () => end(false, `timeout: failed to connect service "${target.ip}:${action.port}"`));
    session.on("error", (error) => end(false, error.message));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": PROBE_AGENT,
    });
    const service = Buffer.from(action.service ?? "");
    const message = service.length ? Buffer.concat([Buffer.from([0x0a, service.length]), service]) : Buffer.alloc(0);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([frame, message]));
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error) => end(false, error.message));
    stream.on("end", () => {
      const answer = Buffer.concat(chunks).subarray(5);
      const serving = answer[0] === 0x08 && answer[1] === 1; // field 1, SERVING
      end(serving, serving ? "" : `service unhealthy (responded with ${statusNames[answer[1] ?? 0] ?? "UNKNOWN"})`);
    });
  });
}

const statusNames = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
