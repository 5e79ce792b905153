/** Runs that failed once, and what they showed; every one stays a test. With a script, only what it names happens. */
import type { Script } from "./workload/script.ts";

export type NamedSeed = { name: string; seed: number; hours: number; script?: Script };

export const SEEDS: readonly NamedSeed[] = [
  {
    name: "a node that comes back while storage takes no writes is ready once it does",
    seed: 9,
    hours: 0.55,
    script: {
      nodes: 1,
      heals: 480_000,
      steps: [
        { at: 100_000, do: "power-off", node: 0, ms: 90_000 },
        { at: 185_000, do: "writes-fail", ms: 60_000 },
      ],
    },
  },
  {
    name: "a pod that its Job left behind can be deleted",
    seed: 1018,
    hours: 0.55,
    script: {
      nodes: 1,
      heals: 480_000,
      steps: [
        {
          at: 60_000,
          do: "ask",
          client: 0,
          sent: {
            method: "POST",
            path: "/apis/batch/v1/namespaces/team-b/jobs",
            body: {
              metadata: { name: "job-0" },
              spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "app:1" }] } } },
            },
          },
        },
        {
          at: 90_000,
          do: "ask",
          client: 0,
          sent: {
            method: "DELETE",
            path: "/apis/batch/v1/namespaces/team-b/jobs/job-0",
            body: { propagationPolicy: "Orphan" },
          },
        },
        { at: 120_000, do: "kill", client: 0, namespace: "team-b", nth: 0 },
      ],
    },
  },
  {
    name: "a watch that asks for too much keeps nobody else from hearing",
    seed: 1,
    hours: 0.55,
    script: {
      nodes: 1,
      heals: 480_000,
      steps: [
        {
          at: 60_000,
          do: "watch",
          client: 0,
          path: "/api/v1/pods",
          resource: "pods",
          selector: `changed in (${Array.from({ length: 5000 }, (_, i) => `v${i}`).join()})`,
          seconds: 60,
        },
        {
          at: 90_000,
          do: "ask",
          client: 1,
          sent: {
            method: "POST",
            path: "/api/v1/namespaces/default/pods",
            body: { metadata: { name: "pod-0" }, spec: { containers: [{ name: "c", image: "app:1" }] } },
          },
        },
      ],
    },
  },
];
