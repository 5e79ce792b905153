/**
 * Which way leads to one other node's pods, as a state machine without clock, sockets or chance:
 *
 * - `lan`: a plain route by the network that both are on. Held to be so where the node's address lies on one of ours,
 *   until the node is heard elsewhere and does not answer there: two homes may well have the same addresses.
 * - `idle`: WireGuard, and nothing is open. The first packet makes it `relay`.
 * - `relay`: WireGuard's packets go through the other node's Relay, while both try to reach each other directly.
 * - `direct`: WireGuard's packets go over UDP, to an address that has answered a check.
 */
import { NEAR_CHECKS, NEVER, type PathAction, type PathEvent, type PathState, ROUND_WAIT_MS } from "./path-state.ts";
import type { Endpoint } from "./stun.ts";

/** Of a round, which both ends begin within what an offer takes. */
const CHECKS = 14;
const CHECK_EVERY_MS = 250;
/** After so long a pause it begins anew. */
const RELAY_IDLE_MS = 60_000;
/** How often a direct path is checked while it is used, and while it only has to be kept open in NATs. */
const USED_CHECK_MS = 3_000;
const KEPT_CHECK_MS = 15_000;
const IN_USE_MS = 10_000;
/** One that nothing uses is given up. */
const DIRECT_IDLE_MS = 300_000;
/** So many checks in a row, this far apart, that nothing answers: the path is lost. */
const LOST_CHECKS = 5;
const LOST_EVERY_MS = 400;
/** A near node that does not answer there is asked for so often by its relay. */
const NEAR_ROUNDS = 3;
const MOST_ENDPOINTS = 12;
/** An offer that answers one is not sent again within this. */
const SAME_OFFER_MS = 3_000;

/** When the state has to be looked at again, ms; never, while it rests. */
export function wakeAt({ path, checkAt, roundAt, usedAt }: PathState): number {
  const idleAt = path === "relay" ? usedAt + RELAY_IDLE_MS : path === "direct" ? usedAt + DIRECT_IDLE_MS : NEVER;
  return Math.min(checkAt, roundAt, idleAt);
}

/** What an event makes of the state, which is left as it was. */
export function stepPath(
  before: PathState,
  event: PathEvent,
  now: number,
): { state: PathState; actions: PathAction[] } {
  const state = { ...before };
  const actions: PathAction[] = [];
  const say = (...said: PathAction[]) => void actions.push(...said);
  switch (event.type) {
    case "packet":
      onPacket(state, now, say);
      break;
    case "traffic":
      state.usedAt = now;
      // What is used again after a pause is looked at sooner.
      if (state.path === "direct") state.checkAt = Math.min(state.checkAt, now + USED_CHECK_MS);
      break;
    case "offer":
      onOffer(state, event.endpoints, now, say);
      break;
    case "answered":
      onAnswer(state, event.endpoint, now, say);
      break;
    case "asked":
      onAsked(state, event.endpoint, say);
      break;
    case "silent":
      if (state.path === "lan" && state.confirmed) doubt(state, now);
      break;
    case "moved":
      onMoved(state, now);
      break;
    case "tick":
      onTick(state, now, say);
      break;
  }
  return { state, actions };
}

type Say = (...actions: PathAction[]) => void;

function onPacket(state: PathState, now: number, say: Say): void {
  state.usedAt = now;
  if (state.path === "direct") say({ do: "aim" });
  if (state.path === "idle") toRelay(state, now, say);
  // Whoever sends through the relay has not found us near.
  if (state.path === "lan") doubt(state, now);
}

function onOffer(state: PathState, endpoints: readonly Endpoint[], now: number, say: Say): void {
  state.offered = endpoints.slice(0, MOST_ENDPOINTS);
  if (state.path === "lan") {
    state.elsewhere = true;
    doubt(state, now);
    return answerOffer(state, now, say);
  }
  state.usedAt = now;
  state.path = "relay";
  beginRound(state, now);
  answerOffer(state, now, say);
  say({ do: "aim" });
}

function answerOffer(state: PathState, now: number, say: Say): void {
  if (now - state.toldAt < SAME_OFFER_MS) return;
  state.toldAt = now;
  say({ do: "offer" });
}

/** Asks a near node anew whether it is near. */
function doubt(state: PathState, now: number): void {
  if (state.checks > 0) return;
  state.confirmed = false;
  state.checks = NEAR_CHECKS;
  state.checkAt = now;
}

function toRelay(state: PathState, now: number, say: Say): void {
  state.path = "relay";
  state.usedAt = now;
  state.roundWait = ROUND_WAIT_MS.first;
  state.toldAt = now;
  beginRound(state, now);
  say({ do: "offer" });
}

function beginRound(state: PathState, now: number): void {
  state.checks = CHECKS;
  state.checkAt = now;
  state.unanswered = 0;
  state.roundAt = now + CHECKS * CHECK_EVERY_MS + state.roundWait;
}

