/** Real containers on this machine: how soon a Deployment's run, and how soon a killed one is there again. */
import { effects } from "../../../agent/effects.ts";
import { type ContainerHost, replacement } from "../container-host.ts";
import type { Group, Measure, Sizes } from "../measure.ts";
import { startSkerryNode } from "../sides/skerry-node.ts";
import { startSwarm } from "../sides/swarm.ts";

const GOAL = { atMost: 0.7, of: "ratio" } as const;

const scale = (from: number, to: number): Measure<ContainerHost> => ({
  name: `Deployment from ${from} to ${to} pods, until all run`,
  unit: "s",
  goal: GOAL,
  async run(host) {
    const start = effects.now();
    await host.scale(to);
    return (effects.now() - start) / 1000;
  },
});

const replace: Measure<ContainerHost> = {
  name: "replacement of a killed container",
  unit: "s",
  goal: GOAL,
  run: replacement,
};

export const containers = ({ replicas }: Sizes): Group<ContainerHost> => ({
  name: "containers",
  sides: { skerry: startSkerryNode, swarm: startSwarm },
  measures: [...replicas.map((to, i) => scale(replicas[i - 1] ?? 0, to)), replace],
});
