/** What `path.ts` knows of the way to a node, hears, and wants done. */
import type { Endpoint } from "./stun.ts";

export type Path = "lan" | "idle" | "relay" | "direct";

export type PathState = {
  path: Path;
  /** Where WireGuard sends in `direct`. */
  endpoint?: Endpoint;
  /** The node's own address with its port. */
  readonly home: Endpoint;
  /** That address lies on a network of ours. */
  readonly isNear: boolean;
  /** `lan` was seen to be so. */
  confirmed: boolean;
  /** The node has spoken from elsewhere since `lan` was last seen to be so. */
  elsewhere: boolean;
  /** Where the node may be reached, as it last said, and where it has answered or asked from. */
  offered: readonly Endpoint[];
  known: readonly Endpoint[];
  /** Checks that are still to be sent, and when the next one is due, ms. */
  checks: number;
  checkAt: number;
  /** Checks that nothing has answered since the last answer. */
  unanswered: number;
  /** When the next round of checks is due, ms, and how long the one after that waits. */
  roundAt: number;
  roundWait: number;
  /** When the last offer was sent, ms. */
  toldAt: number;
  /** When something other than checks last went to or fro, ms. */
  usedAt: number;
  /** When `direct` was last answered, ms. */
  heardAt: number;
};

export type PathEvent =
  | { type: "tick" }
  /** WireGuard has sent something for the node to the relay, or something has come from there. */
  | { type: "packet" }
  /** WireGuard has moved bytes on the direct path. */
  | { type: "traffic" }
  /** The node says where it may be reached, by its relay: it does not hear us as it would like to. */
  | { type: "offer"; endpoints: readonly Endpoint[] }
  /** A check of ours was answered from there. */
  | { type: "answered"; endpoint: Endpoint }
  /** The node has checked us from there. */
  | { type: "asked"; endpoint: Endpoint }
  /** Nothing at the node's address answers the kernel any more. */
  | { type: "silent" }
  /** One of the two is somewhere else now. */
  | { type: "moved" };

export type PathAction =
  | { do: "check"; endpoints: readonly Endpoint[] }
  /** Says by the relay where this node may be reached. */
  | { do: "offer" }
  /** WireGuard has to be told again where to send, as it follows what comes. */
  | { do: "aim" };

export const NEVER = Number.POSITIVE_INFINITY;
/** A near node that does not answer is first asked this often there, then by its relay. */
export const NEAR_CHECKS = 5;
/** Between rounds of checks while the relay is in use. */
export const ROUND_WAIT_MS = { first: 5_000, most: 60_000 };

/** `earlier` is where an earlier run has found the node, if that knew it to be elsewhere. */
export function startPath(home: Endpoint, isNear: boolean, now: number, earlier?: readonly Endpoint[]): PathState {
  const isAsked = isNear && earlier === undefined;
  return {
    path: isAsked ? "lan" : "idle",
    home,
    isNear,
    confirmed: false,
    elsewhere: false,
    offered: [],
    known: earlier ?? [],
    checks: isAsked ? NEAR_CHECKS : 0,
    checkAt: isAsked ? now : NEVER,
    unanswered: 0,
    roundAt: NEVER,
    roundWait: ROUND_WAIT_MS.first,
    toldAt: -NEVER,
    usedAt: -NEVER,
    heardAt: -NEVER,
  };
}
