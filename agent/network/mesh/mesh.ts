import { networkInterfaces } from "node:os";
import type { WebSocket } from "ws";
import type { Effects } from "../../../worker/lib/effects.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { Timers } from "../../effects.ts";
import type { Command } from "../commands.ts";
import { directDevice, isOurs } from "../routes.ts";
import { Checks } from "./checks.ts";
import { Device, type DevicePeer } from "./device.ts";
import { sharedSecret } from "./keys.ts";
import { type Path, type PathAction, type PathEvent, type PathState, startPath, stepPath, wakeAt } from "./path.ts";
import type { Peer } from "./peers.ts";
import { RelayPort } from "./relay-port.ts";
import type { MeshSettings } from "./settings.ts";
import { type Endpoint, endpointOf } from "./stun.ts";

export type MeshOptions = MeshSettings & {
  nodeName: string;
  /** WireGuard's interface, and its UDP port. */
  device: string;
  port: number;
  command: Command;
  effects: Effects & Timers;
  log: (message: string) => void;
  /** Another way leads to a node now. */
  onChange(): void;
};

/** What is told of the way to a node. */
export type PeerReport = {
  node: string;
  path: Path;
  /** Where WireGuard sends, or the node's address where no WireGuard is needed. */
  endpoint: Endpoint;
  /** Of the last check that was answered, ms. */
  roundTripMs?: number;
  relayed: boolean;
  handshakeAt?: number;
  receivedBytes?: number;
  sentBytes?: number;
};

type Reached = {
  peer: Peer;
  state: PathState;
  relay: RelayPort;
  /** Where WireGuard's packets reach the relay. */
  relayEndpoint: Endpoint;
  secret: Buffer | undefined;
  roundTripMs?: number;
  movedBytes: number;
};

/** How often it is looked whether WireGuard moves something, while any direct path is there. */
const TRAFFIC_EVERY_MS = 3_000;
/** Interfaces that lead to nobody outside. */
const INNER = /^(lo|veth|br-|docker|cni|s[klw]-|nerdctl|virbr|flannel|wg|tun|tap|tailscale)/;
const MOST_ADDRESSES = 6;
/** What is no more than the two packets of a handshake, or a keepalive, is no traffic. */
const IDLE_BYTES = 500;

/**
 * The ways to other nodes' pods, where they are on no shared network. What `path.ts` decides is done here: checks are
 * sent, offers made, relays dialled, and WireGuard told where to send. While nobody speaks, nothing happens.
 */
export class Mesh {
  readonly #options: MeshOptions;
  readonly #checks: Checks;
  readonly #device: Device;
  readonly #reached = new Map<string, Reached>();
  #isUp = false;
  #podGateway = "";
  #outsideMtu = 1500;
  #cancelWake = () => {};
  #cancelTraffic: (() => void) | undefined;
  #stopped = false;
  /** What WireGuard is to be told goes one after the other. */
  #telling: Promise<void> = Promise.resolve();

