import { EVICTION_GRACE_SECONDS } from "../marker.ts";
import { type Cases, controlledBy, GOING, READY, type Tale, UNREADY } from "./tale.ts";

const DEPLOYMENTS = "deployments.apps";
const SETS = "replicasets.apps";

/** A Deployment of 3, one more and none fewer while it rolls, with an old set and a new one of these sizes. */
function rollout(
  tale: Tale,
  old: number,
  fresh: number,
  strategy: object = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
) {
  const d = tale.put(DEPLOYMENTS, "ns/d", { spec: { replicas: 3, strategy } });
  const metadata = controlledBy("Deployment", d);
  const sets = {
    old: tale.put(SETS, "ns/old", { metadata, spec: { replicas: old } }),
    fresh: undefined as ReturnType<Tale["put"]> | undefined,
  };
  if (fresh > 0) sets.fresh = tale.put(SETS, "ns/new", { metadata, spec: { replicas: fresh } });
  return { d, ...sets, metadata };
}

function pods(tale: Tale, set: ReturnType<Tale["put"]>, count: number, status: object = READY): void {
  const first = tale.revision;
  for (let i = 0; i < count; i++)
    tale.put("pods", `ns/p${first}-${i}`, {
      metadata: { ...controlledBy("ReplicaSet", set), labels: { app: "web" } },
      spec: { nodeName: "n", containers: [] },
      status,
    });
}

const podOf = (tale: Tale, set: ReturnType<Tale["put"]>, name: string, status: object = READY) =>
  tale.put("pods", `ns/${name}`, {
    metadata: { ...controlledBy("ReplicaSet", set), labels: { app: "web" } },
    spec: { nodeName: "n", containers: [] },
    status,
  });

function budget(tale: Tale, minAvailable: number, status: object = {}): void {
  const parts = { spec: { minAvailable, selector: { matchLabels: { app: "web" } } }, status };
  tale.put("poddisruptionbudgets.policy", "ns/b", parts);
}

const evict = (tale: Tale, name: string) =>
  tale.put("pods", `ns/${name}`, { metadata: { ...GOING, deletionGracePeriodSeconds: EVICTION_GRACE_SECONDS } });

function identity(tale: Tale, set: ReturnType<Tale["put"]>, ordinal: number, status: object = READY): void {
  tale.put("pods", `ns/s-${ordinal}`, { metadata: controlledBy("StatefulSet", set), spec: { containers: [] }, status });
}

const job = (tale: Tale, spec: object) => tale.put("jobs.batch", "ns/j", { spec });
const worker = (tale: Tale, owner: ReturnType<Tale["put"]>, name: string, phase = "Running") =>
  void tale.put("pods", `ns/${name}`, {
    metadata: controlledBy("Job", owner),
    spec: { containers: [] },
    status: { phase },
  });

/** An autoscaler of 2 to 5 that says that it scaled to so many, where there are to be so many. */
function autoscaled(tale: Tale, told: number, is = told): void {
  const spec = {
    minReplicas: 2,
    maxReplicas: 5,
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
  };
  tale.put(DEPLOYMENTS, "ns/d", { spec: { replicas: is } });
  tale.put("horizontalpodautoscalers.autoscaling", "ns/h", { spec });
  const status = { desiredReplicas: told, lastScaleTime: "2023-11-14T22:13:30Z" };
  tale.put("horizontalpodautoscalers.autoscaling", "ns/h", { spec, status });
}

