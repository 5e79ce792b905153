import type { WebSocket } from "ws";
import type { Effects } from "../../../worker/lib/effects.ts";
import { errorText } from "../../../worker/lib/error-text.ts";
import type { Timers } from "../../effects.ts";
import type { Command } from "../commands.ts";
import { directDevice, isOurs } from "../routes.ts";
import type { Node } from "../types.ts";
import { ownAddresses, silentNeighbours } from "./addresses.ts";
import { Checks } from "./checks.ts";
import { Device, type DevicePeer } from "./device.ts";
import { sharedSecret } from "./keys.ts";
import { stepPath, wakeAt } from "./path.ts";
import { type Path, type PathAction, type PathEvent, type PathState, startPath } from "./path-state.ts";
import { type Peer, peersIn } from "./peers.ts";
import { RelayPort } from "./relay-port.ts";
import type { MeshReport, PeerReport } from "./report.ts";
import type { MeshSettings } from "./settings.ts";
import { type Endpoint, endpointOf } from "./stun.ts";

export type MeshOptions = MeshSettings & {
  nodeName: string;
  /** WireGuard's interface, and its UDP port. */
  device: string;
  port: number;
  /** The port of the checks. */
  checksPort: number;
  command: Command;
  effects: Effects & Timers;
  log: (message: string) => void;
  /** Another way leads to a node now. */
  onChange(): void;
  /** The interface is gone, with the routes through it. */
  onGone(): void;
};

type Reached = {
  peer: Peer;
  state: PathState;
  relay: RelayPort;
  secret: Buffer | undefined;
  roundTripMs?: number;
  movedBytes: number;
};

