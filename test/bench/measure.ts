/** What is measured, on what, and what it should come to. */

/** How a measured value is judged. Ratios are Skerry's value divided by the peer's, of the same run. */
export type Goal =
  | { atLeast: number; of: "ratio" }
  | { atMost: number; of: "ratio" }
  /** Skerry's value alone; the peer's is shown beside it. */
  | { atMost: number; of: "value" };

export type Unit = "ops/s" | "events/s" | "pods/s" | "ms" | "s" | "MB" | "MB/s" | "%" | "×";

export type Measure<System> = {
  name: string;
  unit: Unit;
  goal: Goal;
  run(system: System): Promise<number>;
};

/** Something that was started for measuring; `stop` leaves nothing behind. */
export type Started = { stop(): Promise<void> };

/** `bare` is a server that does nothing but what its client asks for: what the client itself can do. */
export type SideName = "skerry" | "kubernetes" | "swarm" | "bare";

/**
 * Measures that share a system: each side is started fresh, all measures run on it in order, and it is stopped before
 * the other side starts.
 */
export type Group<System extends Started> = {
  name: string;
  sides: Partial<Record<SideName, () => Promise<System>>>;
  measures: readonly Measure<System>[];
};

/** How much is done: all of it, or a smoke test of the harness. */
export type Sizes = {
  /** Length of one run of create, get or update, in seconds. */
  seconds: number;
  connections: readonly number[];
  listed: number;
  watchers: number;
  events: number;
  /** Objects stored before memory is read again. */
  stored: number;
  /** Idle time before memory is read, in ms. */
  idleMs: number;
  nodes: number;
  bound: number;
  rollout: number;
  /** Replicas of the Deployment, one step after another. */
  replicas: readonly number[];
  /** Pods of one node: while its memory is read, and twice while they start; half of the last while it rests. */
  nodePods: readonly [number, number, number];
  /** What goes through a stream, in MB. */
  streamed: number;
  /** The cluster that grows: its pods, its nodes, and requests of each kind that are timed. */
  curve: { pods: readonly number[]; nodes: number; count: number; isSaved: boolean };
  /** Load one after the other: for so many seconds so many requests a second. */
  scaling: { phases: readonly [seconds: number, perSecond: number][]; isSaved: boolean };
};

export const FULL: Sizes = {
  seconds: 3,
  connections: [1, 16, 64],
  listed: 5000,
  watchers: 100,
  events: 1000,
  stored: 30_000,
  idleMs: 10_000,
  nodes: 100,
  bound: 1000,
  rollout: 2000,
  replicas: [1, 20, 50],
  nodePods: [10, 20, 100],
  streamed: 300,
  curve: { pods: [1000, 10_000, 50_000, 150_000], nodes: 5000, count: 200, isSaved: true },
  scaling: {
    phases: [
      [5, 0],
      [60, 15],
      [75, 60],
      [60, 30],
      [60, 5],
    ],
    isSaved: true,
  },
};

export const QUICK: Sizes = {
  seconds: 0.3,
  connections: [1, 4],
  listed: 50,
  watchers: 4,
  events: 20,
  stored: 100,
  idleMs: 500,
  nodes: 3,
  bound: 20,
  rollout: 20,
  replicas: [1, 2],
  nodePods: [1, 2, 4],
  streamed: 4,
  curve: { pods: [1000, 2000], nodes: 50, count: 20, isSaved: false },
  scaling: { phases: [[5, 4]], isSaved: false },
};
