/** A proxy in this process, before programs in this process. */
import { createServer as createHttp, type RequestListener, request, type Server } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, type Server as NetServer } from "node:net";
import type { Backend, Protocol } from "../../../worker/kinds/ingress/backends.ts";
import type { Rule } from "../../../worker/kinds/ingress/routes.ts";
import { createAuthority, issueServer } from "../../../worker/lib/certificates.ts";
import { effects, type Timers } from "../../effects.ts";
import { CertificateStore } from "../certificates.ts";
import type { Certificate, ProxyConfig } from "../config.ts";
import { Forwarder } from "../forwarder.ts";
import { type Pairs, pairs } from "../headers.ts";
import { Fronts } from "../server.ts";

export const HOST = "app.example.com";
const TARGET = { namespace: "default", service: "app", port: 80 };
const KEY = "default/app:80";

export const portOf = (server: NetServer): number => (server.address() as AddressInfo).port;

export async function listening<T extends NetServer>(server: T, port = 0): Promise<T> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

export type TestProxy = Awaited<ReturnType<typeof startProxy>>;

/** Leads everything for `HOST` to `backend`. */
export async function startProxy(timers: Timers = effects) {
  const authority = await createAuthority("test", effects.now());
  const certificates = new CertificateStore(authority);
  const woken: string[] = [];
  const forwarder = new Forwarder(timers, effects, (service) => woken.push(service));
  const fronts = new Fronts(forwarder, certificates, timers);
  const { sessions } = fronts;
  const [http, https] = [fronts.plain(80), fronts.secure(443)];
  https.setSecureContext({ cert: authority.certificate, key: authority.key });
  await Promise.all([listening(http), listening(https)]);
  const opened: NetServer[] = [];
  const config: ProxyConfig = {
    ports: {},
    routes: { rules: {}, defaults: {} },
    backends: {},
    certificates: [],
    trusted: [],
  };
  const proxy = {
    authority,
    certificates,
    forwarder,
    /** Services that requests have waited for, a word each time the cluster is told. */
    woken,
    port: portOf(http),
    securePort: portOf(https),
    config,
    /** Ports of programs, and how they are spoken to. */
    lead(ports: readonly number[], protocol: Protocol = "http", change: Partial<Rule> = {}) {
      const endpoints = ports.map((port) => ({ address: "127.0.0.1", port }));
      const shares = [{ weight: 1, target: TARGET }];
      const route: Rule = { path: "", isExact: false, shares, timeoutMs: 60_000, ...change };
      const backends: Record<string, Backend> = { [KEY]: { protocol, endpoints } };
      Object.assign(config, { backends, routes: { rules: { [HOST]: [route] }, defaults: {} } });
      forwarder.configure(config);
    },
    /** A program on a port of its own, which everything is led to. */
    async program(serve: RequestListener): Promise<Server> {
      const server = await listening(createHttp(serve));
      opened.push(server);
      proxy.lead([portOf(server)]);
      return server;
    },
    /** There are no endpoints, until others are led to. */
    sleep(protocol: Protocol = "http") {
      proxy.lead([], protocol);
      Object.assign(config.backends[KEY] ?? {}, { wakes: true });
      forwarder.configure(config);
    },
    async http2Program(serve: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void): Promise<void> {
      const server = await listening(createHttp2());
      server.on("stream", serve);
      opened.push(server);
      proxy.lead([portOf(server)], "h2c");
    },
    async certificate(secret: string, hosts: string[]): Promise<Certificate> {
      const { certificate, key } = await issueServer(authority, secret, { dns: hosts, ip: [] }, effects.now());
      return { secret, hosts, certificate, key };
    },
    async stop() {
      for (const session of sessions) session.destroy();
      for (const server of [http, https]) server.closeAllConnections();
      for (const server of [http, https, ...opened]) server.close();
      for (const server of opened) (server as Partial<Server>).closeAllConnections?.();
    },
  };
  return proxy;
}

export type Got = { status: number; headers: Pairs; text: string; trailers: Pairs };

/** One request over HTTP/1.1 on a connection of its own. */
export function get(port: number, path = "/", options: Record<string, unknown> = {}, body?: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { headers, ...others } = options as { headers?: Record<string, string> };
    const sent = request(
      { port, path, host: "127.0.0.1", agent: false, headers: { host: HOST, ...headers }, ...others },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: pairs(response.rawHeaders),
            text,
            trailers: pairs(response.rawTrailers),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Sends bytes as they are; what comes until the other side has ended. */
export function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}
