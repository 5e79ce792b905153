/**
 * All gateways stand at the same addresses, so on one port a hostname is for the routes of one namespace's gateways: of
 * the oldest one that names it. Else whoever may make a gateway could take requests from a host that is another's.
 */
import type { Scope } from "../ingress/class.ts";
import type { ListenerState } from "./listeners.ts";
import type { Gateway } from "./types.ts";

/** A gateway, and where it is served. */
export type Served = { gateway: Gateway; scopes: readonly Scope[]; listeners: readonly ListenerState[] };

/** Tells listeners that they have a hostname of another namespace; the oldest gateways are the first. */
export function setApart(gateways: readonly Served[]): void {
  const owners = new Map<string, string>();
  for (const { gateway, scopes, listeners } of gateways) {
    const namespace = gateway.metadata?.namespace ?? "";
    for (const state of listeners) {
      const { listener, hostname, refused, conflict } = state;
      if (refused || conflict || hostname === "") continue;
      const places = scopes.map((scope) => `${scope} ${listener.port} ${hostname}`);
      const isOwn = places.every((place) => (owners.get(place) ?? namespace) === namespace);
      if (isOwn) for (const place of places) owners.set(place, namespace);
      else state.conflict = { reason: "HostnameConflict", message: messageOf(state) };
    }
  }
}

const messageOf = ({ listener, hostname }: ListenerState) =>
  `an older gateway of another namespace has the hostname ${hostname} on port ${listener.port}`;
