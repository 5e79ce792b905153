/** What a node costs: how soon given pods are ready, and what its agent and runtime take. */
import { effects } from "../../../agent/effects.ts";
import type { Goal, Group, Measure, Sizes } from "../measure.ts";
import { memoryByProgram, type NodeHost, processorSeconds } from "../node-host.ts";
import { totalPss } from "../processes.ts";
import { progress } from "../progress.ts";
import { startKubelet } from "../sides/kubelet.ts";
import { startSkerryAgent } from "../sides/skerry-node.ts";
import { startSwarmNode } from "../sides/swarm.ts";

const ready = (count: number): Measure<NodeHost> => ({
  name: `${count} pods, from bound to ready`,
  unit: "s",
  goal: { atMost: 1, of: "ratio" },
  async run(host) {
    const start = effects.now();
    await host.run(count);
    const seconds = (effects.now() - start) / 1000;
    await host.clear();
    return seconds;
  },
});

const memory = (count: number, idleMs: number): Measure<NodeHost> => ({
  name: `memory of the node's programs with ${count} pods`,
  unit: "MB",
  goal: { atMost: 1, of: "ratio" },
  async run(host) {
    await host.run(count);
    await effects.sleep(idleMs);
    const parts = memoryByProgram(host.processes());
    progress(parts.map(({ name, rss, pss }) => `${name} ${Math.round(pss)} MB (RSS ${Math.round(rss)})`).join(", "));
    await host.clear();
    return totalPss(parts);
  },
});

/** In hundredths of one core. */
const rest = (count: number, idleMs: number, goal: Goal): Measure<NodeHost> => ({
  name: `processor at rest with ${count} pods`,
  unit: "%",
  goal,
  async run(host) {
    await host.run(count);
    await effects.sleep(idleMs);
    const pids = host.processes();
    const before = processorSeconds(pids);
    await effects.sleep(3 * idleMs);
    const used = processorSeconds(pids) - before;
    await host.clear();
    return (used / ((3 * idleMs) / 1000)) * 100;
  },
});

export const node = ({ nodePods: [few, many, most], idleMs }: Sizes): Group<NodeHost> => ({
  name: "node",
  sides: { skerry: startSkerryAgent, kubernetes: startKubelet, swarm: startSwarmNode },
  measures: [
    ready(1),
    ready(many),
    ready(most),
    memory(few, idleMs),
    rest(most / 2, idleMs, { atMost: 1, of: "value" }),
  ],
});
