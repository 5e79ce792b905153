/**
 * What the rooms of the simulator agree on. The world (`world/`) owns time, chance, the network and the Cluster object;
 * nodes (`node/`) own agents over a model of nerdctl; the workload (`workload/`) is clients; invariants (`invariants/`)
 * look at what happened and throw. Everything runs in one thread under one virtual clock: given the same seed, the same
 * observations follow in the same order.
 */
import type { Timers } from "../../agent/effects.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { KubeObject } from "../../worker/lib/object.ts";
import type { Change, StoredObject } from "../../worker/storage/store.ts";

/** Time, timers and chance of one part of the world. Each part draws from its own stream, so that parts can be cut out. */
export type Part = Effects & Timers;

/** One end of a simulated WebSocket: text messages, at most one close. Handlers are set before the clock next moves. */
export interface Socket {
  send(text: string): void;
  close(code: number, reason: string): void;
  onOpen(handler: () => void): void;
  onMessage(handler: (text: string) => void): void;
  onClose(handler: (code: number, reason: string) => void): void;
}

/**
 * What happened, in order of virtual time (`at`, ms). A commit's changes, of one write or of several in order, are
 * durable from then on; changes that a crash undid are never told.
 */
export type Observation = { at: number } & (
  | { type: "commit"; changes: readonly Change[] }
  /** A client sent a request; `answer` with the same id follows when (and if) the client has seen it. */
  | { type: "request"; id: number; client: string; method: string; path: string; body?: unknown }
  | { type: "answer"; id: number; code: number; body: unknown }
  /** The client will never hear: the socket or the object was gone. The write may or may not have happened. */
  | { type: "unanswered"; id: number }
  /**
   * One connection, opened by the client at revision `from`; a resume is a new one, with a number of its own. Selectors
   * as in the query. Told before its first event.
   */
  | {
      type: "watch-opened";
      watch: number;
      resource: string;
      namespace: string | undefined;
      from: string;
      labelSelector?: string;
      fieldSelector?: string;
    }
  | {
      type: "watch-event";
      watch: number;
      event: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
      object: KubeObject;
    }
  | { type: "watch-closed"; watch: number }
  /** The truth of a node, whatever its agent believes. */
  | {
      type: "container";
      node: string;
      container: ContainerFact;
      state: "created" | "running" | "exited" | "removed";
      /** Of a network namespace that is made: the policies that the node holds its pod to. */
      policies?: readonly string[];
    }
  /** A pod writes to a volume on its node's own disk: what it found there, and what it left. */
  | { type: "data"; node: string; volume: string; found: string; left: string }
  /** A volume that is attached to a node is mounted there for a pod, or not any more. */
  | { type: "mount"; node: string; volume: string; podUid: string; mounted: boolean }
  /** A node removes a folder of a volume from its own disk; `users`: uids of pods that have it. */
  | { type: "removal"; node: string; folder: string; users: readonly string[] }
  /** Something of a volume's copy in the bucket has come, or has gone. */
  | { type: "bucket"; volume: string; key: string }
  /**
   * Somebody asks a proxy. `sent`: it has chosen the endpoint at `address`; `reached`: the program of `pod` has the request;
   * `ended`: there is an answer of that `status`, or none where that is 0.
   */
  | ({
      type: "visit";
      state: "begun" | "sent" | "reached" | "ended";
      address?: string;
      pod?: ContainerFact;
      status?: number;
      /** What the proxy's node knows of the cluster, while it has an agent that has spoken to the proxy. */
      heard?: Heard;
    } & Visit)
  /** All endpoints to which the edge leads requests for a host. */
  | { type: "led"; host: string; addresses: readonly string[] }
  /** The Cluster object's memory is thrown away, to be built anew from its storage: it slept, or else it died. */
  | { type: "rebuilt"; why: string; died: boolean }
  | { type: "fault"; fault: string }
  /** No more faults from here on. */
  | { type: "healed" }
  /** The bounded time after healing has passed. */
  | { type: "rested" }
);

/** A request for `SERVICE.NAMESPACE.test` to the proxy of a node, or to the `edge`. */
export type Visit = { visit: string; node: string; host: string; method: string };

/** The newest revision that a node was told of, and which of its agents was. */
export type Heard = { revision: number; agent: number };

/** What a client asks for, and how long the program is to take for its answer. */
export type Visitor = { host: string; method: string; hasBody?: boolean; answerMs: number };

/**
 * What meets who connects to a pod's address. `ask` has the program answer after so long: false where it ends before, and
 * nothing at all where the machine does.
 */
export type Met = { pod: ContainerFact; ask(answerMs: number): Promise<boolean> } | "refused" | "no route" | "silence";

export type ContainerFact = {
  id: string;
  podUid: string;
  namespace: string;
  pod: string;
  /** The container's name in the pod, or `POD` for the sandbox. */
  name: string;
  ip?: string;
};

/** All data of a volume, on a node or in the `bucket`, in a folder of either. */
export type Copy = { place: string; folder: string; volume: string; data: string };

