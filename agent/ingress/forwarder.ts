/** Leads each request to an endpoint of the Service that an Ingress names, and its answer back. */
import { finished, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Backend, Endpoint, Protocol } from "../../worker/kinds/ingress/backends.ts";
import { isMisdirected, routeFor } from "../../worker/kinds/ingress/finding.ts";
import { outcomeOf } from "../../worker/kinds/ingress/outcome.ts";
import { isLed, type Led, type Routes, targetKey } from "../../worker/kinds/ingress/routes.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import { changed, changedPath } from "../../worker/lib/filters.ts";
import { loadsPage } from "../../worker/lib/waiting-page.ts";
import { Changes } from "../changes.ts";
import type { Timers } from "../effects.ts";
import { addressOf, Balancer } from "./balancer.ts";
import type { ProxyConfig } from "./config.ts";
import { type Count, Counts } from "./counts.ts";
import { type Answer, type Ask, type Client, type Dialer, type Outgoing, Unreachable } from "./exchange.ts";
import { H2Dialer } from "./h2-dialer.ts";
import { endToEnd, forwarded, type Pairs, trustedList, valuesOf } from "./headers.ts";
import { Holder, type Waiting } from "./holder.ts";
import { HttpDialer, reasonOf } from "./http-dialer.ts";
import { Mirrors } from "./mirrors.ts";
import { type Asked, askedOf, Refusal } from "./target.ts";

/** How often one request is sent, at most. */
const MAX_TRIES = 5;
/** How long a request that no endpoint takes waits for other endpoints, ms: the word of them may be on its way. */
const OTHERS_WITHIN_MS = 1_000;
/** How often it waits so for endpoints that have just started. */
const PATIENCE_WITH_NEW = 5;
/** RFC 9110, 9.2.2; what is no longer a promise once there is a body that can be read only once. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const NO_BODY = new Set([204, 304]);

/** A request that met a rule. */
export type Routed = { asked: Asked; route: Led };

type RoutingConfig = Pick<ProxyConfig, "routes" | "byPort" | "backends" | "trusted">;

const EMPTY: RoutingConfig = { routes: { rules: {}, defaults: {} }, backends: {}, trusted: [] };

/** A request, as it waits for an endpoint. */
type Asking = Pick<Client, "method" | "headers"> & Pick<Waiting, "gone">;
type Send = (endpoint: Endpoint, protocol: Protocol, count: Pick<Count, "answered">) => Promise<void>;

export class Forwarder {
  readonly balancer: Balancer;
  readonly counts: Counts;
  /** Where HTTPS is served. */
  securePort = 443;
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #holder: Holder;
  readonly #dialers: Readonly<Record<Protocol, Dialer>>;
  readonly #mirrors: Mirrors;
  #config = EMPTY;
  #trusted = trustedList([]);
  readonly #changes = new Changes();

  /** `wake` hears of Services, as `namespace/name`, that requests wait for. `dialers` are real ones, if nothing is said. */
  constructor(
    timers: Timers,
    { now, random }: Pick<Effects, "now" | "random">,
    wake: (service: string) => void = () => {},
    dialers: Readonly<Record<Protocol, Dialer>> = dialersWith(timers),
  ) {
    this.#timers = timers;
    this.#now = now;
    this.#random = random;
    this.#holder = new Holder(timers, now, wake);
    this.balancer = new Balancer(now);
    this.counts = new Counts(now);
    this.#dialers = dialers;
    this.#mirrors = new Mirrors({ dialers: this.#dialers, balancer: this.balancer, random, timers });
  }

