/**
 * The agent's end of the control socket: one outgoing WebSocket, opened again with jitter whenever it is lost.
 * Both ways of losing it count: a close, and silence (a cut uplink sends no goodbye).
 */
import type { Waker } from "../worker/kinds/ingress/idle.ts";
import type { Effects } from "../worker/lib/effects.ts";
import { errorText } from "../worker/lib/error-text.ts";
import {
  CloseCode,
  type Json,
  type NodeUsage,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type ToCluster,
  type ToNode,
} from "../worker/protocol/link.ts";
import { LOOK, PING, PONG, parseToNode } from "../worker/protocol/parse.ts";
import type { Timers } from "./effects.ts";
import type { LinkSocket } from "./link-socket.ts";
import { VERSION } from "./version.ts";

const PING_EVERY_MS = 10_000;
/** The protocol version that brought the watchman's word. */
const LOOK_VERSION = 2;
/** The one that brought wakes. */
const WAKE_VERSION = 5;
/** Without a word for so long, the socket counts as lost. */
const SILENCE_MS = 25_000;
const CALL_TIMEOUT_MS = 30_000;
const RECONNECT_MIN_MS = 250;
const RECONNECT_MAX_MS = 20_000;

export class Offline extends Error {
  override readonly name = "Offline";
}

export type Reply = { code: number; body: Json };
export type Objects = Extract<ToNode, { type: "snapshot" | "changes" }>;
export type Welcome = Extract<ToNode, { type: "welcome" }>;
export type Handlers = {
  /** The newest revision that is on disk, or 0. */
  revision(): number;
  /** What the cluster said of what it tells, when it sent that; "" for nothing. */
  told?(): string;
  welcome(message: Welcome): void;
  /** Snapshot and changes, in order. */
  objects(message: Objects): void;
  stream(message: Extract<ToNode, { type: "stream" }>): void;
  /** What the node uses, and with `pods` what its pods do; a model does not tell. */
  usage?(pods: boolean): Promise<NodeUsage>;
  /** Somebody looks at figures over time. */
  history?(): void;
  /** What requests the node has seen. */
  traffic?(): Promise<NodeUsage>;
  online(online: boolean): void;
};

export type LinkOptions = {
  /** Dials the control socket of this node. */
  dial(): LinkSocket;
  node: string;
  /** Tells this machine from others. */
  machine?: string;
  effects: Effects & Timers;
  log(message: string): void;
};

type Call = { resolve(reply: Reply): void; reject(error: Error): void; cancel(): void };

/** Both in one message; what comes later is about the same revision or a newer one. */
export function joinParts(first: Objects | undefined, next: Objects): Objects {
  if (!first || next.type === "snapshot") return next;
  const { revision, changes } = next;
  if (first.type === "snapshot") return { type: "snapshot", revision, objects: [...first.objects, ...changes] };
  return { type: "changes", revision, changes: [...first.changes, ...changes] };
}

export class Link {
  private readonly options: LinkOptions;
  private readonly handlers: Handlers;
  private socket: LinkSocket | undefined;
  private open = false;
  private stopped = false;
  private nextId = 1;
  private readonly calls = new Map<number, Call>();
  private failures = 0;
  /** What the next hello is said in, and what is spoken since it was answered. */
  private version = PROTOCOL_VERSION;
  /** What has come of an answer whose last part is still to come. */
  private part: Objects | undefined;
  private health: { ready: boolean; message: string } | undefined;

  constructor(options: LinkOptions, handlers: Handlers) {
    this.options = options;
    this.handlers = handlers;
  }

  start(): void {
    if (this.stopped) return;
    const { effects, log } = this.options;
    const socket = this.options.dial();
    this.socket = socket;
    let closed = false;
    let heard = effects.now();
    const watchdog = () => {
      if (closed) return;
      if (effects.now() - heard > SILENCE_MS) return socket.terminate();
      socket.send(PING);
      effects.after(PING_EVERY_MS, watchdog);
    };
    socket.onOpen(() => {
      heard = effects.now();
      this.hello();
      watchdog();
    });
    socket.onMessage((text) => {
      heard = effects.now();
      if (text === PONG) return;
      try {
        this.receive(parseToNode(text));
      } catch (error) {
        log(`a message of the cluster was not understood: ${errorText(error)}`);
        socket.close(CloseCode.protocol);
      }
    });
    socket.onClose((code, reason) => {
      closed = true;
      this.lost(code, reason);
    });
  }

  stop(): void {
    this.stopped = true;
    this.socket?.close(1000);
  }

  get online(): boolean {
    return this.open;
  }