  constructor(options: MeshOptions) {
    const { nodeName, stunServers, effects, command, device: name, port, keyFile } = options;
    this.#options = options;
    this.#device = new Device({ command, name, port, keyFile });
    this.#checks = new Checks({
      nodeName,
      servers: stunServers,
      effects,
      secretOf: (node) => this.#reached.get(node)?.secret,
      onAnswer: (node, endpoint, roundTripMs) => {
        const reached = this.#reached.get(node);
        if (reached) reached.roundTripMs = roundTripMs;
        this.#step(node, { type: "answered", endpoint });
      },
      onAsked: (node, endpoint) => this.#step(node, { type: "asked", endpoint }),
    });
  }

  /** `gateway` is the address that this node's own processes have among pods; `mtu` that of the way out. */
  async start(gateway: string, mtu: number): Promise<void> {
    this.#podGateway = gateway;
    this.#outsideMtu = mtu;
    await this.#device.share(await this.#checks.listen());
  }

  /** WireGuard goes on where it was told to send. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWake();
    this.#cancelTraffic?.();
    this.#checks.close();
    for (const { relay } of this.#reached.values()) relay.close();
    await this.#telling;
  }

  /** How each node is reached. */
  *paths(): Iterable<[node: string, path: Path]> {
    for (const [node, { state }] of this.#reached) yield [node, state.path];
  }

  /** All that can be reached by WireGuard, whether or not they have to be. Resolves when it is known how each of them is. */
  async sync(peers: readonly Peer[]): Promise<void> {
    const wanted = new Map(peers.map((peer) => [peer.node, peer]));
    for (const [node, { peer, relay }] of this.#reached) {
      const now = wanted.get(node);
      if (now && now.key === peer.key && now.podCIDR === peer.podCIDR && now.home === peer.home) continue;
      this.#reached.delete(node);
      relay.close();
      if (this.#isUp && now?.key !== peer.key) this.#tell(() => this.#device.forget(peer.key));
    }
    const known = await this.#knownEndpoints(peers);
    for (const peer of peers) if (!this.#reached.has(peer.node)) await this.#add(peer, known[peer.key]);
    await this.#telling;
  }

  /** An earlier run may have found where others are. */
  async #knownEndpoints(peers: readonly Peer[]): Promise<Record<string, DevicePeer>> {
    return peers.some(({ node }) => !this.#reached.has(node)) ? this.#device.peers() : {};
  }

  async #add(peer: Peer, known: DevicePeer | undefined): Promise<void> {
    const { effects, dial, keys, port: wireguardPort, command } = this.#options;
    const { node } = peer;
    const relay = new RelayPort({
      dial: () => dial(node),
      wireguardPort,
      effects,
      onPacket: () => this.#step(node, { type: "packet" }),
      onOffer: (endpoints) => this.#step(node, { type: "offer", endpoints }),
    });
    const isNear = isOurs(peer.address) || (await directDevice(command, peer.address)) !== undefined;
    const earlier = known?.endpoint && !known.endpoint.startsWith("127.") ? [known.endpoint] : [];
    const reached: Reached = {
      peer,
      state: startPath(peer.home, isNear, effects.now(), earlier),
      relay,
      relayEndpoint: await relay.listen(),
      secret: sharedSecret(keys.privateKey, peer.key),
      movedBytes: 0,
    };
    if (this.#stopped) return relay.close();
    this.#reached.set(node, reached);
    this.#aim(reached);
    this.#wakeLater();
  }

  /** This node may have other addresses now, or be on another network. */
  async moved(): Promise<void> {
    for (const [node, reached] of this.#reached) {
      const { peer, state } = reached;
      const isNear = isOurs(peer.address) || (await directDevice(this.#options.command, peer.address)) !== undefined;
      if (isNear === state.isNear) this.#step(node, { type: "moved" });
      else {
        reached.state = startPath(peer.home, isNear, this.#options.effects.now(), state.known);
        this.#aim(reached);
        this.#options.onChange();
      }
    }
    this.#wakeLater();
  }

  /** Another agent is at the other end of a socket to a Relay. */
  accept(node: string, socket: WebSocket): void {
    const relay = this.#reached.get(node)?.relay;
    if (relay) relay.accept(socket);
    else socket.close(1011, "not a node that is known here");
  }

  /** Puts back what other programs of the machine took away. */
  async verify(): Promise<void> {
    await this.#telling;
    await this.#device.verify();
  }

  #step(node: string, event: PathEvent): void {
    const reached = this.#reached.get(node);
    if (!reached || this.#stopped) return;
    const before = reached.state;
    const { state, actions } = stepPath(before, event, this.#options.effects.now());
    reached.state = state;
    for (const action of actions) this.#do(reached, action);
    if (before.path !== state.path || before.endpoint !== state.endpoint) this.#changed(reached, before.path);
    if (wakeAt(before) !== wakeAt(state)) this.#wakeLater();
  }

  #do(reached: Reached, action: PathAction): void {
    const { node } = reached.peer;
    switch (action.do) {
      case "check":
        for (const endpoint of action.endpoints) this.#checks.check(node, endpoint);
        break;
      case "offer":
        void this.#endpoints().then((endpoints) => reached.relay.offer(endpoints));
        break;
      case "aim":
        this.#aim(reached);
        break;
    }
  }

  #changed(reached: Reached, before: Path): void {
    const { node } = reached.peer;
    const { path, endpoint } = reached.state;
    if (path === before && path !== "direct") return;
    this.#options.log(`network: node ${node} is reached ${WORDS[path]}${path === "direct" ? ` at ${endpoint}` : ""}`);
    if (path === "direct") this.#watchTraffic();
    if (path === "lan" || before === "lan") this.#aim(reached);
    this.#options.onChange();
  }

  /** Tells WireGuard where the node is now. Without a node that is elsewhere there is no WireGuard. */
  #aim(reached: Reached): void {
    if (reached.state.path === "lan" && !this.#isUp) return;
    this.#tell(async () => {
      if (this.#reached.get(reached.peer.node) !== reached) return;
      if (!this.#isUp) await this.#device.up(this.#podGateway, this.#outsideMtu);
      this.#isUp = true;
      const { path, endpoint } = reached.state;
      const to = path === "direct" && endpoint ? endpoint : reached.relayEndpoint;
      await this.#device.set(reached.peer.key, { podCIDR: reached.peer.podCIDR, endpoint: to });
    });
  }

  #tell(body: () => Promise<void>): void {
    this.#telling = this.#telling.then(body).catch((error) => this.#options.log(`network: ${errorText(error)}`));
  }

  /** Where this node may be reached: its own addresses, and what outsiders see, also where a NAT keeps the port's number. */
  async #endpoints(): Promise<Endpoint[]> {
    const { port } = this.#options;
    const seen = await this.#checks.seen();
    const guessed = seen.map((endpoint) => endpointOf(endpoint.split(":")[0] ?? "", port));
    return [...new Set([...ownAddresses().map((address) => endpointOf(address, port)), ...seen, ...guessed])];
  }

  #wakeLater(): void {
    const { effects } = this.#options;
    this.#cancelWake();
    const at = Math.min(...[...this.#reached.values()].map(({ state }) => wakeAt(state)));
    if (this.#stopped || at === Number.POSITIVE_INFINITY) return;
    this.#cancelWake = effects.after(Math.max(0, at - effects.now()), () => this.#wake());
  }

  #wake(): void {
    const now = this.#options.effects.now();
    for (const [node, { state }] of this.#reached) if (wakeAt(state) <= now) this.#step(node, { type: "tick" });
    this.#wakeLater();
  }

  #watchTraffic(): void {
    this.#cancelTraffic ??= this.#options.effects.after(TRAFFIC_EVERY_MS, () => {
      this.#cancelTraffic = undefined;
      void this.#lookAtTraffic();
    });
  }

  /** What a direct path carries, the kernel alone sees; and WireGuard follows what comes, wherever it comes from. */
  async #lookAtTraffic(): Promise<void> {
    const known = await this.#device.peers();
    let goesOn = false;
    for (const [node, reached] of this.#reached) {
      if (reached.state.path !== "direct") continue;
      goesOn = true;
      const { receivedBytes = 0, sentBytes = 0, endpoint } = known[reached.peer.key] ?? {};
      const moved = receivedBytes + sentBytes;
      if (moved - reached.movedBytes > IDLE_BYTES || moved < reached.movedBytes) this.#step(node, { type: "traffic" });
      reached.movedBytes = moved;
      if (endpoint && endpoint !== reached.state.endpoint) this.#aim(reached);
    }
    if (goesOn && !this.#stopped) this.#watchTraffic();
  }

  async report(): Promise<{ publicKey: string; port: number; seen: Endpoint[]; peers: PeerReport[] }> {
    const { keys, port } = this.#options;
    const [seen, known] = await Promise.all([this.#checks.seen(), this.#device.peers()]);
    const peers = [...this.#reached.values()].map(({ peer, state, relay, relayEndpoint, roundTripMs }): PeerReport => {
      const { handshakeAt, receivedBytes, sentBytes } = known[peer.key] ?? {};
      const endpoint = state.path === "lan" ? state.home : (state.endpoint ?? relayEndpoint);
      const measured = state.path === "direct" || state.path === "lan" ? { roundTripMs } : {};
      const told = { node: peer.node, path: state.path, endpoint, relayed: relay.isOpen };
      return { ...told, ...measured, handshakeAt, receivedBytes, sentBytes };
    });
    return { publicKey: keys.publicKey, port, seen, peers };
  }
}

/** Leaves nothing in the kernel of what a mesh with this interface made. */
export async function removeMesh(command: Command, device: string): Promise<void> {
  await new Device({ command, name: device, port: 0, keyFile: "" }).remove();
}

const WORDS: Record<Path, string> = {
  lan: "on the local network",
  idle: "when something is to be sent to it",
  relay: "through its relay",
  direct: "directly",
};

function ownAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([device]) => !INNER.test(device))
    .flatMap(([, list]) => (list ?? []).flatMap((a) => (a.family === "IPv4" && !a.internal ? [a.address] : [])))
    .slice(0, MOST_ADDRESSES);
}
