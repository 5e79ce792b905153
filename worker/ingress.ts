/** Where the edge leads requests for apps that Ingresses name: the Cluster object's part of it. */
import { bearerToken } from "./api/auth/authenticate.ts";
import { ADMINISTRATORS } from "./api/auth/authorize.ts";
import { nodeOf } from "./api/auth/node-authorizer.ts";
import type { User } from "./api/request.ts";
import type { StoreView } from "./api/view.ts";
import { sourcesIn } from "./controllers/gateway/gateway.ts";
import { Pod } from "./kinds/core/pod.ts";
import { Service } from "./kinds/core/service.ts";
import { EndpointSlice } from "./kinds/discovery/endpoint-slice.ts";
import { serviceKeyOf, slicesOf } from "./kinds/discovery/service-slices.ts";
import { NAMESPACES, SOURCES } from "./kinds/gateway/sources.ts";
import { type GatewayTables, tablesOf } from "./kinds/gateway/tables.ts";
import { backendOf, type Endpoint, isProblem, portOf } from "./kinds/ingress/backends.ts";
import { routeFor } from "./kinds/ingress/finding.ts";
import { isWoken } from "./kinds/ingress/idle.ts";
import type { Incoming } from "./kinds/ingress/matching.ts";
import { outcomeOf } from "./kinds/ingress/outcome.ts";
import { both, isLed, type Led, namesHost, type Routes, routesOf, servedIngresses } from "./kinds/ingress/routes.ts";
import { Ingress } from "./kinds/networking/ingress.ts";
import { IngressClass } from "./kinds/networking/ingress-class.ts";
import type { EdgeAnswer, EdgeQuestion } from "./protocol/ingress.ts";
import type { StreamRequest } from "./protocol/link.ts";
import type { Change, Store } from "./storage/store.ts";

/** Names by which nodes have come, or the administrator while no Ingress had them. */
const SETTING = "edge.api-hosts";
const MAX_API_HOSTS = 64;

export type EdgeIngressParts = {
  store: Store;
  view: StoreView;
  effects: { random(): number; uid(): string };
  authenticate(request: Request): Promise<User>;
  isConnected(node: string): boolean;
  nodes(): Iterable<string>;
  /** Asks the node's agent to dial its Relay; false when the node is not connected. */
  stream(node: string, request: StreamRequest): boolean;
  /** Runs `body` in so many ms. */
  defer(body: () => void, ms: number): void;
  /** Has a Service scaled up that is scaled to zero. */
  wake(namespace: string, service: string): void;
  report(error: unknown): void;
};

/** Requests that wait for one Service. */
const MAX_HELD = 100;
/** How long one waits, and a browser that loads a page, ms; and how long within one question. */
const HELD_MS = 60_000;
const PAGE_AFTER_MS = 5_000;
const ASKED_AGAIN_MS = 5_000;
/** What clients are told to wait before they come again, s. */
const AGAIN_S = 10;

function incomingOf({ host, path, method = "GET", query = "", headers = [] }: EdgeQuestion): Incoming {
  const header = (name: string) => headers.find(([known]) => known === name)?.[1];
  return { host, path, method, query, header };
}

const isGrpc = ({ headers = [] }: EdgeQuestion): boolean =>
  headers.some(
    ([name, value]) => name === "content-type" && value.startsWith("application/grpc") && !value.includes("web"),
  );

const nobody = (status: number, message: string): EdgeAnswer => ({ to: "nobody", status, message });
const late = (message: string): EdgeAnswer => ({ to: "nobody", status: 503, message, retryAfter: AGAIN_S });
const STARTING: EdgeAnswer = { ...(late("the service starts") as Extract<EdgeAnswer, { to: "nobody" }>), page: true };

