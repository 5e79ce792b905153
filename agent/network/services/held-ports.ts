/**
 * What comes for a Service that is scaled to zero: the kernel leads it here while no endpoint is ready. Connections of TCP
 * wait until one is, and are joined with it byte for byte; datagrams only say that somebody asks.
 */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { isWoken, type Waker } from "../../../worker/kinds/ingress/idle.ts";
import type { Effects } from "../../../worker/lib/effects.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import { Changes } from "../../changes.ts";
import type { Timers } from "../../effects.ts";
import { Holder } from "../../ingress/holder.ts";
import type { Family } from "../family.ts";
import type { EndpointSlice, Service } from "../types.ts";
import { backends, type Endpoint, isBalanced, isPort, type Place } from "./endpoints.ts";
import { pathOf } from "./rules.ts";
import { sourcesOf } from "./sources.ts";

/** Connections that wait or were joined, of all Services in one family; past it they are reset. */
const MAX_OPEN = 1_000;
/** A ready endpoint that does not even refuse within this is kept from us by a policy, ms. */
const DIAL_MS = 5_000;
/** One that refuses is tried again after this, ms. */
const AGAIN_MS = 250;
/** However much comes for a Service, it is told no oftener, ms. */
const TELL_MS = 1_000;
/** Who has gone without a word is found out after this, ms. */
const KEEP_ALIVE_MS = 60_000;

type HeldPort = { service: string; port: number; protocol: "TCP" | "UDP"; endpoints: readonly Endpoint[] };
type Listening = { at: Endpoint; close(): void };

export type HeldPortsOptions = {
  effects: Effects & Timers;
  family: Family;
  /** Where it listens: of the range of the node's pods. */
  address: string;
  place(): Place;
  /** Something has come for a Service that has no ready endpoint. Said again while it waits. */
  wake(namespace: string, service: string, waker: Waker): void;
  /** Whether other nodes' policies are to take it for a pod, as they would if the kernel led it there. */
  isPod(client: string): boolean;
  /** Whether who holds a connection may make it in the client's place: no policy has a say in it. */
  mayJoin(client: string, endpoint: Endpoint): boolean;
  log(message: string): void;
};

/** What is held in one family. */
export class HeldPorts {
  readonly #options: HeldPortsOptions;
  readonly #holder: Holder;
  /** By the port's path, as all below. */
  #ports: ReadonlyMap<string, HeldPort> = new Map();
  readonly #listening = new Map<string, Listening>();
  /** By Service: who came last, and when that was told, ms. */
  readonly #wakers = new Map<string, { waker: Waker; told: number }>();
  readonly #sockets = new Set<Socket>();
  readonly #changes = new Changes();

  constructor(options: HeldPortsOptions) {
    this.#options = options;
    const { effects } = options;
    this.#holder = new Holder(effects, effects.now, (service) => this.#tell(service));
  }

