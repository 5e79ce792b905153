import type { AgentParts } from "../../../agent/core.ts";
import { configOf, type IngressObjects, type ProxyConfig } from "../../../agent/ingress/config.ts";
import { Counts } from "../../../agent/ingress/counts.ts";
import { Unreachable } from "../../../agent/ingress/exchange.ts";
import { Forwarder } from "../../../agent/ingress/forwarder.ts";
import { Refusal } from "../../../agent/ingress/target.ts";
import type { NodeTraffic } from "../../../worker/protocol/link.ts";
import type { ContainerFact } from "../contract.ts";
import { between } from "../world/random.ts";
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
  readonly #machine: Machine;
  #config = NOTHING;

  constructor(machine: Machine) {
    this.#machine = machine;
    const { effects } = machine.life;
    this.#forwarder = new Forwarder(effects, effects, (service) => this.wake(service));
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
  async serve(
    host: string,
    reach: (address: string) => ContainerFact | undefined,
    reached: (pod: ContainerFact) => Promise<void>,
  ): Promise<number> {
    const { life, random } = this.#machine;
    const arrival = { address: "198.18.0.1", isSecure: false, port: 80, listener: 80 };
    const asking = {
      method: "GET",
      headers: [["Host", host]] as [string, string][],
      gone: new AbortController().signal,
    };
    try {
      const { route } = this.#forwarder.routed({ ...asking, target: "/", version: "1.1", arrival });
      await this.#forwarder.overEndpoints(route, asking, async ({ address }) => {
        await life.effects.sleep(between(random, 1, 30));
        const pod = reach(address);
        if (!pod) throw new Unreachable("connect: no route to host");
        await reached(pod);
      });
      return 200;
    } catch (error) {
      if (error instanceof Refusal) return error.status;
      throw error;
    }
  }
}

/** An agent's side of it. */
export function modelIngress(machine: Machine, agent: Life): NonNullable<AgentParts["ingress"]> {
  return ({ wake }) => {
    const edge = new Counts(agent.effects.now);
    let objects: readonly unknown[] | undefined;
    const isSame = (all: readonly unknown[]) =>
      all.length === objects?.length && all.every((o, i) => o === objects?.[i]);
    return {
      sync(given: IngressObjects) {
        const { ingresses, classes, services, slices, gateways } = given;
        if (ingresses.length === 0 && !gateways && objects && !machine.proxy) return;
        const all = [...ingresses, ...classes, ...services.values(), ...slices, gateways];
        if (isSame(all)) return;
        objects = all;
        const config = configOf(given, {});
        if (!config && !machine.proxy) return;
        machine.proxy ??= new ModelProxy(machine);
        machine.proxy.wake = (key) => {
          const [namespace = "", name = ""] = key.split("/");
          agent.effects.after(between(machine.random, 0, 3), () => wake(namespace, name));
        };
        machine.proxy.configure(config);
      },
      stop: () => {},
      condition: () => undefined,
      async traffic() {
        await agent.effects.sleep(between(machine.random, 0, 5));
        if (!objects) return UNKNOWN;
        return machine.proxy?.traffic ?? edge.figures();
      },
    };
  };
}