function onAnswer(state: PathState, endpoint: Endpoint, now: number, say: Say): void {
  state.known = [endpoint, ...state.known.filter((other) => other !== endpoint)].slice(0, 3);
  if (endpoint === state.home && state.isNear) {
    Object.assign(state, { path: "lan", confirmed: true, elsewhere: false, endpoint: undefined, ...AT_REST });
    return;
  }
  if (state.path === "lan") {
    state.elsewhere ||= !state.confirmed;
    return;
  }
  if (state.path === "direct" && endpoint !== state.endpoint && state.unanswered === 0) return;
  if (state.path === "idle") state.usedAt = now;
  const isNew = state.path !== "direct" || endpoint !== state.endpoint;
  Object.assign(state, { path: "direct", endpoint, heardAt: now, unanswered: 0, checks: 1, roundAt: NEVER });
  state.roundWait = ROUND_WAIT_MS.first;
  state.checkAt = now + (now - state.usedAt < IN_USE_MS ? USED_CHECK_MS : KEPT_CHECK_MS);
  if (isNew) say({ do: "aim" });
}

const AT_REST = { checks: 0, checkAt: NEVER, roundAt: NEVER, unanswered: 0, roundWait: ROUND_WAIT_MS.first };

/** Who is asked asks back: what came through a NAT can go back through it. */
function onAsked(state: PathState, endpoint: Endpoint, say: Say): void {
  if (state.path === "lan" && state.confirmed) return;
  if (state.path === "direct" && endpoint === state.endpoint && state.unanswered === 0) return;
  state.known = [endpoint, ...state.known.filter((other) => other !== endpoint)].slice(0, 3);
  say({ do: "check", endpoints: [endpoint] });
}

function onMoved(state: PathState, now: number): void {
  if (state.path === "idle") return;
  if (state.path === "lan") {
    Object.assign(state, { unanswered: 0, roundWait: ROUND_WAIT_MS.first });
    return doubt(state, now);
  }
  // What leads there now is found at once, or the relay leads there.
  state.checks = Math.max(state.checks, 1);
  state.checkAt = now;
  if (state.path === "relay") {
    state.roundWait = ROUND_WAIT_MS.first;
    state.roundAt = now;
  }
}

function onTick(state: PathState, now: number, say: Say): void {
  if (state.path === "lan") tickNear(state, now, say);
  if (state.path === "relay") tickRelay(state, now, say);
  if (state.path === "direct") tickDirect(state, now, say);
}

function tickNear(state: PathState, now: number, say: Say): void {
  if (now >= state.checkAt) {
    if (state.checks > 0) {
      state.checks--;
      say({ do: "check", endpoints: state.elsewhere ? everywhere(state) : [state.home] });
      state.checkAt = now + LOST_EVERY_MS;
      return;
    }
    state.checkAt = NEVER;
    if (state.elsewhere) return toRelay(Object.assign(state, { elsewhere: false }), now, say);
    // It may be off, or have an agent that does not answer yet; or be elsewhere, and then its relay leads to it.
    if (state.unanswered++ < NEAR_ROUNDS) {
      state.roundAt = now + state.roundWait;
      state.roundWait *= 3;
      state.toldAt = now;
      say({ do: "offer" });
    }
  }
  if (now >= state.roundAt) {
    state.roundAt = NEVER;
    doubt(state, now);
  }
}

function tickRelay(state: PathState, now: number, say: Say): void {
  if (now - state.usedAt >= RELAY_IDLE_MS) {
    Object.assign(state, { path: "idle", ...AT_REST });
    return say({ do: "aim" });
  }
  if (now >= state.roundAt) {
    state.roundWait = Math.min(state.roundWait * 2, ROUND_WAIT_MS.most);
    state.toldAt = now;
    beginRound(state, now);
    say({ do: "offer" }, { do: "aim" });
  }
  if (now < state.checkAt) return;
  state.checks--;
  state.checkAt = state.checks > 0 ? now + CHECK_EVERY_MS : NEVER;
  say({ do: "check", endpoints: everywhere(state) });
}

const everywhere = ({ home, known, offered }: PathState): Endpoint[] =>
  [...new Set([home, ...known, ...offered])].slice(0, MOST_ENDPOINTS);

function tickDirect(state: PathState, now: number, say: Say): void {
  if (now - state.usedAt >= DIRECT_IDLE_MS) {
    Object.assign(state, { path: "idle", endpoint: undefined, ...AT_REST });
    return say({ do: "aim" });
  }
  if (now < state.checkAt) return;
  if (state.unanswered >= LOST_CHECKS) {
    const isUsed = now - state.usedAt < IN_USE_MS;
    Object.assign(state, { path: "idle", endpoint: undefined, ...AT_REST });
    if (isUsed) toRelay(state, now, say);
    return say({ do: "aim" });
  }
  say({ do: "check", endpoints: state.unanswered > 1 ? everywhere(state) : [state.endpoint ?? state.home] });
  state.unanswered++;
  state.checkAt = now + LOST_EVERY_MS;
}
