import type { AgentParts } from "../../../agent/core.ts";
import { between } from "../world/random.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

/** The node's network, of which only the giving out of addresses is modelled: nobody connects to Services' own. */
export function modelNetwork(machine: Machine, agent: Life): AgentParts["network"] {
  const { effects } = agent;
  const began = effects.now();
  return {
    async start({ podCIDR }) {
      await effects.sleep(between(machine.random, 50, 500));
      if (machine.troubled && machine.random() < 0.1) throw new Error("nft: resource busy");
      machine.addressesFrom(podCIDR);
    },
    stop: async () => {},
    sync({ policies }) {
      machine.policies = policies;
    },
    renew: () => {},
    connections: async () => ({ countedMs: effects.now() - began, services: {} }),
    dns: () => ({ servers: [], searches: [], options: [] }),
    async open(sandbox, pod) {
      await effects.sleep(between(machine.random, 2, 20));
      if (machine.troubled && machine.random() < 0.03) throw new Error("RTNETLINK answers: Device or resource busy");
      const address = machine.openNetwork(sandbox, pod);
      if (machine.troubled && machine.random() < 0.03) throw new Error("ip ended with 137");
      return address;
    },
    async close(sandbox) {
      await effects.sleep(between(machine.random, 2, 20));
      if (machine.troubled && machine.random() < 0.03) throw new Error("Cannot remove namespace file");
      machine.closeNetwork(sandbox);
    },
    addressOf: (sandbox) => machine.networks.get(sandbox),
    allOf: (address) => [address],
    pathOf: (sandbox) => `/run/netns/${sandbox}`,
    opened: () => [...machine.networks.keys()],
  };
}
