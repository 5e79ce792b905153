/**
 * Runs inside a network namespace that a test made: a node with its NodeNetwork, a pod, or a machine beside them.
 * Takes one JSON command a line on stdin and prints one JSON result a line, in order.
 */
import { createSocket } from "node:dgram";
import { createServer as createHttpsServer, request as httpsRequest } from "node:https";
import { connect, createServer, isIPv6 } from "node:net";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import type { Waker } from "../../../worker/kinds/ingress/idle.ts";
import type { PolicyPeers, PolicyRules } from "../../../worker/protocol/policies.ts";
import { effects } from "../../effects.ts";
import { NodeNetwork, type NodeNetworkOptions } from "../network.ts";
import type { NetworkSettings, NetworkState, Pod } from "../types.ts";

export type Probe = {
  host: string;
  port: number;
  times?: number;
  /** Own port to speak from; any other each time without it. */
  from?: number;
  local?: string;
  /** How long an answer is waited for: briefly where none is to come. */
  limitMs?: number;
};

export type Commands = {
  /** Serves `NAME CLIENT-ADDRESS` on a TCP and a UDP port. */
  serve: { name: string; port: number };
  tcp: Probe;
  udp: Probe;
  /** Stands for the cluster: an HTTPS server on loopback that says what it was asked. */
  upstream: { port: number; certificate: string; key: string };
  https: { host: string; port: number; path: string; ca: string; token: string };
  start: {
    options: Pick<NodeNetworkOptions, "home" | "nodeName" | "clusterName">;
    settings: NetworkSettings;
  };
  /** Makes a pod's namespace; answers with its address and the namespace's name. */
  open: string;
  close: string;
  /** With policies, of which a pod is known by its namespace's name. */
  sync: NetworkState & { rules?: Record<string, PolicyRules>; peers?: Record<string, PolicyPeers> };
  dns: Pod;
  unreachable: Record<never, never>;
  /** What has come for Services that sleep, and what was counted of connections. */
  asked: Record<never, never>;
  verify: Record<never, never>;
  stop: { remove: boolean };
};

type Handler<T> = (argument: T) => Promise<unknown>;

const LIMIT_MS = 120_000;
/** Nobody sends a datagram that is lost once more but who sent it. */
const SEND_AGAIN_MS = 1_000;
let network: NodeNetwork | undefined;
const wakers: Waker[] = [];

const handlers: { [K in keyof Commands]: Handler<Commands[K]> } = {
  serve: ({ name, port }) =>
    new Promise((resolve) => {
      const udp = createSocket("udp6"); // which takes IPv4 too
      udp.on("message", (_, peer) =>
        udp.send(`${name} ${peer.address.replace("::ffff:", "")}`, peer.port, peer.address),
      );
      udp.bind(port);
      createServer((socket) => {
        socket.on("error", () => {});
        socket.end(`${name} ${socket.remoteAddress?.replace("::ffff:", "")}`);
      }).listen(port, () => resolve("ok"));
    }),
  upstream: ({ port, certificate: cert, key }) =>
    new Promise((resolve) => {
      createHttpsServer({ cert, key }, ({ method, url, headers }, response) =>
        response.end(`${method} ${url} ${headers.authorization}`),
      ).listen(port, "127.0.0.1", () => resolve("ok"));
    }),
  tcp: (probe) => repeat(probe, overTcp),
  udp: (probe) => repeat(probe, overUdp),
  https: ({ host, port, path, ca, token }) =>
    new Promise((resolve) => {
      const headers = { authorization: `Bearer ${token}` };
      const request = httpsRequest(
        { host, port, path, ca, headers, servername: "kubernetes.default" },
        async (response) => {
          const body: Buffer[] = [];
          for await (const chunk of response) body.push(chunk);
          resolve(`${response.statusCode} ${Buffer.concat(body)}`);
        },
      );
      request.on("error", (error) => resolve(error.message));
      request.end();
    }),
  async start({ options, settings }) {
    await network?.stop({ remove: false });
    network = new NodeNetwork({ ...options, effects, log: (message) => console.error(message) });
    network.onHeld = (_, __, waker) => void wakers.push(waker);
    await network.start(settings);
    return "ok";
  },
  async open(name) {
    const address = await network?.open(name, { metadata: { name } });
    const addresses = address === undefined ? [] : network?.allOf(address);
    return { address, addresses, namespace: basename(network?.pathOf(name) ?? "") };
  },
  async close(name) {
    await network?.close(name);
    return { opened: network?.opened(), address: network?.addressOf(name) ?? "" };
  },
  async sync({ rules, peers = {}, ...state }) {
    const policies = rules && {
      rules: () => new Map(Object.entries(rules)),
      peers: () => new Map(Object.entries(peers)),
      podOf: (namespace: string) => state.pods.find(({ metadata }) => metadata?.name === namespace),
    };
    network?.sync({ ...state, ...(policies && { policies }) });
    await network?.settled();
    return "ok";
  },
  dns: async (pod) => network?.dns(pod),
  unreachable: async () => network?.unreachable,
  asked: async () => ({ wakers, connections: await network?.connections() }),
  async verify() {
    await network?.verify();
    await network?.settled();
    return "ok";
  },
  async stop(options) {
    await network?.stop(options);
    return "ok";
  },
};

async function repeat(probe: Probe, once: (probe: Probe) => Promise<string>): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < (probe.times ?? 1); i++) results.push(await once(probe));
  return results;
}

function overTcp({ host, port, local, limitMs = LIMIT_MS }: Probe): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress: local });
    let text = "";
    const finish = (result: string) => {
      cancel();
      socket.destroy();
      resolve(result);
    };
    const cancel = effects.after(limitMs, () => finish("timeout"));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on("end", () => finish(text));
  });
}

function overUdp({ host, port, from, limitMs = LIMIT_MS }: Probe): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    const finish = (result: string) => {
      cancel();
      cancelAgain();
      socket.close();
      resolve(result);
    };
    const cancel = effects.after(limitMs, () => finish("timeout"));
    let cancelAgain = () => {};
    const send = () => {
      socket.send("?");
      cancelAgain = effects.after(SEND_AGAIN_MS, send);
    };
    socket.on("message", (text) => finish(text.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.bind(from ?? 0, () => socket.connect(port, host, send));
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, argument } = JSON.parse(line) as { name: keyof Commands; argument: never };
  try {
    console.log(JSON.stringify({ result: await (handlers[name] as Handler<unknown>)(argument) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.stack : String(error) }));
  }
}
process.exit(0);
