import { FINALIZER_PREFIX, HOPELESS } from "../marker.ts";
import { type Cases, controlledBy, GOING, READY, type Tale, UNREADY } from "./tale.ts";

type Made = ReturnType<Tale["put"]>;
const DEPLOYMENTS = "deployments.apps";
const SETS = "replicasets.apps";
const COUNTS = { replicas: 1, readyReplicas: 1, availableReplicas: 1 };

const rests = (tell: (tale: Tale) => void) => (tale: Tale) => {
  tell(tale);
  tale.rests();
};

const podOf = (tale: Tale, kind: string, owner: Made, parts: object = {}) =>
  tale.put("pods", `ns/p${tale.revision}`, {
    metadata: controlledBy(kind, owner),
    spec: { nodeName: "n", containers: [] },
    status: READY,
    ...parts,
  });

function rolledOut(tale: Tale, d: object, set: object): void {
  const deployment = tale.put(DEPLOYMENTS, "ns/d", {
    spec: { replicas: 1, template: { spec: { a: 1 } }, ...d },
    status: COUNTS,
  });
  const owned = tale.put(SETS, "ns/s", {
    metadata: controlledBy("Deployment", deployment),
    spec: { replicas: 1, template: { metadata: { labels: { "pod-template-hash": "h" } }, spec: { a: 1 } }, ...set },
  });
  podOf(tale, "ReplicaSet", owned);
}

function node(tale: Tale, running: boolean, ready: string, taints: object[] = []): void {
  tale.machines.set("n", { running });
  const status = { conditions: [{ type: "Ready", status: ready }], allocatable: { cpu: "1", pods: "9" } };
  tale.put("nodes", "/n", { spec: { taints }, status });
}

/** A pod that runs on a machine that is up: what it says, and what is. */
function running(tale: Tale, status: object, containers: Record<string, string>, spec: object = {}): Made {
  tale.machines.set("n", { running: true });
  const pod = tale.put("pods", "ns/p", { spec: { nodeName: "n", containers: [{ name: "c" }], ...spec }, status });
  for (const [name, id] of Object.entries(containers))
    tale.container("n", id, { podUid: pod.metadata.uid, name, ip: name === "POD" ? "10.0.0.2" : undefined }, "running");
  return pod;
}

const TRUE = {
  ...READY,
  podIP: "10.0.0.2",
  containerStatuses: [{ name: "c", containerID: "containerd://one", state: { running: {} } }],
};
const LOST = { key: "node.kubernetes.io/unreachable", effect: "NoExecute" };

function served(tale: Tale, ready: string[], listed = ready): void {
  tale.put("services", "ns/web", { spec: { selector: { app: "web" } } });
  tale.put("pods", "ns/a", { metadata: { labels: { app: "web" } }, status: { ...READY, podIP: "10.0.0.2" } });
  tale.put("pods", "ns/b", { metadata: { labels: { app: "web" } }, status: { ...UNREADY, podIP: "10.0.0.3" } });
  const endpoints = ready.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  tale.put("endpointslices.discovery.k8s.io", "ns/web-1", {
    metadata: { labels: { "kubernetes.io/service-name": "web" } },
    endpoints,
  });
  tale.put("endpoints", "ns/web", { subsets: [{ addresses: listed.map((ip) => ({ ip })) }] });
}

function daemons(tale: Tale, places: number, status: object): void {
  for (const name of ["n", "m"].slice(0, places)) tale.put("nodes", `/${name}`);
  const set = tale.put("daemonsets.apps", "ns/d", { spec: { template: { spec: {} } }, status });
  podOf(tale, "DaemonSet", set);
}

const budget = (tale: Tale, currentHealthy: number) =>
  void tale.put("poddisruptionbudgets.policy", "ns/b", {
    spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
    status: { desiredHealthy: 1, currentHealthy },
  });