/** The truth of the world, for invariants: durable objects as committed, containers as they are. */
export interface Truth {
  now(): number;
  revision(): number;
  containers(): ReadonlyMap<string, ContainerFact & { node: string; state: "created" | "running" | "exited" }>;
  /** Every object as it lies in durable storage, read anew from there; with `after`, those of newer revisions alone. */
  stored(after?: number): Iterable<StoredObject>;
  /** The index terms of every object, as they lie in durable storage. */
  refs(): Iterable<{ ref: string; resource: string; namespace: string; name: string }>;
  /** What the Cluster object that lives now believes, its caches included; undefined while there is none. */
  living(): Living | undefined;
  /** Machines with an agent: whether agent and runtime are up, and what the agent has of NetworkPolicies. */
  nodes(): ReadonlyMap<string, NodeTruth>;
  /** Of volumes of nodes' own disks, wherever they are whole. */
  copies(): Iterable<Copy>;
  /** What lies in the bucket, whole or not. */
  bucket(): Iterable<string>;
  /** Work rows that have been due for a second, and how many rows there are; `keep` is how many revisions the log is to keep. */
  storage(): Sizes;
}

export type NodeTruth = {
  running: boolean;
  policies?: readonly string[] | undefined;
  /** Where its proxy leads requests to, `ADDRESS:PORT`, by the Service, `namespace/name`; undefined where there is none. */
  backends?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Addresses of its pods whose programs take requests, and since when, ms. */
  listening?: ReadonlyMap<string, number> | undefined;
};

export type Sizes = {
  objects: number;
  work: number;
  due: number;
  changes: number;
  horizon: number;
  keep: number;
};

/** Objects of a resource as controllers read them (`engine.view`). */
export interface Living {
  revision(): number;
  resources(): readonly string[];
  objects(resource: string): readonly KubeObject[];
}

export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;
  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.rule = rule;
  }
}

/** A rule with a stable name that tests quote. State lives in the closure that `start` makes, one a run. */
export type Invariant = {
  /** e.g. `never-two-containers-of-one-name`. */
  rule: string;
  start(truth: Truth): {
    observe?(observation: Observation): void;
    /** After healing and the bounded time: everything must be as wanted. */
    rested?(): void;
  };
};

/** A machine with an agent, as the world drives it. The agent's disk outlives crashes and reboots. */
export interface SimNode {
  readonly name: string;
  start(): void;
  /** The agent process dies at once; containers go on. */
  crash(): void;
  /** Power is lost: agent and containers are gone, the disk stays. */
  powerOff(): void;
  /** Nothing of the node (agent, runtime, network) moves for so long. */
  freeze(ms: number): void;
  /** The machine's own clock is off by so much. */
  skew(ms: number): void;
  /** The disk of the agent goes back to what it was at an earlier `remember()`. */
  remember(): void;
  restore(): void;
  /** The disk of the agent is lost; what runs goes on. */
  lose(): void;
  /** Nothing more can be written to it, or can again. */
  fill(on: boolean): void;
  /** Faults of the runtime are on (chance per step) or off. */
  trouble(on: boolean): void;
  running(): boolean;
  /** What its agent has of NetworkPolicies, in words; undefined where it knows of none yet. */
  policies(): readonly string[] | undefined;
  backends: () => NodeTruth["backends"];
  listening: () => NodeTruth["listening"];
  /** Of volumes on its own disk: what is in each. */
  folders(): ReadonlyMap<string, string>;
  /** A request comes to its proxy; resolves when that is over. */
  visit(visitor: Visitor): Promise<void>;
  /** Somebody connects to a pod of its. */
  connect(pod: ContainerFact): Met;
}

export type SimNodeOptions = {
  name: string;
  part: Part;
  /** Dials the cluster's control socket for this node. */
  connect(): Socket;
  observe(observation: NodeObservation): void;
  /** Connects to a pod's address, wherever that is. */
  reach?(address: string): Met;
  /** The way of requests that come by the edge; absent where none do. */
  streams?: EdgeStreams;
  /** The way to other nodes' volumes, by the Relays; absent where there are none. */
  volumes?: VolumeExchange;
  /** The way to the bucket, by the Worker; absent where there is none. */
  askBucket?: AskBucket;
};

type Untimed<T> = T extends unknown ? Omit<T, "at"> : never;
export type NodeObservation = Untimed<
  Extract<Observation, { type: "container" | "data" | "mount" | "removal" | "visit" }>
>;

/** Rejects where no answer comes in time. */
export type AskBucket = (asked: BucketRequest) => Promise<BucketReply>;
export type BucketRequest = { method: string; path: string; bytes: Uint8Array | undefined; timeoutMs: number };
export type BucketReply = { code: number; bytes: Uint8Array };

export interface VolumeExchange {
  /** All data of a claim's volume, from whichever node has it. Rejects where none of it comes, or not all. */
  want(claim: { namespace: string; name: string }): Promise<string>;
  /** Answers who wants it by that stream. */
  give(stream: string, data: string | Error): void;
}

/** A node's ends of streams by its Relay. */
export interface EdgeStreams {
  /** The agent has come for a stream; `serve` says why there is no answer, if there is none. */
  come(stream: string, serve: (visit: Visit & Visitor) => Promise<string | undefined>): void;
  /** The agent is no more, and its connections are reset. */
  reset(): void;
}