  /**
   * Listens for all ports of Services that may sleep, so that a place is there before the kernel leads to it, and until
   * `release`. Returns the places by the ports' paths; what cannot be listened on is told, and tried again by the next call.
   */
  async want(services: readonly Service[], slices: readonly EndpointSlice[]): Promise<ReadonlyMap<string, Endpoint>> {
    const before = this.#ports;
    this.#ports = portsOf(services, slices, this.#options);
    const held = new Set([...this.#ports.values()].map(({ service }) => service));
    for (const service of this.#wakers.keys()) if (!held.has(service)) this.#wakers.delete(service);
    if (!isDeepStrictEqual(this.#ports, before)) this.#changes.happened();
    for (const [path, { protocol }] of this.#ports) {
      if (this.#listening.has(path)) continue;
      try {
        this.#listening.set(path, protocol === "TCP" ? await this.#listen(path) : await this.#hear(path));
      } catch (error) {
        this.#options.log(`${path} is not held while it sleeps: ${errorText(error)}`);
      }
    }
    return new Map([...this.#listening].flatMap(([path, { at }]) => (this.#ports.has(path) ? [[path, at]] : [])));
  }

  /** The kernel leads no more to the places that were not among those last returned. */
  release(): void {
    for (const [path, { close }] of this.#listening) {
      if (this.#ports.has(path)) continue;
      this.#listening.delete(path);
      close();
    }
  }

  /** Who waits, or was joined, is cut off. */
  close(): void {
    for (const { close } of this.#listening.values()) close();
    this.#listening.clear();
    this.#ports = new Map();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async #listen(path: string): Promise<Listening> {
    const { address, log } = this.#options;
    const server: Server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (client) => void this.#serve(path, client),
    );
    server.listen(0, address);
    await once(server, "listening");
    server.on("error", (error) => log(`${path} misses a connection while it sleeps: ${errorText(error)}`));
    const bound = server.address();
    const port = bound && typeof bound === "object" ? bound.port : 0;
    return { at: { address, port }, close: () => server.close() };
  }

  async #hear(path: string): Promise<Listening> {
    const { address, family } = this.#options;
    const socket: DatagramSocket = createSocket(family.word === "ip" ? "udp4" : "udp6");
    socket.on("error", () => {});
    socket.on("message", (_, { address: client }) => {
      const held = this.#ports.get(path);
      if (!held) return;
      this.#came(held, client);
      this.#tell(held.service);
    });
    socket.bind(0, address);
    await once(socket, "listening");
    return { at: { address, port: socket.address().port }, close: () => socket.close() };
  }

  #came({ service, protocol, port }: HeldPort, address: string): void {
    const told = this.#wakers.get(service)?.told ?? Number.NEGATIVE_INFINITY;
    this.#wakers.set(service, { waker: { protocol, port, address }, told });
  }

  #tell(service: string): void {
    const now = this.#options.effects.now();
    const known = this.#wakers.get(service);
    if (!known || now - known.told < TELL_MS) return;
    known.told = now;
    const [namespace = "", name = ""] = service.split("/");
    this.#options.wake(namespace, name, known.waker);
  }

  async #serve(path: string, client: Socket): Promise<void> {
    client.on("error", () => {});
    if (this.#sockets.size >= MAX_OPEN) return void client.resetAndDestroy();
    this.#sockets.add(client);
    // Who ends without a word has given up. Behind a word the end is not met before that is read.
    const leave = () => client.destroy();
    client.once("end", leave);
    const gone = new AbortController();
    client.once("close", () => {
      this.#sockets.delete(client);
      gone.abort();
    });
    try {
      const server = await this.#endpointFor(path, client, gone.signal);
      client.off("end", leave);
      if (server && !gone.signal.aborted) return join(client, server);
      server?.destroy();
    } catch {} // it has waited enough, or too many do, or the connection is not ours to make
    client.resetAndDestroy();
  }

  /** Resolves with a connection to the first endpoint that takes one; with none where none may be made for this client. */
  async #endpointFor(path: string, client: Socket, gone: AbortSignal): Promise<Socket | undefined> {
    const { effects, mayJoin, isPod } = this.#options;
    const since = effects.now();
    const address = client.remoteAddress ?? "";
    const localAddress = isPod(address) ? this.#options.address : undefined;
    while (!gone.aborted) {
      const held = this.#ports.get(path);
      if (!held) return undefined;
      const { service, endpoints } = held;
      const endpoint = endpoints[Math.floor(effects.random() * endpoints.length)];
      if (endpoint && !mayJoin(address, endpoint)) return undefined;
      const server = endpoint && (await dial(endpoint, localAddress, effects));
      if (server) return server;
      this.#came(held, address);
      const againMs = endpoint ? AGAIN_MS : undefined;
      await this.#holder.hold(service, { since, isPage: false, gone, againMs }, this.#changes);
    }
    return undefined;
  }
}

function portsOf(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  { place, family }: HeldPortsOptions,
): Map<string, HeldPort> {
  const found = new Map<string, HeldPort>();
  const woken = services.filter((service) => isBalanced(service, family) && isWoken(service));
  if (woken.length === 0) return found;
  for (const [key, source] of sourcesOf(woken, slices))
    for (const port of source.service.spec?.ports ?? []) {
      const protocol = port.protocol ?? "TCP";
      if (!isPort(port.port) || (protocol !== "TCP" && protocol !== "UDP")) continue;
      const { cluster, isReady } = backends(source.slices, port, place(), family);
      const endpoints = isReady ? cluster : [];
      found.set(pathOf(source.service, port), { service: key, port: port.port, protocol, endpoints });
    }
  return found;
}

/** Resolves with undefined where it is refused; rejects where nothing is said. */
function dial(to: Endpoint, localAddress: string | undefined, { after }: Timers): Promise<Socket | undefined> {
  const { address: host, port } = to;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, localAddress, allowHalfOpen: true, noDelay: true });
    const cancel = after(DIAL_MS, () => {
      reject(new Error(`${host}:${port} does not answer`));
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("connect", () => {
      cancel();
      resolve(socket);
    });
    socket.once("close", () => {
      cancel();
      resolve(undefined);
    });
  });
}

/** Each end hears of the other what the other does: bytes, no more than it takes, their end, and a reset. */
export function join(client: Socket, server: Socket): void {
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.setKeepAlive(true, KEEP_ALIVE_MS);
    one.once("close", () => {
      if (!one.readableEnded || one.errored) other.resetAndDestroy();
    });
    one.pipe(other);
  }
}
