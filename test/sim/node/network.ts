import type { AgentParts } from "../../../agent/core.ts";
import { between } from "../world/random.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

/** The node's network, of which only the giving out of addresses is modelled. */
export function modelNetwork(machine: Machine, agent: Life): AgentParts["network"] {
  const { effects } = agent;
  return {
    networkName: "model",
    async start({ podCIDR }) {
      await effects.sleep(between(machine.random, 50, 500));
      if (machine.troubled && machine.random() < 0.1) throw new Error("nft: resource busy");
      machine.addressesFrom(podCIDR);
    },
    stop: async () => {},
    sync: () => {},
    renew: () => {},
    dns: () => ({ servers: [], searches: [], options: [] }),
    async releaseLeases(exists) {
      await effects.sleep(between(machine.random, 1, 10));
      for (const [address, container] of machine.leases) if (!exists(container)) machine.leases.delete(address);
    },
  };
}