/** What EndpointSlices say comes a moment after what becomes of pods. */
function asPodsAre(view: StoreView, slices: readonly Readonly<EndpointSlice>[]): EndpointSlice[] {
  return slices.map((slice) => ({
    ...slice,
    endpoints: (slice.endpoints ?? []).flatMap((endpoint) => {
      const { kind, namespace = "", name = "", uid } = endpoint.targetRef ?? {};
      if (kind !== "Pod") return [endpoint];
      const pod = view.get(Pod, namespace, name);
      if (!pod || pod.metadata.uid !== uid) return [];
      if (!pod.metadata.deletionTimestamp) return [endpoint];
      return [{ ...endpoint, conditions: { ...endpoint.conditions, ready: false, terminating: true } }];
    }),
  }));
}

export class EdgeIngress {
  readonly #parts: EdgeIngressParts;
  #tables: { plain: Routes; secure: Routes } | undefined;
  /** The last of gateways that could be made: one object that nobody can read takes no host from the others. */
  #ports: GatewayTables["ports"] = {};
  /** The requests that wait for each Service, `namespace/name`, until its EndpointSlices change. */
  readonly #held = new Map<string, { count: number; changed: PromiseWithResolvers<void> }>();

  constructor(parts: EdgeIngressParts) {
    this.#parts = parts;
    const sources = new Set([Ingress.groupResource, IngressClass.groupResource, ...SOURCES, NAMESPACES]);
    parts.store.onChange((changes) => {
      if (this.#held.size > 0) for (const change of changes) this.#release(change);
      if (changes.some(({ resource }) => sources.has(resource))) this.#tables = undefined;
    });
  }

  async answer(request: Request): Promise<EdgeAnswer> {
    const question = (await request.json()) as EdgeQuestion;
    const { host } = question;
    if (this.#apiHosts().includes(host)) return { to: "api", counts: "always" };
    this.#tables ??= this.#current();
    const { plain, secure } = this.#tables;
    const isNamed = namesHost(plain, host) || namesHost(secure, host);
    const who = await this.#ownUser(request);
    if (who) {
      // What an Ingress has already may be an app that the administrator logs in to; the API answers, and that is all.
      if (isNamed && nodeOf(who) === undefined) return { to: "api", counts: "once" };
      this.#learn(host);
      return { to: "api", counts: "always" };
    }
    if (!isNamed) return { to: "api", counts: "meanwhile" };
    const incoming = incomingOf(question);
    // Listeners of 80 are for what comes without TLS, and for hosts that none of 443 has: TLS is the edge's own affair.
    const routes = question.isSecure && namesHost(secure, host) ? secure : plain;
    const route = namesHost(routes, host) && routeFor(routes, incoming, this.#parts.effects.random());
    if (!route) return nobody(404, "no rule is for this host and path");
    if (route.redirects && !question.isSecure) return { to: "https" };
    const { isSecure } = question;
    const outcome = outcomeOf(route, incoming, { isSecure, port: isSecure ? 443 : 80 });
    if ("answer" in outcome) return { to: "elsewhere", ...outcome.answer };
    if (isGrpc(question)) return nobody(502, "gRPC is not passed on at the edge: its trailers could not be");
    if (!isLed(outcome.route)) return nobody(500, "the rule for this host and path leads to no service");
    const answer = this.#lead(outcome.route, question.tried);
    return answer ?? this.#hold(outcome.route, question);
  }

  /** How many requests wait for each Service, `namespace/name`. */
  get held(): ReadonlyMap<string, number> {
    return new Map([...this.#held].map(([key, { count }]) => [key, count]));
  }

  /** Those that wait for the Service of an EndpointSlice ask again. */
  #release({ resource, type, json }: Change): void {
    if (resource !== EndpointSlice.groupResource || type === "DELETED") return;
    const held = this.#held.get(serviceKeyOf(JSON.parse(json) as EndpointSlice));
    if (!held) return;
    held.changed.resolve();
    held.changed = Promise.withResolvers();
  }

  /** Until another answer may be had, or this one has waited long enough. */
  async #hold({ target: { namespace, service } }: Led, { waitedMs, isPage }: EdgeQuestion): Promise<EdgeAnswer> {
    const patience = isPage ? PAGE_AFTER_MS : HELD_MS;
    if (waitedMs >= patience) return isPage ? STARTING : late(`the service did not start within ${HELD_MS / 1000} s`);
    const key = `${namespace}/${service}`;
    const held = this.#held.get(key) ?? { count: 0, changed: Promise.withResolvers<void>() };
    if (held.count >= MAX_HELD) return late("too many requests wait for the service to start");
    held.count++;
    this.#held.set(key, held);
    this.#parts.wake(namespace, service);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#parts.defer(resolve, Math.min(patience - waitedMs, ASKED_AGAIN_MS));
    await Promise.race([held.changed.promise, promise]);
    held.count--;
    if (held.count === 0) this.#held.delete(key);
    return { to: "wait" };
  }

  /** A node or the administrator, whose credentials are never for an app. */
  async #ownUser(request: Request): Promise<User | undefined> {
    if (!bearerToken(request.headers)) return undefined;
    const user = await this.#parts.authenticate(request).catch(() => undefined);
    return user && (user.groups.includes(ADMINISTRATORS) || nodeOf(user) !== undefined) ? user : undefined;
  }

  #apiHosts(): string[] {
    return JSON.parse(this.#parts.store.getSetting(SETTING) ?? "[]") as string[];
  }

  #learn(host: string): void {
    const { store } = this.#parts;
    const known = this.#apiHosts();
    if (known.length >= MAX_API_HOSTS) return;
    store.write(() => store.setSetting(SETTING, JSON.stringify([...known, host])));
  }

  #current(): { plain: Routes; secure: Routes } {
    const { view } = this.#parts;
    const routes = routesOf(servedIngresses(view.list(Ingress), view.list(IngressClass), "edge"));
    try {
      this.#ports = tablesOf(sourcesIn(view), "edge")?.ports ?? {};
    } catch (error) {
      this.#parts.report(error);
    }
    const ports = this.#ports;
    const withPort = (port: number) => (ports[port] ? both(routes, ports[port].routes) : routes);
    return { plain: withPort(80), secure: withPort(443) };
  }