  /** For requests from now on; those that are on their way end as they began. */
  configure(config: RoutingConfig): void {
    this.#config = config;
    this.#trusted = trustedList(config.trusted);
    const all = new Set(Object.values(config.backends).flatMap(({ endpoints }) => endpoints.map(addressOf)));
    for (const dialer of Object.values(this.#dialers)) dialer.retain(all);
    this.balancer.retain(all);
    this.#changes.happened();
  }

  async serve(client: Client): Promise<void> {
    try {
      const routed = this.routed(client);
      const { asked, route } = routed;
      if (route.redirects && !client.arrival.isSecure) return redirect(client, asked, this.securePort);
      await this.#forward(client, routed);
    } catch (error) {
      refuse(client, error);
    }
  }

  /** Throws the `Refusal` of what is malformed or meets no rule. */
  routed(client: Pick<Client, "method" | "target" | "headers" | "version" | "arrival">): Routed {
    const asked = askedOf(client.method, client.target, client.headers, client.version);
    const { method, headers, arrival } = client;
    const { host, path } = asked;
    const query = asked.url.slice(path.length);
    const header = (name: string) => valuesOf(headers, name).join(",") || undefined;
    const routes = this.#routes(arrival);
    const incoming = { host, path, method, query, header };
    const route = routeFor(routes, incoming, this.#random());
    if (arrival.serverName && isMisdirected(routes, route, host, arrival.serverName))
      throw new Refusal(421, "this connection is for the hosts of another listener");
    if (!route) throw new Refusal(404, "no rule is for this host and path");
    const outcome = outcomeOf(route, incoming, arrival);
    if ("answer" in outcome) throw new Refusal(outcome.answer.status, "", { headers: outcome.answer.headers });
    if (!isLed(outcome.route)) throw new Refusal(500, "the rule for this host and path leads to no service");
    return { asked, route: outcome.route };
  }

  #routes({ listener }: Client["arrival"]): Routes {
    return this.#config.byPort?.[listener] ?? this.#config.routes;
  }

  askOf(client: Pick<Client, "method" | "headers" | "body" | "arrival">, { asked, route }: Routed): Ask {
    const hasBody = client.body !== undefined;
    const { method } = client;
    const { request, rewrite } = route.filters ?? {};
    const host = rewrite?.host ?? asked.authority;
    const path = changedPath(asked.path, rewrite?.path, route.path);
    const headers = forwarded(client.headers, asked.authority, client.arrival, this.#trusted);
    return {
      method,
      url: path + asked.url.slice(asked.path.length),
      host,
      headers: changed(withHost(headers, host), request),
      hasBody,
      isRepeatable: !hasBody && IDEMPOTENT.has(method),
    };
  }

  /**
   * Has `send` try one endpoint after another until one takes the request: it says when the answer has begun, and throws
   * `Unreachable` where another may be asked. Throws the `Refusal` when none is left. While all that a request is for is scaled to zero, it waits.
   */
  async overEndpoints(route: Led, asking: Asking, send: Send): Promise<void> {
    const { namespace, service } = route.target;
    const { ingress, route: httpRoute } = route;
    const count = this.counts.begin({ service: `${namespace}/${service}`, ingress, route: httpRoute });
    try {
      await this.#tryAll(route, asking, count, send);
    } catch (error) {
      // Whoever has gone has not been failed.
      if (!asking.gone.aborted) count.answered(error instanceof Refusal ? error.status : 500);
      throw error;
    } finally {
      count.end();
    }
  }

  async #tryAll(route: Led, { method, headers, gone }: Asking, count: Count, send: Send): Promise<void> {
    const tried = new Set<string>();
    const { namespace, service } = route.target;
    const isPage = loadsPage(method, (name) => valuesOf(headers, name)[0]);
    const waiting = { since: this.#now(), isPage, gone };
    let reason = "";
    let patience = this.#backend(route).wakes ? PATIENCE_WITH_NEW : 1;
    for (let tries = 0; tries < MAX_TRIES; ) {
      const { endpoints, protocol, wakes } = this.#backend(route);
      if (wakes && endpoints.length === 0) {
        await this.#holder.hold(`${namespace}/${service}`, waiting, this.#changes);
        if (gone.aborted) return;
        continue;
      }
      const endpoint = this.balancer.choose(endpoints, tried);
      if (endpoint === "busy") throw new Refusal(503, "too many requests wait for the service");
      if (!endpoint) {
        if (tried.size === 0) throw new Refusal(503, "no endpoint of the service is ready");
        if (patience-- === 0) break;
        await this.#others();
        if (wakes) tried.clear();
        continue;
      }
      tried.add(addressOf(endpoint));
      tries++;
      const over = this.balancer.begin(endpoint);
      count.to(endpoint.address);
      try {
        return await send(endpoint, protocol, count);
      } catch (error) {
        // Whoever has gone has broken it off.
        if (!(error instanceof Unreachable) || gone.aborted) throw error;
        this.balancer.avoid(endpoint);
        reason = error.message;
      } finally {
        over();
      }
    }
    throw new Refusal(502, `no endpoint of the service answers: ${reason}`);
  }

  #backend({ target, listener }: Led): Backend {
    const backend = this.#config.backends[targetKey(target)];
    if (!backend) throw new Refusal(listener ? 500 : 503, "the service of this rule, or its port, does not exist");
    return backend;
  }

  #others(): Promise<void> {
    return this.#changes.within(OTHERS_WITHIN_MS, this.#timers);
  }

  async #forward(client: Client, routed: Routed): Promise<void> {
    const { route } = routed;
    const ask = this.askOf(client, routed);
    const mirror = this.#mirrors.begin(route, ask, this.#config.backends);
    const gone = new AbortController();
    client.onClose(() => gone.abort());
    const asking = { method: client.method, headers: client.headers, gone: gone.signal };
    await this.overEndpoints(route, asking, async (endpoint, protocol, count) => {
      if (gone.signal.aborted) return;
      const outgoing = await this.#dialers[protocol].dial(endpoint, ask);
      gone.signal.addEventListener("abort", () => outgoing.destroy());
      if (gone.signal.aborted) return outgoing.destroy();
      const answer = await this.#answer(client, ask, outgoing, route.timeoutMs, mirror);
      count.answered(answer.status);
      const headers = changed(endToEnd(answer.headers), route.filters?.response);
      await passOn(client, ask, { ...answer, headers }, outgoing);
    });
  }

