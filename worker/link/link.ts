/**
 * The control sockets of the cluster's nodes. What a session knows lives in its socket's attachment, so the object may
 * sleep between messages and be rebuilt; the only memory here is a cache of what nodes' pods mention.
 */

import { nodesWithWork } from "../lib/local-volumes.ts";
import type { KubeObject } from "../lib/object.ts";
import {
  CloseCode,
  type Json,
  type NodeChange,
  type NodeUsage,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type StreamRequest,
  type ToCluster,
  type ToNode,
} from "../protocol/link.ts";
import { ProtocolError, parseToCluster } from "../protocol/parse.ts";
import { changeFor, claimOf, isToldAlone, nodeOf, type Objects, snapshotFor, textOf, type Write } from "./downlink.ts";
import { Gateways } from "./gateways.ts";
import { IngressSecrets } from "./ingress-secrets.ts";
import { Mentions, mentionsOf } from "./mentions.ts";
import type { PodFacts } from "./policies/facts.ts";
import { type Places, Policies, type PolicyChanges } from "./policies/policies.ts";
import type { Liveness } from "./readiness.ts";

/** A node's session: `greeting` until its hello is answered; `health` is what it has said of itself since. */
export type Session =
  | { node: string; state: "greeting" }
  | { node: string; state: "open"; version?: number; machine?: string; health?: Liveness };

/** One control socket, as the platform keeps it; the same one each time for the same socket. */
export interface NodeSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  session(): Session;
  /** When the other side last spoke, ms. */
  heard(): number;
  remember(session: Session): void;
}

export type LinkDeps = {
  objects: Objects;
  sockets(): readonly NodeSocket[];
  /** Those among them that may be the node's, found without looking at all. */
  socketsOf(node: string): readonly NodeSocket[];
  /** The newest revision, and the writes after one that may concern a node, or "expired" when those are not known. */
  revision(): number;
  since(revision: number, node: string): Iterable<Write> | "expired";
  /** Where pods were written after a revision that is not expired. */
  podsSince(revision: number): Places;
  /** What each node does itself in the place of pods. */
  builtins?: readonly PodFacts[];
  /** Answers an API request as the node. */
  call(node: string, request: Extract<ToCluster, { type: "call" }>): Promise<{ code: number; body: Json }>;
  welcome(node: string): Promise<Extract<ToNode, { type: "welcome" }>>;
  /** Hears of what no node should ever meet. */
  report(error: unknown): void;
  /** Called when a node has said something of its health. */
  health(node: string): void;
  /** A node has answered `askUsage`. */
  usage?(node: string, id: number, usage: NodeUsage): void;
  /** Requests wait at a node for a Service, or a connection does; `by` is as the node says it. */
  wake?(namespace: string, service: string, by?: unknown): void;
  now(): number;
};

/** Objects that nodes hear of when a pod of theirs mentions them. */
const MENTIONED: ReadonlySet<string> = new Set(["configmaps", "secrets", "persistentvolumeclaims"]);
type Mentioned = Pick<Write, "resource" | "namespace" | "name">;

/** A machine that was not heard for so long, in ms, does not keep its node from another one. */
const HOLDS_NODE_MS = 25_000;

/** Of more nodes, what somebody sees of the last minutes is as old as they send it by themselves. */
const MOST_ASKED_FOR_HISTORY = 200;
/** The protocol versions that brought questions about usage, NetworkPolicies and Ingresses, and questions about traffic. */
const USAGE_VERSION = 3;
const POLICIES_VERSION = 4;
const INGRESS_VERSION = 4;
const TRAFFIC_VERSION = 5;

/** Characters of what an agent says of its health: sessions are kept with their sockets, which hold little. */
const MAX_HEALTH_LENGTH = 1000;

/** Characters of a machine's identity. */
const MAX_MACHINE_LENGTH = 64;

/** Objects in one message at most, so that none nears the platform's limit of 32 MiB. */
const OBJECTS_PER_MESSAGE = 500;

export class Link {
  private readonly deps: LinkDeps;
  private readonly mentions: Mentions;
  private readonly policies: Policies;
  private readonly ingressSecrets: IngressSecrets;
  private readonly gateways: Gateways;

