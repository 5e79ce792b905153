/** Scheduling and rollouts on model nodes: the control plane's part of a pod's start. */
import { effects } from "../../../agent/effects.ts";
import { sendChecked } from "../../../agent/local/http.ts";
import { client } from "../client.ts";
import type { ControlPlane } from "../control-plane.ts";
import type { Group, Measure, Sizes } from "../measure.ts";
import { withModelNodes } from "../model-nodes.ts";
import { progress } from "../progress.ts";
import { startKubernetes } from "../sides/kubernetes.ts";
import { startSkerry } from "../sides/skerry.ts";
import { probed } from "./probed.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const ROLLOUT_TIMEOUT_MS = 300_000;
const POLL_MS = 500;

const bind = (pods: number): Measure<ControlPlane> => ({
  name: `${pods} pods, created until bound`,
  unit: "pods/s",
  goal: { atLeast: 1.5, of: "ratio" },
  run: async (plane) => (await client<{ perSecond: number }>(plane, "bind", "-n", String(pods))).perSecond,
});

const rollout = (replicas: number, idleMs: number): Measure<ControlPlane> => ({
  name: `request p99 during a rollout of ${replicas} pods, to the idle p99`,
  unit: "×",
  goal: { atMost: 3, of: "value" },
  async run(plane) {
    const idle = await probed(plane, () => effects.sleep(idleMs));
    const busy = await probed(plane, () => rollOut(plane, replicas));
    progress(`  p99 ${idle.p99.toFixed(1)} ms idle, ${busy.p99.toFixed(1)} ms busy (${busy.count} requests)`);
    return busy.p99 / idle.p99;
  },
});

/** Makes a Deployment and waits until all of its pods are Ready. */
async function rollOut({ endpoint }: ControlPlane, replicas: number): Promise<void> {
  await sendChecked(endpoint, "POST", DEPLOYMENTS, deployment(replicas));
  const start = effects.now();
  const end = start + ROLLOUT_TIMEOUT_MS;
  for (;;) {
    const { body } = await sendChecked(endpoint, "GET", `${DEPLOYMENTS}/rollout`);
    const { readyReplicas = 0 } = body.status as { readyReplicas?: number };
    if (readyReplicas === replicas) break;
    if (effects.now() > end) throw new Error(`${readyReplicas} of ${replicas} pods are Ready`);
    await effects.sleep(POLL_MS);
  }
  progress(`  ${replicas} pods Ready after ${((effects.now() - start) / 1000).toFixed(1)} s`);
}

const deployment = (replicas: number) => ({
  metadata: { name: "rollout" },
  spec: {
    replicas,
    selector: { matchLabels: { app: "rollout" } },
    template: {
      metadata: { labels: { app: "rollout" } },
      spec: { containers: [{ name: "c", image: "pause", resources: { requests: { cpu: "10m", memory: "16Mi" } } }] },
    },
  },
});

export const pods = ({ nodes, bound, rollout: replicas, idleMs }: Sizes): Group<ControlPlane> => ({
  name: "pods",
  sides: {
    skerry: async () => withModelNodes(await startSkerry({ controllers: true }), nodes),
    kubernetes: async () => withModelNodes(await startKubernetes({ controllers: true }), nodes),
  },
  measures: [bind(bound), rollout(replicas, idleMs)],
});