/** How long those that speak by relay are given to find a better way, for a report. */
const SETTLE_MS = 4_000;
const LOOK_MS = 100;
/** How often it is looked whether WireGuard moves something, while any direct path is there. */
const TRAFFIC_EVERY_MS = 3_000;
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
  /** As last synced. */
  #nodes: readonly Node[] = [];
  #isUp = false;
  #podGateways: readonly string[] = [];
  #outsideMtu = 1500;
  /** Of this machine, as last seen. */
  #addresses = "";
  #cancelWake = () => {};
  #cancelTraffic: (() => void) | undefined;
  #stopped = false;
  /** What WireGuard is to be told goes one after the other. */
  #telling: Promise<void> = Promise.resolve();
  /** Why it last could not be told; said once. */
  #failure = "";

  constructor(options: MeshOptions) {
    const { nodeName, stunServers, effects, command, device: name, port, keyFile } = options;
    this.#options = options;
    this.#device = new Device({ command, name, port, keyFile });
    this.#checks = new Checks({
      nodeName,
      servers: stunServers,
      effects,
      secretOf: (node) => this.#reached.get(node)?.secret,
      isOwn: (endpoint) => isOurs(endpoint.split(":")[0] ?? ""),
      onAnswer: (node, endpoint, roundTripMs) => {
        const reached = this.#reached.get(node);
        if (reached) reached.roundTripMs = roundTripMs;
        this.#step(node, { type: "answered", endpoint });
      },
      onAsked: (node, endpoint) => this.#step(node, { type: "asked", endpoint }),
    });
  }

  /**
   * `gateways` are the addresses that this node's own processes have among pods; `mtu` that of the way out. Resolves to the UDP
   * ports at which other nodes come in.
   */
  async start(gateways: readonly string[], mtu: number): Promise<number[]> {
    this.#podGateways = gateways;
    this.#outsideMtu = mtu;
    this.#addresses = ownAddresses().join();
    const checksPort = await this.#checks.listen(this.#options.checksPort);
    await this.#device.share(checksPort);
    return [this.#options.port, checksPort];
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
  async sync(nodes: readonly Node[]): Promise<void> {
    const isSame = nodes.length === this.#nodes.length && nodes.every((node, k) => node === this.#nodes[k]);
    if (!isSame) await this.#meet(peersIn(nodes, this.#options.nodeName));
    this.#nodes = nodes;
    await this.#telling;
  }

  async #meet(peers: readonly Peer[]): Promise<void> {
    const wanted = new Map(peers.map((peer) => [peer.node, peer]));
    for (const [node, { peer, relay }] of this.#reached) {
      const now = wanted.get(node);
      if (now && now.key === peer.key && now.podCIDRs.join() === peer.podCIDRs.join() && now.home === peer.home)
        continue;
      this.#reached.delete(node);
      relay.close();
      if (this.#isUp) this.#leave(peer.key, peers);
    }
    const known = await this.#knownEndpoints(peers);
    for (const peer of peers) if (!this.#reached.has(peer.node)) await this.#add(peer, known[peer.key]);
  }

  /** WireGuard knows nodes by their keys: one that has the same, as after a rename, is where its packets go from now on. */
  #leave(key: string, peers: readonly Peer[]): void {
    if (!peers.some((peer) => peer.key === key)) return this.#tell(() => this.#device.forget(key));
    for (const other of this.#reached.values()) if (other.peer.key === key) this.#aim(other);
  }

  /** An earlier run may have found where others are. */
  async #knownEndpoints(peers: readonly Peer[]): Promise<Record<string, DevicePeer>> {
    return peers.some(({ node }) => !this.#reached.has(node)) ? this.#device.peers() : {};
  }

  async #add(peer: Peer, known: DevicePeer | undefined): Promise<void> {
    const { effects, dial, keys, port: wireguardPort } = this.#options;
    const { node } = peer;
    const relay = new RelayPort({
      dial: () => dial(node),
      wireguardPort,
      effects,
      onPacket: () => this.#step(node, { type: "packet" }),
      onOffer: (endpoints) => this.#step(node, { type: "offer", endpoints }),
    });
    const isNear = await this.#isNear(peer);
    const earlier = known && [known.endpoint].filter((endpoint) => endpoint !== "" && !endpoint.startsWith("127."));
    const reached: Reached = {
      peer,
      state: startPath(peer.home, isNear, effects.now(), earlier),
      relay,
      secret: sharedSecret(keys.privateKey, peer.key),
      movedBytes: 0,
    };
    if (this.#stopped) return relay.close();
    this.#reached.set(node, reached);
    this.#aim(reached);
    this.#wakeLater();
  }

  /** This machine has other addresses now, and may be on another network. */
  async #moved(): Promise<void> {
    const { effects, onChange } = this.#options;
    for (const [node, reached] of this.#reached) {
      const { peer, state } = reached;
      const isNear = await this.#isNear(peer);
      if (isNear === state.isNear) this.#step(node, { type: "moved" });
      else {
        reached.state = startPath(peer.home, isNear, effects.now(), isNear ? undefined : state.known);
        this.#aim(reached);
        onChange();
      }
    }
    this.#wakeLater();
  }

  /** An address that is on a network of ours, or is our own: then it may be another agent's on this machine. */
  async #isNear({ address }: Peer): Promise<boolean> {
    return isOurs(address) || (await directDevice(this.#options.command, address)) !== undefined;
  }

  /** Another agent waits at this node's Relay. One that is not known here waits in vain. */
  accept(node: string, dial: () => WebSocket): void {
    this.#reached.get(node)?.relay.accept(dial());
  }

  /** Puts back what other programs of the machine took away, and looks whether the network is still the same. */
  async verify(): Promise<void> {
    if (this.#reached.size === 0) return;
    await this.#retryUp();
    this.#tell(() => this.#device.verify());
    await this.#telling;
    const addresses = ownAddresses().join();
    if (addresses !== this.#addresses) {
      this.#addresses = addresses;
      return this.#moved();
    }
    const silent = await silentNeighbours(this.#options.command);
    for (const [node, { peer, state }] of this.#reached)
      if (state.path === "lan" && silent.has(peer.address)) this.#step(node, { type: "silent" });
  }

  /** What could not be made at first may be possible by now. */
  async #retryUp(): Promise<void> {
    const [first, ...others] = [...this.#reached.values()].filter(({ state }) => state.path !== "lan");
    if (this.#isUp || !first) return;
    this.#aim(first);
    await this.#telling;
    if (this.#isUp) for (const other of others) this.#aim(other);
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
    if (before === "lan") this.#aim(reached);
    this.#options.onChange();
  }

  /** Tells WireGuard where the node is now. Without a node that is elsewhere there is no WireGuard. */
  #aim(reached: Reached): void {
    if (reached.state.path === "lan") return;
    this.#tell(async () => {
      if (this.#reached.get(reached.peer.node) !== reached) return;
      if (!this.#isUp) {
        await this.#device.up(this.#podGateways, this.#outsideMtu);
        await this.#device.keep(new Set([...this.#reached.values()].map((other) => other.peer.key)));
        this.#isUp = true;
      }
      const { path, endpoint } = reached.state;
      const to = path === "direct" && endpoint ? endpoint : await reached.relay.listen();
      await this.#device.set(reached.peer.key, { podCIDRs: reached.peer.podCIDRs, endpoint: to });
    });
  }

  #tell(body: () => Promise<void>): void {
    const told = () => {
      if (this.#isUp) this.#failure = "";
    };
    const failed = (error: unknown) => {
      const text = errorText(error);
      if (text !== this.#failure) this.#options.log(`network: ${text}`);
      this.#failure = text;
    };
    this.#telling = this.#telling.then(body).then(told, failed);
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
    if (Object.keys(known).length === 0 && !this.#stopped) this.#options.onGone();
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

  /** How all are reached, once it was tried where nobody had anything to say. Takes seconds. */
  async report(): Promise<MeshReport> {
    const { keys, port, effects, stunServers } = this.#options;
    const began = effects.now();
    for (const [node, { state }] of this.#reached) if (state.path === "lan") this.#checks.check(node, state.home);
    const isOpen = ({ state: { path } }: Reached) => path === "idle" || path === "relay";
    do {
      for (const [node, { state }] of this.#reached) if (state.path === "idle") this.#step(node, { type: "packet" });
      await effects.sleep(LOOK_MS);
    } while (effects.now() < began + SETTLE_MS && [...this.#reached.values()].some(isOpen));
    const seen = await this.#checks.seen(began);
    const [known, wireguard] = await Promise.all([this.#device.peers(), this.#device.kind()]);
    const peers = [...this.#reached.values()].map((reached) => reportOf(reached, known[reached.peer.key]));
    return { wireguard, publicKey: keys.publicKey, port, stunServers, seen, peers };
  }
}

function reportOf({ peer, state, relay, roundTripMs }: Reached, known: DevicePeer | undefined): PeerReport {
  const { node } = peer;
  const { path } = state;
  const endpoint = path === "lan" ? state.home : path === "direct" ? (state.endpoint ?? "") : "";
  const measured = endpoint === "" ? {} : { roundTripMs };
  const { endpoint: _, ...moved } = known ?? {};
  return { node, path, endpoint, isRelayOpen: relay.isOpen, ...measured, ...moved };
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
