/** Where the edge leads requests for apps that Ingresses name: the Cluster object's part of it. */
import { bearerToken } from "./api/auth/authenticate.ts";
import { ADMINISTRATORS } from "./api/auth/authorize.ts";
import { nodeOf } from "./api/auth/node-authorizer.ts";
import type { User } from "./api/request.ts";
import type { StoreView } from "./api/view.ts";
import { Pod } from "./kinds/core/pod.ts";
import { Service } from "./kinds/core/service.ts";
import { EndpointSlice } from "./kinds/discovery/endpoint-slice.ts";
import { slicesOf } from "./kinds/discovery/service-slices.ts";
import { backendOf, type Endpoint, isProblem, portOf } from "./kinds/ingress/backends.ts";
import { namesHost, type Route, type Routes, routeFor, routesOf, servedIngresses } from "./kinds/ingress/routes.ts";
import { Ingress } from "./kinds/networking/ingress.ts";
import { IngressClass } from "./kinds/networking/ingress-class.ts";
import type { EdgeAnswer, EdgeQuestion } from "./protocol/ingress.ts";
import type { StreamRequest } from "./protocol/link.ts";
import type { Store } from "./storage/store.ts";

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
};

const nobody = (status: number, message: string): EdgeAnswer => ({ to: "nobody", status, message });

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
  #routes: Routes | undefined;

  constructor(parts: EdgeIngressParts) {
    this.#parts = parts;
    const sources = new Set([Ingress.groupResource, IngressClass.groupResource]);
    parts.store.onChange((changes) => {
      if (changes.some(({ resource }) => sources.has(resource))) this.#routes = undefined;
    });
  }

  async answer(request: Request): Promise<EdgeAnswer> {
    const question = (await request.json()) as EdgeQuestion;
    const { host } = question;
    if (this.#apiHosts().includes(host)) return { to: "api", counts: "always" };
    const routes = this.#current();
    const isNamed = namesHost(routes, host);
    const who = await this.#ownUser(request);
    if (who) {
      // What an Ingress has already may be an app that the administrator logs in to; the API answers, and that is all.
      if (isNamed && nodeOf(who) === undefined) return { to: "api", counts: "once" };
      this.#learn(host);
      return { to: "api", counts: "always" };
    }
    if (!isNamed) return { to: "api", counts: "meanwhile" };
    const route = routeFor(routes, host, question.path);
    if (!route) return nobody(404, "no Ingress has a rule for this host and path");
    if (route.redirects && !question.isSecure) return { to: "https" };
    return this.#lead(route, question.tried);
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

  #current(): Routes {
    const { view } = this.#parts;
    this.#routes ??= routesOf(servedIngresses(view.list(Ingress), view.list(IngressClass), "edge"));
    return this.#routes;
  }

  #lead({ target, timeoutMs }: Route, tried: readonly string[]): EdgeAnswer {
    const { view, effects } = this.#parts;
    const { namespace, service } = target;
    const port = portOf(target, view.get(Service, namespace, service));
    if (isProblem(port)) return nobody(503, "the service of this Ingress, or its port, does not exist");
    const slices = slicesOf(view.list(EndpointSlice, namespace), service);
    const { endpoints, protocol } = backendOf(port, asPodsAre(view, slices));
    if (protocol === "h2c") return nobody(502, "the service speaks HTTP/2, which is not passed on at the edge");
    const untried = endpoints.filter(({ address, port: number }) => !tried.includes(`${address}:${number}`));
    const reachable = untried.flatMap((endpoint) => this.#through(endpoint));
    const chosen = reachable[Math.floor(effects.random() * reachable.length)];
    if (!chosen) return nobody(503, "no endpoint of the service is ready");
    const { node, address, port: number } = chosen;
    const scheme = protocol === "https" ? "https" : "http";
    const stream: StreamRequest = { id: effects.uid(), kind: "proxy", scheme, address, port: number };
    if (!this.#parts.stream(node, stream)) return nobody(503, "no endpoint of the service is ready");
    return { to: "app", grant: { node, stream }, timeoutMs };
  }

  /** The node by which an endpoint is reached: its own, or any where it runs on none. */
  #through(endpoint: Endpoint): (Endpoint & { node: string })[] {
    const { isConnected, nodes } = this.#parts;
    const node = endpoint.node ?? Iterator.from(nodes()).next().value;
    return node !== undefined && isConnected(node) ? [{ ...endpoint, node }] : [];
  }
}
