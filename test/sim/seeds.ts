/** Runs that failed once, and what they showed; every one stays a test. With a script, only what it names happens. */
import { diskApp, store } from "./workload/objects.ts";
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
  {
    name: "a node takes the pod that it was told to make room for",
    seed: 194,
    hours: 0.16,
    script: {
      nodes: 2,
      heals: 1200000,
      steps: [
        {
          at: 440019,
          do: "ask",
          client: 2,
          sent: {
            method: "PATCH",
            path: "/apis/apps/v1/namespaces/team-b/deployments/web-1?fieldManager=client-2&force=true",
            body: {
              apiVersion: "apps/v1",
              kind: "Deployment",
              metadata: { name: "web-1" },
              spec: {
                replicas: 2,
                selector: { matchLabels: { app: "web-1" } },
                strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
                revisionHistoryLimit: 0,
                template: {
                  metadata: { labels: { app: "web-1" } },
                  spec: {
                    containers: [
                      {
                        name: "c",
                        image: "app:2",
                        resources: { requests: { cpu: "1", memory: "64Mi" } },
                        ports: [{ containerPort: 80, hostPort: 8080 }],
                      },
                    ],
                    terminationGracePeriodSeconds: 1,
                  },
                },
              },
            },
            contentType: "application/apply-patch+yaml",
          },
        },
        {
          at: 541354,
          do: "ask",
          client: 1,
          sent: {
            method: "PATCH",
            path: "/apis/apps/v1/namespaces/team-b/statefulsets/db-0?fieldManager=client-1&force=true",
            body: {
              apiVersion: "apps/v1",
              kind: "StatefulSet",
              metadata: { name: "db-0" },
              spec: {
                replicas: 2,
                serviceName: "db-0",
                selector: { matchLabels: { app: "db-0" } },
                podManagementPolicy: "OrderedReady",
                template: {
                  metadata: { labels: { app: "db-0" } },
                  spec: {
                    containers: [{ name: "c", image: "stubborn:1", ports: [{ containerPort: 80, hostPort: 8080 }] }],
                    terminationGracePeriodSeconds: 1,
                    priorityClassName: "important",
                    initContainers: [{ name: "init", image: "job:1" }],
                  },
                },
              },
            },
            contentType: "application/apply-patch+yaml",
          },
        },
      ],
    },
  },
  {
    name: "a pod that has ended stays so on a disk that is older than its end",
    seed: 23,
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
            path: "/apis/batch/v1/namespaces/default/jobs",
            body: {
              metadata: { name: "job-0" },
              spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "job:1" }] } } },
            },
          },
        },
        { at: 60_400, do: "remember", node: 0 },
        { at: 150_000, do: "power-off", node: 0, ms: 5_000 },
        { at: 200_000, do: "restore", node: 0 },
      ],
    },
  },
  {
    name: "a pod of a Job is counted once where storage takes some writes",
    seed: 36,
    hours: 0.29,
    script: {
      nodes: 1,
      heals: 2_100_000,
      steps: [
        {
          at: 922_835,
          do: "ask",
          client: 1,
          sent: {
            method: "PATCH",
            path: "/apis/batch/v1/namespaces/unsteady/cronjobs/tick-0?fieldManager=client-1&force=true",
            body: {
              apiVersion: "batch/v1",
              kind: "CronJob",
              metadata: { name: "tick-0" },
              spec: {
                schedule: "*/5 * * * *",
                concurrencyPolicy: "Forbid",
                successfulJobsHistoryLimit: 1,
                jobTemplate: {
                  spec: {
                    completions: 4,
                    parallelism: 2,
                    backoffLimit: 3,
                    template: {
                      metadata: { labels: { app: "tick-0" } },
                      spec: {
                        containers: [
                          { name: "c", image: "job:1", resources: { requests: { cpu: "100m", memory: "3Gi" } } },
                        ],
                        terminationGracePeriodSeconds: 1,
                        restartPolicy: "OnFailure",
                      },
                    },
                  },
                },
              },
            },
            contentType: "application/apply-patch+yaml",
          },
        },
        { at: 970_314, do: "writes-fail", ms: 47_000, chance: 0.3 },
      ],
    },
  },
  {
    name: "a volume that a pod gets while its node tells that another has let go of it is in use",
    seed: 1,
    hours: 0.1,
    script: {
      nodes: 1,
      heals: 300_000,
      steps: [
        {
          at: 10_000,
          do: "disk",
          client: 0,
          namespace: "default",
          name: "disk",
          app: diskApp(() => 0, "disk"),
          steps: Array.from({ length: 12 }, () => ({ node: 0, grace: 0, rest: 2_000 })),
        },
      ],
    },
  },
  {
    name: "a pod that waits for a volume goes when the move is called off",
    seed: 1,
    hours: 0.1,
    script: {
      nodes: 2,
      heals: 300_000,
      steps: [
        {
          at: 10_000,
          do: "move",
          client: 0,
          namespace: "default",
          nth: 0,
          store: store(() => 0.5, "store-0"),
          moves: [0, 1].map((node) => ({ node, grace: 0, ms: 500, rest: 60_000 })),
        },
      ],
    },
  },
  {
    name: "what a node does not come for goes past it at the edge, a POST too",
    seed: 237,
    hours: 0.5,
    script: {
      nodes: 2,
      heals: 480_000,
      steps: [
        {
          at: 120_000,
          do: "front",
          client: 0,
          namespace: "default",
          by: "Ingress",
          app: {
            metadata: { name: "front-0" },
            spec: {
              replicas: 2,
              selector: { matchLabels: { app: "front-0" } },
              template: {
                metadata: { labels: { app: "front-0" } },
                spec: { containers: [{ name: "c", image: "app:1" }] },
              },
            },
          },
          service: {
            metadata: { name: "front-0" },
            spec: { selector: { app: "front-0" }, ports: [{ port: 80, targetPort: 8080 }] },
          },
          askers: [{ node: -1, method: "POST", hasBody: true, answerMs: 5, everyMs: 500, count: 80 }],
          turns: [{ turn: "hurt", fault: { do: "power-off", node: 1, ms: 60_000 }, rest: 0 }],
        },
      ],
    },
  },
];