  constructor(deps: LinkDeps) {
    this.deps = deps;
    this.mentions = new Mentions(deps.objects);
    this.policies = new Policies(deps.objects, deps.builtins);
    this.gateways = new Gateways(deps.objects, deps.report);
    this.ingressSecrets = new IngressSecrets(deps.objects, () => this.gateways.secrets());
  }

  /** A socket was accepted for an authenticated node. One that is open stays until it is known who this is. */
  opened(socket: NodeSocket, node: string): void {
    this.endOthers(socket, node, "greeting");
    socket.remember({ node, state: "greeting" });
  }

  private endOthers(socket: NodeSocket, node: string, state?: Session["state"]): void {
    for (const other of this.othersOf(socket, node))
      if (state === undefined || other.session().state === state)
        other.close(CloseCode.replaced, "replaced by a new connection");
  }

  private othersOf(socket: NodeSocket, node: string): NodeSocket[] {
    return this.deps.socketsOf(node).filter((other) => other !== socket && other.session().node === node);
  }

  /** Another machine than `machine` is there as the node: each has its credential, as copies of one disk do. */
  private isTaken(socket: NodeSocket, node: string, machine: string | undefined): boolean {
    return this.othersOf(socket, node).some((other) => {
      const session = other.session();
      if (session.state !== "open" || !session.machine || !machine || session.machine === machine) return false;
      return this.deps.now() - other.heard() < HOLDS_NODE_MS;
    });
  }

  async message(socket: NodeSocket, text: string): Promise<void> {
    try {
      await this.step(socket, parseToCluster(text));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      socket.close(CloseCode.protocol, error.message.slice(0, 120));
    }
  }

  private async step(socket: NodeSocket, message: ToCluster): Promise<void> {
    const session = socket.session();
    if (message.type === "hello") return this.greet(socket, message);
    if (session.state !== "open") throw new ProtocolError(`${message.type} before hello`);
    switch (message.type) {
      case "health": {
        const health: Liveness = message.ready
          ? { state: "ready" }
          : { state: "unhealthy", message: message.message.slice(0, MAX_HEALTH_LENGTH) };
        socket.remember({ ...session, health });
        return this.deps.health(session.node);
      }
      case "call": {
        const { code, body } = await this.deps.call(session.node, message);
        return send(socket, { type: "reply", id: message.id, code, body });
      }
      case "usage":
        return this.deps.usage?.(session.node, message.id, message.usage);
      case "wake":
        return this.deps.wake?.(message.namespace, message.service, message.by);
    }
  }

  private async greet(socket: NodeSocket, hello: Extract<ToCluster, { type: "hello" }>): Promise<void> {
    const { node } = socket.session();
    if (hello.version < OLDEST_PROTOCOL_VERSION || hello.version > PROTOCOL_VERSION)
      return socket.close(
        CloseCode.version,
        `protocol ${hello.version} is not served; this cluster speaks ${OLDEST_PROTOCOL_VERSION} to ${PROTOCOL_VERSION}`,
      );
    if (hello.node !== node) throw new ProtocolError(`hello from ${hello.node} with the credential of ${node}`);
    const machine = typeof hello.machine === "string" ? hello.machine.slice(0, MAX_MACHINE_LENGTH) : undefined;
    if (this.isTaken(socket, node, machine))
      return socket.close(CloseCode.taken, `another machine is connected as node ${node}`);
    this.endOthers(socket, node);
    const welcome = await this.deps.welcome(node);
    send(socket, { ...welcome, version: hello.version });
    // From here on nothing waits, so no write falls between the answer and the stream of changes.
    const revision = this.deps.revision();
    // What an agent has, it may have from a cluster that told less.
    const isKnown = hello.revision > 0 && hello.revision <= revision && (hello.told ?? welcome.told) === welcome.told;
    const missed = isKnown ? this.deps.since(hello.revision, node) : "expired";
    const hasIngresses = hello.version >= INGRESS_VERSION;
    const hasPolicies = hello.version >= POLICIES_VERSION;
    if (missed === "expired") {
      const policies = hasPolicies ? this.policies.snapshotFor(node) : [];
      const secrets = hasIngresses ? [...this.ingressSecrets.snapshot(), ...this.gateways.snapshot()] : [];
      sendObjects(socket, "snapshot", revision, [...snapshotFor(node, this.deps.objects), ...secrets, ...policies]);
    } else {
      const writes = [...missed];
      const pods = () => this.deps.podsSince(hello.revision);
      const policies = hasPolicies ? this.policies.missed(node, writes, pods) : [];
      const secrets = hasIngresses ? [...this.ingressSecrets.missed(writes), ...this.gateways.missed(writes)] : [];
      const own = this.ownMentions(node);
      const mentions = (what: Mentioned) => own(what) || (hasIngresses && this.ingressSecrets.has(what));
      sendObjects(socket, "changes", revision, [...this.concerning(node, writes, mentions), ...secrets, ...policies]);
    }
    socket.remember({ node, state: "open", version: hello.version, ...(machine ? { machine } : {}) });
  }