export const restCases: Cases = {
  "rest-no-work-due": {
    good: { "an empty queue": rests(() => {}) },
    bad: { "a row that is due": rests((tale) => Object.assign(tale.storage, { due: 1 })) },
  },
  "rest-generations-are-observed": {
    good: {
      "what was seen": rests(
        (tale) =>
          void tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 2 }, status: { observedGeneration: 2 } }),
      ),
    },
    bad: {
      "what was not": rests(
        (tale) =>
          void tale.put(DEPLOYMENTS, "ns/d", { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
      ),
    },
  },
  "rest-nothing-terminating": {
    good: {
      "what a client holds, and what waits for it": rests((tale) => {
        const owner = tale.put(DEPLOYMENTS, "ns/d", { metadata: { ...GOING, finalizers: ["foregroundDeletion"] } });
        tale.put("configmaps", "ns/c", {
          metadata: { ...GOING, ...controlledBy("Deployment", owner), finalizers: [`${FINALIZER_PREFIX}hold`] },
        });
        tale.put("namespaces", "/ns", { metadata: GOING });
      }),
      "a claim while a pod uses it, and its volume": rests((tale) => {
        const { uid } = tale.put("persistentvolumeclaims", "ns/c", { metadata: GOING }).metadata;
        tale.put("pods", "ns/p", { spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] } });
        tale.put("persistentvolumes", "/v", { metadata: GOING, spec: { claimRef: { uid } } });
      }),
    },
    bad: {
      "a claim of a pod that has ended": rests((tale) => {
        tale.put("persistentvolumeclaims", "ns/c", { metadata: GOING });
        const spec = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] };
        tale.put("pods", "ns/p", { spec, status: { phase: "Succeeded" } });
      }),
      "a volume whose claim is gone": rests(
        (tale) => void tale.put("persistentvolumes", "/v", { metadata: GOING, spec: { claimRef: { uid: "x" } } }),
      ),
      "a pod that does not go": rests((tale) => void tale.put("pods", "ns/p", { metadata: GOING })),
      "a namespace that waits for nothing": rests((tale) => void tale.put("namespaces", "/ns", { metadata: GOING })),
    },
  },
  "rest-replicasets-are-full": {
    good: {
      "as many as wanted": rests(
        (tale) => void podOf(tale, "ReplicaSet", tale.put(SETS, "ns/s", { spec: { replicas: 1 }, status: COUNTS })),
      ),
    },
    bad: {
      "too few": rests((tale) => void tale.put(SETS, "ns/s", { spec: { replicas: 1 } })),
      "a wrong count": rests(
        (tale) =>
          void podOf(
            tale,
            "ReplicaSet",
            tale.put(SETS, "ns/s", { spec: { replicas: 1 }, status: { ...COUNTS, readyReplicas: 0 } }),
          ),
      ),
    },
  },
  "rest-deployments-are-rolled-out": {
    good: {
      "the new template": rests((tale) => rolledOut(tale, {}, {})),
      "an old one that nothing can replace": rests((tale) =>
        rolledOut(tale, { template: { metadata: { labels: { [HOPELESS]: "" } }, spec: { a: 2 } } }, {}),
      ),
    },
    bad: {
      "an old template": rests((tale) => rolledOut(tale, { template: { spec: { a: 2 } } }, {})),
      "too few": rests((tale) => rolledOut(tale, { replicas: 2 }, {})),
    },
  },
  "rest-statefulsets-are-full": {
    good: {
      "as many as wanted": rests(
        (tale) =>
          void podOf(
            tale,
            "StatefulSet",
            tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 1 }, status: COUNTS }),
          ),
      ),
    },
    bad: {
      "too few": rests(
        (tale) =>
          void podOf(
            tale,
            "StatefulSet",
            tale.put("statefulsets.apps", "ns/s", { spec: { replicas: 2 }, status: COUNTS }),
          ),
      ),
      "an old revision": rests(
        (tale) =>
          void podOf(
            tale,
            "StatefulSet",
            tale.put("statefulsets.apps", "ns/s", {
              spec: { replicas: 1 },
              status: { ...COUNTS, currentRevision: "a", updateRevision: "b" },
            }),
          ),
      ),
    },
  },
  "rest-daemons-are-everywhere": {
    good: { "one on each": rests((tale) => daemons(tale, 1, { desiredNumberScheduled: 1, numberReady: 1 })) },
    bad: {
      "one that is missing": rests((tale) => daemons(tale, 2, { desiredNumberScheduled: 2, numberReady: 1 })),
      "a wrong count": rests((tale) => daemons(tale, 2, { desiredNumberScheduled: 1, numberReady: 1 })),
    },
  },
  "rest-jobs-are-at-work": {
    good: {
      "one at work": rests(
        (tale) => void podOf(tale, "Job", tale.put("jobs.batch", "ns/j", { status: { active: 1 } })),
      ),
      "one that is over": rests(
        (tale) =>
          void tale.put("jobs.batch", "ns/j", { status: { conditions: [{ type: "Complete", status: "True" }] } }),
      ),
    },
    bad: {
      "one that does nothing": rests((tale) => void tale.put("jobs.batch", "ns/j")),
      "a wrong count": rests((tale) => void tale.put("jobs.batch", "ns/j", { status: { active: 1 } })),
    },
  },
  "rest-no-stray-containers": {
    good: { "one of a pod": rests((tale) => void running(tale, TRUE, { c: "one", POD: "zero" })) },
    bad: {
      "one of no pod": rests((tale) => tale.container("n", "one", {}, "exited")),
      "one of a pod that is over": rests((tale) => void running(tale, { phase: "Failed" }, { c: "one" })),
      "one of a pod on another node": rests((tale) => {
        const { metadata } = running(tale, TRUE, {});
        tale.container("m", "one", { podUid: metadata.uid }, "running");
      }),
    },
  },
  "rest-wanted-pods-run": {
    good: {
      "one that runs": rests((tale) => void running(tale, TRUE, { c: "one", POD: "zero" })),
      "one that is held back": rests(
        (tale) =>
          void running(
            tale,
            {
              phase: "Running",
              containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff" } } }],
            },
            { POD: "zero" },
          ),
      ),
    },
    bad: {
      "one that does not run": rests((tale) => void running(tale, { phase: "Pending" }, { POD: "zero" })),
      "one that ran under another id": rests((tale) => void running(tale, TRUE, { c: "two", POD: "zero" })),
      "one that is said to run": rests((tale) => void running(tale, TRUE, { POD: "zero" })),
      "one that is not ready": rests((tale) => void running(tale, { ...TRUE, ...UNREADY }, { c: "one", POD: "zero" })),
      "one of another address": rests(
        (tale) => void running(tale, { ...TRUE, podIP: "10.0.0.9" }, { c: "one", POD: "zero" }),
      ),
      "one without a sandbox": rests((tale) => void running(tale, TRUE, { c: "one" })),
      "one that is called pending": rests(
        (tale) => void running(tale, { ...TRUE, phase: "Pending" }, { c: "one", POD: "zero" }),
      ),
    },
  },
  "rest-pods-wait-only-for-room": {
    good: {
      "one that is too large": rests((tale) => {
        node(tale, true, "True");
        tale.put("pods", "ns/p", { spec: { containers: [{ name: "c", resources: { requests: { cpu: "2" } } }] } });
      }),
    },
    bad: {
      "one that would fit": rests((tale) => {
        node(tale, true, "True");
        tale.put("pods", "ns/p", { spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] } });
      }),
    },
  },
  "rest-nodes-tell-the-truth": {
    good: {
      "one that is up": rests((tale) => node(tale, true, "True")),
      "one that is down": rests((tale) => node(tale, false, "Unknown", [LOST])),
    },
    bad: {
      "one that is down and says it is up": rests((tale) => node(tale, false, "True")),
      "one that is up and says it is down": rests((tale) => node(tale, true, "Unknown", [LOST])),
      "one that is up and tainted": rests((tale) => node(tale, true, "True", [LOST])),
      "one that is down and not tainted": rests((tale) => node(tale, false, "Unknown")),
    },
  },
  "rest-services-lead-to-ready-pods": {
    good: { "the ready one": rests((tale) => served(tale, ["10.0.0.2"])) },
    bad: {
      none: rests((tale) => served(tale, [])),
      all: rests((tale) => served(tale, ["10.0.0.2", "10.0.0.3"])),
      "one twice": rests((tale) => served(tale, ["10.0.0.2", "10.0.0.2"])),
      "endpoints of another time": rests((tale) => served(tale, ["10.0.0.2"], [])),
    },
  },
  "rest-budgets-count-right": {
    good: {
      "the healthy ones": rests((tale) => {
        tale.put("pods", "ns/a", { metadata: { labels: { app: "web" } }, status: READY });
        budget(tale, 1);
      }),
    },
    bad: { "one that is not there": rests((tale) => budget(tale, 1)) },
  },
};
