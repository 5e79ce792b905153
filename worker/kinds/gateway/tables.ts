/** All gateways of ours as tables of rules, one a port: what nodes are told of them, and what the edge serves. */

import { SCOPE_ANNOTATION, type Scope } from "../ingress/class.ts";
import { inOrder } from "../ingress/order.ts";
import { type CertificateUse, own, type Routes, type Rule } from "../ingress/routes.ts";
import { type Gateways, parentsOf, served } from "./attachments.ts";
import { type HasCertificate, isServed, listenersOf } from "./listeners.ts";
import { setApart } from "./owners.ts";
import { rulesOf } from "./rules.ts";
import { byAge, type List, Sources } from "./sources.ts";
import { CONTROLLER, type Gateway, type GatewayClass } from "./types.ts";

export type GatewayTables = {
  /** By the port as listeners call it. */
  ports: Record<number, { isSecure: boolean; routes: Routes }>;
  certificates: CertificateUse[];
};

export const isOwn = ({ spec }: GatewayClass): boolean => spec?.controllerName === CONTROLLER;

/** Gateways of ours, the oldest first. With a scope those that are served there. */
export function gatewaysOf(sources: Sources, hasCertificate: HasCertificate, scope?: Scope): Gateways {
  const classes = new Map(sources.classes.filter(isOwn).map((found) => [found.metadata?.name ?? "", found]));
  const ours = sources.gateways.toSorted(byAge).flatMap((gateway) => {
    const found = classes.get(gateway.spec?.gatewayClassName ?? "");
    if (!found) return [];
    const scopes = SCOPES.filter((one) => isWithin(gateway, found, one));
    return [{ gateway, scopes, listeners: listenersOf(gateway, sources, hasCertificate) }];
  });
  setApart(ours);
  const there = ours.filter(({ scopes }) => !scope || scopes.includes(scope));
  return new Map(
    there.map(({ gateway, listeners }) => [
      `${gateway.metadata?.namespace}/${gateway.metadata?.name}`,
      { gateway, listeners },
    ]),
  );
}

const SCOPES: readonly Scope[] = ["lan", "edge"];

export function isWithin(gateway: Gateway, ofClass: GatewayClass, scope: Scope): boolean {
  if (gateway.metadata?.deletionTimestamp) return false;
  const said = [gateway, ofClass].map(({ metadata }) => metadata?.annotations?.[SCOPE_ANNOTATION]);
  return said.every((word) => (word !== "lan" && word !== "edge") || word === scope);
}

/** Undefined where there is no gateway. Whether Secrets have certificates shows where they are used. */
export function tablesOf(list: List, scope: Scope): GatewayTables | undefined {
  const sources = new Sources(list);
  if (sources.gateways.length === 0) return undefined;
  const gateways = gatewaysOf(sources, () => true, scope);
  if (gateways.size === 0) return undefined;
  const tables: GatewayTables = { ports: {}, certificates: [] };
  for (const [key, { listeners }] of gateways) addListeners(tables, key, listeners);
  for (const route of sources.routes) {
    const attachments = served(parentsOf(route, gateways, sources));
    if (attachments.length === 0) continue;
    const rules = rulesOf(route, sources);
    for (const { gateway, state, hostnames } of attachments) {
      const { port, protocol } = state.listener;
      const table = tables.ports[port];
      // Of gateways that speak differently on one port the older one has it.
      if (!table || table.isSecure !== (protocol === "HTTPS")) continue;
      const listener = { gateway, host: hostKey(state.hostname) };
      for (const host of hostnames) addRules(table.routes, hostKey(host), rules, listener);
    }
  }
  for (const { routes } of Object.values(tables.ports))
    for (const rules of Object.values(routes.rules)) rules.sort(inOrder);
  return tables;
}

function addListeners(tables: GatewayTables, key: string, states: ReturnType<typeof listenersOf>): void {
  for (const state of states) {
    if (!isServed(state)) continue;
    const { port, protocol } = state.listener;
    const isSecure = protocol === "HTTPS";
    const table = tables.ports[port] ?? { isSecure, routes: { rules: {}, defaults: {}, listeners: {} } };
    tables.ports[port] = table;
    if (table.isSecure !== isSecure) continue;
    const listeners = table.routes.listeners ?? {};
    listeners[key] = [...(own(listeners, key) ?? []), hostKey(state.hostname)];
    for (const certificate of state.certificates) {
      const [namespace = "", secret = ""] = certificate.split("/");
      tables.certificates.push({ namespace, secret, hosts: state.hostname ? [state.hostname] : [] });
    }
  }
}

/** `*.x` stands here for one label or more before `.x`. */
const hostKey = (hostname: string): string => (hostname.startsWith("*.") ? hostname.slice(1) : hostname);

function addRules(table: Routes, host: string, rules: readonly Rule[], listener: Rule["listener"]): void {
  const known = own(table.rules, host) ?? [];
  table.rules[host] = known;
  for (const rule of rules) known.push({ ...rule, ...(listener && { listener }) });
}