  /** The answer to a request that is being sent, its body among it. */
  async #answer(
    client: Client,
    ask: Ask,
    outgoing: Outgoing,
    timeoutMs: number,
    mirror: (body: Readable) => void,
  ): Promise<Answer> {
    const timedOut = Promise.withResolvers<never>();
    timedOut.promise.catch(() => {});
    let cancel = () => {};
    const wait = () => {
      if (timeoutMs > 0)
        cancel = this.#timers.after(timeoutMs, () =>
          timedOut.reject(new Refusal(504, `the service did not answer within ${timeoutMs / 1000} s`)),
        );
    };
    if (client.body) {
      client.body.pipe(outgoing.body);
      mirror(client.body);
      outgoing.body.once("finish", wait);
    } else wait();
    try {
      return await Promise.race([outgoing.answer, timedOut.promise]);
    } catch (error) {
      client.body?.unpipe(outgoing.body);
      client.body?.resume();
      outgoing.destroy();
      if (error instanceof Refusal) throw error;
      const reason = reasonOf(error as Error);
      if (ask.isRepeatable) throw new Unreachable(reason);
      throw new Refusal(502, `the service broke off: ${reason}`);
    } finally {
      outgoing.body.off("finish", wait);
      cancel();
    }
  }
}

const dialersWith = (timers: Timers): Record<Protocol, Dialer> => ({
  http: new HttpDialer(false, timers),
  https: new HttpDialer(true, timers),
  h2c: new H2Dialer(timers),
});

/** HTTP/2 may bring a cookie in pieces. */
function withHost(headers: Pairs, authority: string): Pairs {
  const cookies = valuesOf(headers, "cookie");
  const others = headers.filter(([name]) => !["host", "cookie"].includes(name.toLowerCase()));
  return [
    ["Host", authority],
    ...others,
    ...(cookies.length ? [["Cookie", cookies.join("; ")] as [string, string]] : []),
  ];
}

/** Resolves when the client has the whole answer, or has gone. */
async function passOn(client: Client, ask: Ask, answer: Answer, outgoing: Outgoing): Promise<void> {
  const isEmpty = ask.method === "HEAD" || NO_BODY.has(answer.status) || answer.body === undefined;
  client.head(answer.status, answer.reason, answer.headers, isEmpty);
  try {
    if (isEmpty || !answer.body) answer.body?.resume();
    else await pipeline(answer.body, client.out, { end: false });
    client.end(isEmpty ? [] : answer.trailers());
    // What is left of a request whose answer did not wait for it is read, so that the connection can go on.
    if (client.body && !client.body.readableEnded) client.body.unpipe(outgoing.body).resume();
    await new Promise<void>((resolve) => finished(client.out, { readable: false }, () => resolve()));
  } catch {
    client.abort();
    outgoing.destroy();
  }
}

function redirect(client: Client, { authority, url }: Asked, httpsPort: number): void {
  const host = authority.replace(/:\d*$/, "");
  const port = httpsPort === 443 ? "" : `:${httpsPort}`;
  client.head(
    308,
    "",
    [
      ["Location", `https://${host}${port}${url}`],
      ["Content-Length", "0"],
    ],
    true,
  );
  client.body?.resume();
  client.end([]);
}

/** Says why there is no other answer. */
export function refuse(client: Client, error: unknown): void {
  const { status, message, extras } = error instanceof Refusal ? error : new Refusal(500, "the proxy failed");
  const text = extras.page ?? (extras.headers ? "" : `${message}\n`);
  const isEmpty = client.method === "HEAD" || text === "";
  try {
    client.head(
      status,
      "",
      [
        ["Content-Type", `text/${extras.page ? "html" : "plain"}; charset=utf-8`],
        ...(extras.headers ?? []),
        ...(extras.retryAfter ? [["Retry-After", String(extras.retryAfter)] as [string, string]] : []),
        ...(extras.page ? [["Cache-Control", "no-store"] as [string, string]] : []),
        ["X-Content-Type-Options", "nosniff"],
        ["Content-Length", String(Buffer.byteLength(text))],
      ],
      isEmpty,
    );
    client.body?.resume();
    if (!isEmpty) client.out.write(text);
    client.end([]);
  } catch {
    client.abort();
  }
}