export const workloadCases: Cases = {
  "autoscalers-keep-bounds": {
    good: { "as many as it says": (tale) => autoscaled(tale, 3) },
    bad: {
      "more than it may": (tale) => autoscaled(tale, 6),
      "fewer than it may": (tale) => autoscaled(tale, 1),
      "others than it says": (tale) => autoscaled(tale, 3, 4),
    },
  },
  "max-surge-holds": {
    good: { "one more": (tale) => void rollout(tale, 3, 1) },
    bad: { "two more": (tale) => void rollout(tale, 3, 2) },
  },
  "max-unavailable-holds": {
    good: {
      "one that is replaced": (tale) => {
        const { old, fresh } = rollout(tale, 3, 1);
        pods(tale, old, 3);
        if (fresh) pods(tale, fresh, 1);
        tale.put(SETS, "ns/old", { spec: { replicas: 2 } });
      },
      "one that was not ready": (tale) => {
        const { old } = rollout(tale, 3, 1);
        pods(tale, old, 2);
        pods(tale, old, 1, UNREADY);
        tale.put(SETS, "ns/old", { spec: { replicas: 2 } });
      },
      "fewer because fewer are wanted": (tale) => {
        const { old, metadata } = rollout(tale, 3, 0);
        tale.put(SETS, "ns/old", {
          metadata: { ...metadata, annotations: { "deployment.kubernetes.io/desired-replicas": "5" } },
        });
        pods(tale, old, 3);
        tale.put(SETS, "ns/old", { spec: { replicas: 1 } });
      },
    },
    bad: {
      "one that is not replaced yet": (tale) => {
        const { old, fresh } = rollout(tale, 3, 1);
        pods(tale, old, 3);
        if (fresh) pods(tale, fresh, 1, UNREADY);
        tale.put(SETS, "ns/old", { spec: { replicas: 2 } });
      },
    },
  },
  "recreate-waits": {
    good: {
      "a new set after the old pods": (tale) => {
        const { old, metadata } = rollout(tale, 0, 0, { type: "Recreate" });
        pods(tale, old, 1, { phase: "Failed" });
        tale.put(SETS, "ns/new", { metadata, spec: { replicas: 3 } });
      },
    },
    bad: {
      "a new set beside an old pod": (tale) => {
        const { old, metadata } = rollout(tale, 0, 0, { type: "Recreate" });
        pods(tale, old, 1);
        tale.put(SETS, "ns/new", { metadata, spec: { replicas: 3 } });
      },
    },
  },
  "sets-count-right": {
    good: {
      "as many as wanted, and one that a client deletes": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 2 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b");
        tale.asks("DELETE", "/api/v1/namespaces/ns/pods/a");
        tale.put("pods", "ns/a", { metadata: GOING });
        podOf(tale, set, "c");
        tale.put(SETS, "ns/s", { spec: { replicas: 1 } });
        tale.put("pods", "ns/b", { metadata: GOING });
      },
    },
    bad: {
      "one too many": (tale) => pods(tale, tale.put(SETS, "ns/s", { spec: { replicas: 2 } }), 3),
      "one too few": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 2 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b");
        tale.put("pods", "ns/a", { metadata: GOING });
      },
    },
  },
  "unready-pods-go-first": {
    good: {
      "the unready one": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 1 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b", UNREADY);
        tale.put("pods", "ns/b", { metadata: GOING });
      },
    },
    bad: {
      "the ready one": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 1 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b", UNREADY);
        tale.put("pods", "ns/a", { metadata: GOING });
      },
    },
  },
  "budgets-hold": {
    good: {
      "what a budget has to spare": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 2 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b");
        tale.at += 10_000;
        budget(tale, 1, { disruptedPods: { a: "2023-11-14T22:13:20Z" } });
        tale.at += 10_000;
        evict(tale, "a");
      },
      "one without a budget": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        evict(tale, "a");
      },
    },
    bad: {
      "what no budget was asked about": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        budget(tale, 0);
        evict(tale, "a");
      },
      "more than a budget had": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        budget(tale, 0, { disruptedPods: { a: "2023-11-14T22:13:20Z" }, disruptionsAllowed: -1 });
        evict(tale, "a");
      },
      "what a budget protects": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        budget(tale, 1, { disruptedPods: { a: "2023-11-14T22:13:20Z" } });
        tale.at += 10_000;
        evict(tale, "a");
      },
    },
  },
  "budgets-are-counted-right": {
    good: {
      "pods that are there, without the one that is going": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 2 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b");
        budget(tale, 1, { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1 });
        tale.put("pods", "ns/a", { metadata: GOING });
        budget(tale, 1, { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1 });
      },
      "one that nobody has counted yet": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        budget(tale, 1, { currentHealthy: 0, desiredHealthy: 0 });
      },
      "a status that is old, and that nobody has looked at": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 1 } });
        podOf(tale, set, "a");
        budget(tale, 1, { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1 });
        tale.put("pods", "ns/a", { metadata: GOING });
        budget(tale, 1, { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0 });
      },
    },
    bad: {
      "one that is going": (tale) => {
        const set = tale.put(SETS, "ns/s", { spec: { replicas: 2 } });
        podOf(tale, set, "a");
        podOf(tale, set, "b");
        tale.put("pods", "ns/a", { metadata: GOING });
        budget(tale, 1, { observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1 });
      },
      "one that has been evicted": (tale) => {
        podOf(tale, tale.put(SETS, "ns/s"), "a");
        budget(tale, 1, {
          observedGeneration: 1,
          currentHealthy: 1,
          desiredHealthy: 1,
          disruptedPods: { a: "2023-11-14T22:13:20Z" },
        });
      },
    },
  },
  "identities-come-in-order": {
    good: {
      "one after the other": (tale) => {
        const set = tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 2 } });
        identity(tale, set, 0);
        identity(tale, set, 1);
      },
      "all at once when they may": (tale) =>
        identity(
          tale,
          tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 2, podManagementPolicy: "Parallel" } }),
          1,
        ),
    },
    bad: {
      "one before another is ready": (tale) => {
        const set = tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 2 } });
        identity(tale, set, 0, UNREADY);
        identity(tale, set, 1);
      },
      "one beyond the last": (tale) => {
        const set = tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 1 } });
        identity(tale, set, 0);
        identity(tale, set, 1);
      },
    },
  },
  "jobs-keep-their-bounds": {
    good: {
      "two at once, three in all": (tale) => {
        const owner = job(tale, { parallelism: 2, completions: 3 });
        worker(tale, owner, "a", "Succeeded");
        worker(tale, owner, "b");
        worker(tale, owner, "c");
      },
    },
    bad: {
      "too many at once": (tale) => {
        const owner = job(tale, { parallelism: 1, completions: 3 });
        worker(tale, owner, "a");
        worker(tale, owner, "b");
      },
      "too many in all": (tale) => {
        const owner = job(tale, { parallelism: 2, completions: 2 });
        worker(tale, owner, "a", "Succeeded");
        worker(tale, owner, "b");
        worker(tale, owner, "c");
      },
      "one of a Job that is suspended": (tale) => worker(tale, job(tale, { suspend: true }), "a"),
    },
  },
  "cron-jobs-keep-apart": {
    good: {
      "one after the other": (tale) => {
        const metadata = controlledBy(
          "CronJob",
          tale.put("cronjobs.batch", "ns/c", { spec: { concurrencyPolicy: "Forbid" } }),
        );
        tale.put("jobs.batch", "ns/a", { metadata, status: { conditions: [{ type: "Complete", status: "True" }] } });
        tale.put("jobs.batch", "ns/b", { metadata });
      },
    },
    bad: {
      "two at once": (tale) => {
        const metadata = controlledBy(
          "CronJob",
          tale.put("cronjobs.batch", "ns/c", { spec: { concurrencyPolicy: "Forbid" } }),
        );
        tale.put("jobs.batch", "ns/a", { metadata });
        tale.put("jobs.batch", "ns/b", { metadata });
      },
    },
  },
};
