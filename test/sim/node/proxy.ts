import { Readable, Writable } from "node:stream";
import type { AgentParts } from "../../../agent/core.ts";
import { configOf, type IngressObjects, type ProxyConfig } from "../../../agent/ingress/config.ts";
import type { Counts } from "../../../agent/ingress/counts.ts";
import type { Dialer } from "../../../agent/ingress/exchange.ts";
import { Forwarder } from "../../../agent/ingress/forwarder.ts";
import type { NodeTraffic } from "../../../worker/protocol/link.ts";
import { addTraffic } from "../../../worker/protocol/traffic.ts";
import type { Visit, Visitor } from "../contract.ts";
import { between } from "../world/random.ts";
import { VISIT_HEADER } from "./dialer.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

const NOTHING: ProxyConfig = {
  ports: {},
  routes: { rules: {}, defaults: {} },
  backends: {},
  certificates: [],
  trusted: [],
};
const UNKNOWN: NodeTraffic = { countedMs: 0, isPartial: true, services: {}, ingresses: {}, pods: {} };

/** The node's ingress proxy: real forwarding over modelled connections. It outlives agents, and ends with the power. */
export class ModelProxy {
  /** The agent that lives hears of who waits. */
  wake: (service: string) => void = () => {};
  readonly #forwarder: Forwarder;
  #config = NOTHING;

  constructor({ life: { effects } }: Machine, dialer: Dialer) {
    const dialers = { http: dialer, https: dialer, h2c: dialer };
    this.#forwarder = new Forwarder(effects, effects, (service) => this.wake(service), dialers);
  }

  get traffic(): NodeTraffic {
    return this.#forwarder.counts.figures();
  }

  get backends(): ReadonlyMap<string, readonly string[]> {
    const all = Object.entries(this.#config.backends);
    return new Map(
      all.map(([target, { endpoints }]) => [
        target.replace(/:[^:]*$/, ""),
        endpoints.map(({ address, port }) => `${address}:${port}`),
      ]),
    );
  }

  configure(config = NOTHING): void {
    this.#config = config;
    this.#forwarder.configure(config);
  }

  /** The status of the answer. */
  serve(visit: Visit & Visitor): Promise<number> {
    const { method, host, hasBody } = visit;
    const { promise, resolve } = Promise.withResolvers<number>();
    const out = new Writable({ write: (_chunk, _encoding, done) => done() });
    const body = hasBody ? Readable.from([Buffer.from("words")]) : undefined;
    void this.#forwarder.serve({
      method,
      headers: [
        ["Host", host],
        ...(hasBody ? [["Content-Length", "5"] as [string, string]] : []),
        [VISIT_HEADER, JSON.stringify(visit)],
      ],
      target: "/",
      version: "1.1",
      arrival: { address: "198.18.0.1", isSecure: false, port: 80, listener: 80 },
      body,
      head: (status) => resolve(status),
      out,
      end: () => void out.end(),
      abort: () => resolve(0),
      onClose: (leave) => void out.once("close", leave),
    });
    return promise;
  }
}

/** An agent's side of it. */
export function modelIngress(
  machine: Machine,
  agent: Life,
  { dialer, edge, onSync }: { dialer: Dialer; edge: Counts; onSync(): void },
): NonNullable<AgentParts["ingress"]> {
  return ({ wake }) => {
    let objects: readonly unknown[] | undefined;
    const isSame = (all: readonly unknown[]) =>
      all.length === objects?.length && all.every((o, i) => o === objects?.[i]);
    return {
      sync(given: IngressObjects) {
        onSync();
        const { ingresses, classes, services, slices, gateways } = given;
        if (ingresses.length === 0 && !gateways && objects && !machine.proxy) return;
        const all = [...ingresses, ...classes, ...services.values(), ...slices, gateways];
        if (isSame(all)) return;
        objects = all;
        const config = configOf(given, {});
        if (!config && !machine.proxy) return;
        machine.proxy ??= new ModelProxy(machine, dialer);
        machine.proxy.wake = (key) => {
          const [namespace = "", name = ""] = key.split("/");
          agent.effects.after(between(machine.random, 0, 3), () => wake(namespace, name));
        };
        machine.proxy.configure(config);
      },
      stop: () => {},
      condition: () => undefined,
      taken: async () => [],
      async traffic() {
        await agent.effects.sleep(between(machine.random, 0, 5));
        if (!objects) return UNKNOWN;
        return machine.proxy ? addTraffic(edge.figures(), machine.proxy.traffic) : edge.figures();
      },
    };
  };
}
