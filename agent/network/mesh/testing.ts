/** Two nodes and what lies between them, in virtual time: what one's state machine says, the other's hears. */
import { stepPath, wakeAt } from "./path.ts";
import { type PathAction, type PathEvent, type PathState, startPath } from "./path-state.ts";

export type World = {
  /** Whether UDP reaches a node's outside from the other one: both are behind NATs, which let in what goes out. */
  udp: [toA: boolean, toB: boolean];
  /** Both are on one network. */
  near: boolean;
  /** Relays answer. */
  relays: boolean;
  /** Something is said both ways. */
  talks: boolean;
};

const LATENCY_MS = { udp: 10, relay: 40 };
const TALK_EVERY_MS = 500;
/** Inside, both have the same address: two homes may well. */
const HOME = "192.168.1.2:20000";
const OUTSIDE = ["198.51.100.1:20000", "198.51.100.2:20000"] as const;

type Side = 0 | 1;
const other = (side: Side): Side => (side === 0 ? 1 : 0);

export class Pair {
  now = 1_000_000;
  readonly states: [PathState, PathState];
  world: World;
  /** Words that WireGuard could not bring over in the last second. */
  readonly lost: number[] = [];
  #queue: { at: number; body: () => void }[] = [];

  constructor(world: World, isNear: boolean) {
    this.world = world;
    this.states = [startPath(HOME, isNear, this.now), startPath(HOME, isNear, this.now)];
    this.#talk();
  }

  #later(ms: number, body: () => void): void {
    this.#queue.push({ at: this.now + ms, body });
  }

  step(side: Side, event: PathEvent): void {
    const { state, actions } = stepPath(this.states[side], event, this.now);
    this.states[side] = state;
    for (const action of actions) this.#do(side, action);
  }

  #do(side: Side, action: PathAction): void {
    const peer = other(side);
    if (action.do === "check") for (const endpoint of action.endpoints) this.#check(side, endpoint);
    if (action.do === "offer" && this.world.relays)
      this.#later(LATENCY_MS.relay, () => this.step(peer, { type: "offer", endpoints: [HOME, OUTSIDE[side]] }));
  }

  #reaches(to: Side, endpoint: string): boolean {
    if (endpoint === HOME) return this.world.near;
    return endpoint === OUTSIDE[to] && this.world.udp[to];
  }

  #check(side: Side, endpoint: string): void {
    const peer = other(side);
    if (!this.#reaches(peer, endpoint)) return;
    const back = endpoint === HOME ? HOME : OUTSIDE[side];
    this.#later(LATENCY_MS.udp, () => {
      this.step(peer, { type: "asked", endpoint: back });
      if (this.#reaches(side, back)) this.#later(LATENCY_MS.udp, () => this.step(side, { type: "answered", endpoint }));
    });
  }

  #talk(): void {
    this.#later(TALK_EVERY_MS, () => {
      if (this.world.talks) for (const side of [0, 1] as const) this.#say(side);
      this.#talk();
    });
  }

  #say(side: Side): void {
    const { path, endpoint } = this.states[side];
    const peer = other(side);
    if (path === "lan") {
      if (!this.world.near) this.lost.push(this.now);
      return;
    }
    if (path === "direct") {
      this.step(side, { type: "traffic" });
      if (!this.#reaches(peer, endpoint ?? "")) this.lost.push(this.now);
      return;
    }
    this.step(side, { type: "packet" });
    if (this.world.relays) this.#later(LATENCY_MS.relay, () => this.step(peer, { type: "packet" }));
    else this.lost.push(this.now);
  }

  /** Lets time pass, in ms. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const wakes = ([0, 1] as const).map((side) => ({ at: wakeAt(this.states[side]), side }));
      this.#queue.sort((a, b) => a.at - b.at);
      const next = Math.min(this.#queue[0]?.at ?? end, ...wakes.map(({ at }) => at));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      for (const { at, side } of wakes) if (at <= this.now) this.step(side, { type: "tick" });
      while ((this.#queue[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) this.#queue.shift()?.body();
    }
    this.now = end;
  }

  get paths(): string {
    return this.states.map(({ path }) => path).join();
  }

  /** Nobody waits for anything. */
  get rests(): boolean {
    return this.states.every((state) => wakeAt(state) === Number.POSITIVE_INFINITY);
  }
}