  /** Undefined where it is to wait. */
  #lead(
    { target, timeoutMs, ingress, route, filters, path, listener }: Led,
    tried: readonly string[],
  ): EdgeAnswer | undefined {
    const { view, effects } = this.#parts;
    const { namespace, service } = target;
    const found = view.get(Service, namespace, service);
    const port = portOf(target, found);
    if (isProblem(port)) return nobody(listener ? 500 : 503, "the service of this rule, or its port, does not exist");
    const slices = slicesOf(view.list(EndpointSlice, namespace), service);
    const backend = backendOf(port, asPodsAre(view, slices));
    const { endpoints } = backend;
    const protocol = target.speaks ?? backend.protocol;
    const untried = endpoints.filter(({ address, port: number }) => !tried.includes(`${address}:${number}`));
    const reachable = untried.flatMap((endpoint) => this.#through(endpoint));
    const chosen = reachable[Math.floor(effects.random() * reachable.length)];
    if (!chosen && found && isWoken(found)) return undefined;
    if (!chosen) return nobody(503, "no endpoint of the service is ready");
    const { node, address, port: number } = chosen;
    const counts = { service: `${namespace}/${service}`, ...(ingress && { ingress }), ...(route && { route }) };
    const stream: StreamRequest = { id: effects.uid(), kind: "proxy", scheme: protocol, address, port: number, counts };
    if (!this.#parts.stream(node, stream)) return nobody(503, "no endpoint of the service is ready");
    return { to: "app", grant: { node, stream }, timeoutMs, ...(filters && { filters, prefix: path }) };
  }

  /** The node by which an endpoint is reached: its own, or any where it runs on none. */
  #through(endpoint: Endpoint): (Endpoint & { node: string })[] {
    const { isConnected, nodes } = this.#parts;
    const node = endpoint.node ?? Iterator.from(nodes()).next().value;
    return node !== undefined && isConnected(node) ? [{ ...endpoint, node }] : [];
  }
}