  /** Tells the open nodes what a turn wrote that concerns them. One that cannot be told is cut off, and asks for what it missed. */
  changed(writes: readonly Write[]): void {
    const policies = this.policies.changed(writes);
    const gateways = this.gateways.changed(writes);
    const secrets = [...this.ingressSecrets.changed(writes), ...gateways];
    const sockets = gateways.length > 0 ? this.deps.sockets() : this.concerned(writes, policies.nodes);
    for (const socket of sockets)
      try {
        this.tell(socket, writes, policies, secrets);
      } catch (error) {
        this.deps.report(error);
        socket.close(1011, "failed");
      }
  }

  /** Writes are made that nobody is told of, since no node is connected. */
  forget(): void {
    this.mentions.forget();
    this.policies.forget();
    this.ingressSecrets.forget();
    this.gateways.forget();
  }

  private tell(
    socket: NodeSocket,
    writes: readonly Write[],
    policies: PolicyChanges,
    secrets: readonly NodeChange[],
  ): void {
    const session = socket.session();
    if (session.state !== "open") return;
    const { node, version = 0 } = session;
    const hasIngresses = version >= INGRESS_VERSION;
    const mentions = (what: Mentioned) =>
      this.mentions.nodes(what).has(node) || (hasIngresses && this.ingressSecrets.has(what));
    const changes = this.concerning(node, writes, mentions);
    if (hasIngresses) changes.push(...secrets);
    if (version >= POLICIES_VERSION && policies.nodes.has(node)) changes.push(...policies.for(node));
    if (changes.length > 0) sendObjects(socket, "changes", this.deps.revision(), changes);
  }

  /** The sockets of the nodes that may have to hear of one of the writes. */
  private concerned(writes: readonly Write[], others: ReadonlySet<string>): readonly NodeSocket[] {
    const nodes = new Set(others);
    let concernsAll = false;
    for (const write of writes) {
      const { resource, object, old } = write;
      if (resource === "pods") {
        this.mentions.learn(write);
        for (const node of [nodeOf(object), nodeOf(old)]) if (node) nodes.add(node);
      } else if (this.ingressSecrets.has(write)) concernsAll = true;
      else if (MENTIONED.has(resource)) for (const node of this.mentions.nodes(write)) nodes.add(node);
      else if (resource === "persistentvolumes")
        for (const volume of [object, old]) for (const node of this.concernedBy(volume)) nodes.add(node);
      // Of all else every node hears the same.
      else if (changeFor("", write, this.deps.objects, () => false).length > 0) concernsAll = true;
      else if (isToldAlone(write)) nodes.add(write.name);
    }
    if (concernsAll) return this.deps.sockets();
    return [...nodes].flatMap((node) => this.deps.socketsOf(node).filter((socket) => socket.session().node === node));
  }

  /** The nodes whose pods use a volume, and those that are to bring or remove it. */
  private concernedBy(volume: KubeObject | undefined): string[] {
    const claim = claimOf(volume);
    return [...(claim ? this.mentions.nodes(claim) : []), ...(volume ? nodesWithWork(volume) : [])];
  }

