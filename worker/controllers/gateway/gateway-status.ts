/** What is told of gateways and their listeners: https://gateway-api.sigs.k8s.io/reference/spec/#gatewaystatus */
import { isServed, type ListenerState } from "../../kinds/gateway/listeners.ts";
import type { Address, Condition, Gateway, ListenerStatus } from "../../kinds/gateway/types.ts";
import { isIp } from "../../kinds/validation/ip.ts";
import { withCondition } from "../conditions.ts";

/** Addresses that a status may have: in larger clusters these are some of those that serve. */
const MOST = 16;

export type Word = { status: boolean; reason: string; message: string };

/** Conditions as they were, with these. */
export function told(
  before: readonly Condition[] | undefined,
  words: Readonly<Record<string, Word>>,
  observedGeneration: number | undefined,
  now: number,
): Condition[] {
  let all = [...(before ?? [])];
  for (const [type, { status, reason, message }] of Object.entries(words))
    all = withCondition<Condition>(
      all,
      { type, status: status ? "True" : "False", reason, message, ...(observedGeneration && { observedGeneration }) },
      now,
    );
  return all;
}

export const yes = (reason: string, message = ""): Word => ({ status: true, reason, message });
export const no = (reason: string, message: string): Word => ({ status: false, reason, message });

export type Reach = {
  /** Where nodes serve it. */
  addresses: readonly string[];
  /** It is for the edge alone, which has no addresses. */
  isElsewhere: boolean;
};

export function gatewayStatus(
  gateway: Gateway,
  listeners: readonly ListenerState[],
  attached: ReadonlyMap<ListenerState, number>,
  reach: Reach,
  now: number,
): NonNullable<Gateway["status"]> {
  const { status: before, spec, metadata } = gateway;
  const { addresses, problem, unsupported } = addressesOf(spec?.addresses, reach);
  const invalid = listeners.filter(({ refused, conflict }) => refused ?? conflict);
  const served = listeners.filter(isServed);
  const isReached = addresses.length > 0 || reach.isElsewhere;
  const accepted = unsupported ?? acceptance(listeners.length, invalid);
  const words = {
    Accepted: accepted,
    Programmed: !accepted.status
      ? no("Invalid", accepted.message)
      : (problem ??
        (served.length === 0
          ? no("Invalid", "no listener can be served")
          : isReached
            ? yes("Programmed")
            : no("AddressNotAssigned", "no node serves it yet"))),
  };
  return {
    ...(addresses.length > 0 && {
      addresses: addresses.map((value) => ({ type: isIp(value) ? "IPAddress" : "Hostname", value })),
    }),
    conditions: told(before?.conditions, words, metadata?.generation, now),
    listeners: listeners.map((state) => listenerStatus(gateway, state, attached.get(state) ?? 0, isReached, now)),
  };
}

function acceptance(count: number, invalid: readonly ListenerState[]): Word {
  const names = invalid.map(({ listener }) => listener.name).join(", ");
  if (invalid.length === 0) return yes("Accepted");
  const message = `listeners that are not valid: ${names}`;
  return invalid.length === count ? no("ListenersNotValid", message) : yes("ListenersNotValid", message);
}

/** Those that are asked for and there are, or all. */
function addressesOf(
  wanted: readonly Address[] | undefined,
  { addresses }: Reach,
): { addresses: string[]; problem?: Word; unsupported?: Word } {
  const all = [...addresses].sort();
  const asked = (wanted ?? []).filter(({ value }) => value);
  const strange = (wanted ?? []).find(({ type = "IPAddress" }) => type !== "IPAddress" && type !== "Hostname");
  if (strange)
    return { addresses: [], unsupported: no("UnsupportedAddress", `addresses of type ${strange.type} are not served`) };
  if (asked.length === 0) return { addresses: all.slice(0, MOST) };
  const found = asked.flatMap(({ value = "" }) => (all.includes(value) ? value : []));
  if (found.length === asked.length) return { addresses: found };
  const missing = asked.flatMap(({ value = "" }) => (all.includes(value) ? [] : value)).join(", ");
  return { addresses: found, problem: no("AddressNotUsable", `no node that serves has the address ${missing}`) };
}

function listenerStatus(
  { metadata, status }: Gateway,
  state: ListenerState,
  attachedRoutes: number,
  isReached: boolean,
  now: number,
): ListenerStatus {
  const { listener, kinds, refused, conflict, unresolved } = state;
  const before = status?.listeners?.find(({ name }) => name === listener.name);
  const problem = refused ?? conflict;
  const words = {
    Accepted: problem ? no(problem.reason, problem.message) : yes("Accepted"),
    Conflicted: conflict ? yes(conflict.reason, conflict.message) : no("NoConflicts", ""),
    ResolvedRefs: unresolved ? no(unresolved.reason, unresolved.message) : yes("ResolvedRefs"),
    Programmed: programmed(state, isReached),
  };
  return {
    name: listener.name,
    supportedKinds: kinds,
    attachedRoutes,
    conditions: told(before?.conditions, words, metadata?.generation, now),
  };
}

function programmed(state: ListenerState, isReached: boolean): Word {
  const problem = state.refused ?? state.conflict ?? state.unresolved;
  if (!isServed(state)) return no("Invalid", problem?.message ?? "it cannot be served");
  return isReached ? yes("Programmed") : no("Pending", "no node serves it yet");
}