  /** Told again after each reconnection. */
  reportHealth(ready: boolean, message: string): void {
    if (this.health?.ready === ready && this.health.message === message) return;
    this.health = { ready, message };
    if (this.open) this.send({ type: "health", ready, message });
  }

  /** An API request as this node. Rejects with `Offline` when the answer cannot come; the write may still have happened. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Reply> {
    if (!this.open) return Promise.reject(new Offline("no connection to the cluster"));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const cancel = this.options.effects.after(CALL_TIMEOUT_MS, () => {
        this.calls.delete(id);
        reject(new Offline(`no answer to ${method} ${path}`));
      });
      this.calls.set(id, { resolve, reject, cancel });
      this.send({
        type: "call",
        id,
        method,
        path,
        ...(contentType ? { contentType } : {}),
        ...(body === undefined ? {} : { body: body as Json }),
      });
    });
  }

  /** Makes the cluster look for nodes that fell silent. */
  look(): void {
    if (this.open && this.version >= LOOK_VERSION) this.socket?.send(LOOK);
  }

  /** Requests wait for a Service that has no endpoints, or a connection does. */
  wake(namespace: string, service: string, by?: Waker): void {
    if (this.open && this.version >= WAKE_VERSION) this.send({ type: "wake", namespace, service, ...(by && { by }) });
  }

  private hello(): void {
    const { node, machine } = this.options;
    const revision = this.handlers.revision();
    const who = machine ? { machine } : {};
    const told = this.handlers.told ? { told: this.handlers.told() } : {};
    this.send({ type: "hello", version: this.version, agent: VERSION, node, revision, ...who, ...told });
  }

  private send(message: ToCluster): void {
    this.socket?.send(JSON.stringify(message));
  }

  private receive(message: ToNode): void {
    switch (message.type) {
      case "welcome":
        this.failures = 0;
        return this.handlers.welcome(message);
      case "snapshot":
      case "changes":
        return this.receiveObjects(message);
      case "stream":
        return this.handlers.stream(message);
      case "usage":
        return void this.tellUsage(message);
      case "reply": {
        const call = this.calls.get(message.id);
        this.calls.delete(message.id);
        call?.cancel();
        return call?.resolve({ code: message.code, body: message.body });
      }
    }
  }

  private async tellUsage({ id, pods, traffic, history }: Extract<ToNode, { type: "usage" }>): Promise<void> {
    if (history) return this.handlers.history?.();
    try {
      const usage = await (traffic ? this.handlers.traffic?.() : this.handlers.usage?.(pods));
      if (usage && this.open) this.send({ type: "usage", id, usage });
    } catch (error) {
      this.options.log(`what this node uses could not be told: ${errorText(error)}`);
    }
  }

  /** A long answer comes in parts, of which only the last names a revision. It is handed on whole: half a snapshot would end pods. */
  private receiveObjects(message: Objects): void {
    const part = joinParts(this.part, message);
    this.part = message.revision === 0 ? part : undefined;
    if (this.part) return;
    this.handlers.objects(part);
    this.opened();
  }

  /** The first objects answer the hello: from here on calls are served. */
  private opened(): void {
    if (this.open) return;
    this.open = true;
    if (this.health) this.send({ type: "health", ...this.health });
    this.handlers.online(true);
  }

  private lost(code: number, reason: string): void {
    const wasOpen = this.open;
    this.open = false;
    this.part = undefined;
    for (const call of this.calls.values()) {
      call.cancel();
      call.reject(new Offline("connection to the cluster was lost"));
    }
    this.calls.clear();
    if (wasOpen) this.handlers.online(false);
    if (this.stopped) return;
    if (code === CloseCode.version && this.version > OLDEST_PROTOCOL_VERSION) {
      this.version -= 1;
      return this.start();
    }
    // The cluster may be another release when it is there again.
    this.version = PROTOCOL_VERSION;
    if (code === CloseCode.version) this.options.log(`this agent and the cluster are too far apart (${reason})`);
    if (code === CloseCode.unauthorized)
      this.options.log(
        `this node's credential is refused (${reason}): it was deleted, or another machine has taken the name over. To join again: skerry join URL --token TOKEN; to end what runs here: skerry down --pods`,
      );
    if (code === CloseCode.taken)
      this.options.log(
        `${reason}, with this very credential: is this disk a copy of that machine's? Join under a name of its own: skerry join URL --token TOKEN --node-name NAME`,
      );
    const ceiling = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** this.failures++);
    const delay = ceiling / 2 + (this.options.effects.random() * ceiling) / 2;
    this.options.log(
      `control socket closed (${code}${reason ? ` ${reason}` : ""}); next try in ${Math.round(delay)} ms`,
    );
    this.options.effects.after(delay, () => this.start());
  }
}