  /** Asks a node's agent to dial its Relay; false when the node is not connected. */
  stream(node: string, request: StreamRequest): boolean {
    const socket = this.deps.socketsOf(node).find((s) => s.session().node === node && s.session().state === "open");
    if (socket) send(socket, { type: "stream", request });
    return socket !== undefined;
  }

  /** Asks a node what it uses; false when it is not connected, or does not know the question. */
  askUsage(node: string, id: number, pods: boolean): boolean {
    return this.ask(node, USAGE_VERSION, { type: "usage", id, pods });
  }

  /** Asks a node what requests it has seen; false as above. */
  askTraffic(node: string, id: number): boolean {
    return this.ask(node, TRAFFIC_VERSION, { type: "usage", id, pods: false, traffic: true });
  }

  /** Has all nodes send the figures over time that they hold back, where they are not too many. */
  askHistory(): void {
    const nodes = this.heard();
    if (nodes.size > MOST_ASKED_FOR_HISTORY) return;
    for (const node of nodes.keys())
      this.ask(node, USAGE_VERSION, { type: "usage", id: 0, pods: false, history: true });
  }

  private ask(node: string, since: number, question: ToNode): boolean {
    const socket = this.deps.socketsOf(node).find((s) => s.session().node === node);
    const session = socket?.session();
    if (!socket || session?.state !== "open" || (session.version ?? 0) < since) return false;
    send(socket, question);
    return true;
  }

  connected(node: string): boolean {
    return this.session(node) !== undefined;
  }

  /** What a connected node last said of its health. */
  health(node: string): Liveness | undefined {
    return this.session(node)?.health;
  }

  private session(node: string): Extract<Session, { state: "open" }> | undefined {
    for (const socket of this.deps.socketsOf(node)) {
      const session = socket.session();
      if (session.node === node && session.state === "open") return session;
    }
    return undefined;
  }

  /** When each connected node was last heard, ms. */
  heard(): Map<string, number> {
    const open = this.deps.sockets().filter((socket) => socket.session().state === "open");
    return new Map(open.map((socket) => [socket.session().node, socket.heard()]));
  }

  private concerning(node: string, writes: Iterable<Write>, mentions: (what: Mentioned) => boolean): NodeChange[] {
    const latest = new Map<string, NodeChange>();
    for (const write of writes) {
      const isMentioned = (resource: string, namespace: string, name: string) =>
        mentions({ resource, namespace, name });
      for (const change of changeFor(node, write, this.deps.objects, isMentioned)) {
        const key = `${change.resource}/${change.namespace}/${change.name}`;
        latest.delete(key); // the last word on an object takes its place in the order
        latest.set(key, change);
      }
    }
    return [...latest.values()];
  }

  /** Whether one of the node's pods mentions an object: of one node that is quickly read from its own pods. */
  private ownMentions(node: string): (what: Mentioned) => boolean {
    let known: Set<string> | undefined;
    return ({ resource, namespace, name }) => {
      const pods = () => this.deps.objects.podsOnNode(node);
      known ??= new Set(pods().flatMap((pod) => mentionsOf(pod).map((what) => `${pod.metadata?.namespace}/${what}`)));
      return known.has(`${namespace}/${resource}/${name}`);
    };
  }
}

function send(socket: NodeSocket, message: ToNode): void {
  socket.send(JSON.stringify(message));
}

/**
 * A long answer goes out in parts: a snapshot continues as changes. Only the last part carries the revision; the others
 * carry 0, so that an agent that loses the rest asks for everything again.
 */
function sendObjects(socket: NodeSocket, type: "snapshot" | "changes", revision: number, objects: NodeChange[]): void {
  const rest = objects.length > OBJECTS_PER_MESSAGE ? objects.slice(OBJECTS_PER_MESSAGE) : [];
  const part = rest.length > 0 ? objects.slice(0, OBJECTS_PER_MESSAGE) : objects;
  const reached = rest.length > 0 ? 0 : revision;
  const list = type === "snapshot" ? "objects" : "changes";
  socket.send(`{"type":"${type}","revision":${reached},"${list}":[${part.map(textOf).join()}]}`);
  if (rest.length > 0) sendObjects(socket, "changes", revision, rest);
}
