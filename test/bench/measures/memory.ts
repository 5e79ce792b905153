/** What a whole control plane takes: the proportional set size of all of its processes. */
import { effects } from "../../../agent/effects.ts";
import { client } from "../client.ts";
import type { ControlPlane } from "../control-plane.ts";
import type { Group, Measure, Sizes } from "../measure.ts";
import { totalPss } from "../processes.ts";
import { progress } from "../progress.ts";
import { startKubernetes } from "../sides/kubernetes.ts";
import { startSkerry } from "../sides/skerry.ts";

const memory = (name: string, prepare: (plane: ControlPlane) => Promise<unknown>): Measure<ControlPlane> => ({
  name,
  unit: "MB",
  goal: { atMost: 0.25, of: "ratio" },
  async run(plane) {
    await prepare(plane);
    const parts = plane.memory();
    progress(parts.map((part) => `${part.name} ${Math.round(part.pss)} MB`).join(", "));
    return totalPss(parts);
  },
});

export const memories = ({ stored, idleMs }: Sizes): Group<ControlPlane> => ({
  name: "memory",
  sides: {
    skerry: () => startSkerry({ controllers: true }),
    kubernetes: () => startKubernetes({ controllers: true }),
  },
  measures: [
    memory("memory, idle", () => effects.sleep(idleMs)),
    memory(`memory after ${stored} objects`, async (plane) => {
      await client(plane, "fill", "-n", String(stored));
      await effects.sleep(idleMs);
    }),
  ],
});
