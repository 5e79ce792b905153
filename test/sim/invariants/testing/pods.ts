import { type Cases, controlledBy, GOING, READY, type Tale, UNREADY } from "./tale.ts";

type Container = Record<string, unknown>;

/** A Service, a pod of this status, and endpoints that call it ready. */
function served(tale: Tale, status: object, spec: object = {}): void {
  service(tale, "web", spec);
  const { metadata } = tale.put("pods", "ns/p", { spec: { containers: [] }, status });
  const labels = {
    "kubernetes.io/service-name": "web",
    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
  };
  const endpoint = { addresses: ["10.0.0.2"], conditions: { ready: true }, targetRef: { uid: metadata.uid } };
  tale.put("endpointslices.discovery.k8s.io", "ns/web-1", { metadata: { labels }, endpoints: [endpoint] });
}

function node(tale: Tale, name: string, parts: object = {}): void {
  tale.put("nodes", `/${name}`, { status: { allocatable: { cpu: "1", memory: "1Gi", pods: "3" } }, ...parts });
}

/** Made, then bound, as the scheduler has it. */
function bound(tale: Tale, name: string, nodeName: string, container: Container = {}, spec: object = {}): string {
  const containers = [{ name: "c", resources: { requests: { cpu: "400m" } }, ...container }];
  const { metadata } = tale.put("pods", `ns/${name}`, { spec: { containers, ...spec } });
  tale.put("pods", `ns/${name}`, { spec: { containers, nodeName, ...spec } });
  return metadata.uid ?? "";
}

const service = (tale: Tale, name: string, spec: object) => void tale.put("services", `ns/${name}`, { spec });

/** Two pods, one after the other, of one identity, each with a container. */
function identities(tale: Tale, meanwhile: (first: string) => void): void {
  node(tale, "n");
  const set = tale.put("statefulsets.apps", "ns/s");
  const pod = { metadata: controlledBy("StatefulSet", set), spec: { nodeName: "n", containers: [] }, status: READY };
  const first = tale.put("pods", "ns/s-0", pod).metadata.uid ?? "";
  tale.container("n", "one", { podUid: first, pod: "s-0" }, "running");
  meanwhile(first);
  tale.drop("pods", "ns/s-0");
  const second = tale.put("pods", "ns/s-0", pod).metadata.uid ?? "";
  tale.container("n", "two", { podUid: second, pod: "s-0" }, "running");
}

export const podCases: Cases = {
  "pods-are-bound-once": {
    good: { "one binding": (tale) => void bound(tale, "p", "n") },
    bad: {
      "another node": (tale) => {
        bound(tale, "p", "n");
        tale.put("pods", "ns/p", { spec: { nodeName: "m", containers: [] } });
      },
      "no node any more": (tale) => {
        bound(tale, "p", "n");
        tale.put("pods", "ns/p", { spec: { containers: [] } });
      },
    },
  },
  "pods-end-before-they-go": {
    good: {
      "one that has ended": (tale) => {
        node(tale, "n");
        const podUid = bound(tale, "p", "n");
        tale.container("n", "c", { podUid }, "running");
        tale.container("n", "c", { podUid }, "exited");
        tale.drop("pods", "ns/p");
      },
      "one that is taken away by force": (tale) => {
        node(tale, "n");
        const podUid = bound(tale, "p", "n");
        tale.container("n", "c", { podUid }, "running");
        tale.asks("DELETE", "/api/v1/namespaces/ns/pods/p?gracePeriodSeconds=0");
        tale.drop("pods", "ns/p");
      },
      "one of a node that is gone": (tale) => {
        const podUid = bound(tale, "p", "n");
        tale.container("n", "c", { podUid }, "running");
        tale.drop("pods", "ns/p");
      },
    },
    bad: {
      "one that still runs": (tale) => {
        node(tale, "n");
        const podUid = bound(tale, "p", "n");
        tale.container("n", "c", { podUid }, "running");
        tale.drop("pods", "ns/p");
      },
    },
  },
  "nodes-are-never-overcommitted": {
    good: {
      "what fits": (tale) => {
        node(tale, "n", {
          metadata: { labels: { disk: "fast" } },
          spec: { taints: [{ key: "k", effect: "NoSchedule" }] },
        });
        const tolerations = [{ key: "k", operator: "Exists" }];
        bound(tale, "a", "n", {}, { tolerations, nodeSelector: { disk: "fast" } });
        bound(tale, "b", "n", { ports: [{ hostPort: 80 }] }, { tolerations });
      },
      "room that a pod has left": (tale) => {
        node(tale, "n");
        bound(tale, "a", "n");
        bound(tale, "b", "n");
        tale.put("pods", "ns/a", { status: { phase: "Succeeded" } });
        bound(tale, "c", "n");
      },
    },
    bad: {
      "more than there is": (tale) => {
        node(tale, "n");
        for (const name of ["a", "b", "c"]) bound(tale, name, "n");
      },
      "room that a pod is still leaving": (tale) => {
        node(tale, "n");
        bound(tale, "a", "n");
        bound(tale, "b", "n");
        tale.put("pods", "ns/a", { metadata: GOING });
        bound(tale, "c", "n");
      },
      "more pods than it takes": (tale) => {
        node(tale, "n");
        for (const name of ["a", "b", "c", "d"]) bound(tale, name, "n", { resources: {} });
      },
      "a port that is taken": (tale) => {
        node(tale, "n");
        for (const name of ["a", "b"]) bound(tale, name, "n", { ports: [{ hostPort: 80 }] });
      },
      "a node that is not there": (tale) => void bound(tale, "a", "n"),
      "a node that is cordoned": (tale) => {
        node(tale, "n", { spec: { unschedulable: true } });
        bound(tale, "a", "n");
      },
      "a taint": (tale) => {
        node(tale, "n", { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } });
        bound(tale, "a", "n");
      },
      "another node than was asked for": (tale) => {
        node(tale, "n");
        bound(tale, "a", "n", {}, { nodeSelector: { disk: "fast" } });
      },
    },
  },
  "lost-nodes-are-noticed": {
    good: {
      "one that is noticed, and one that the object could not notice": (tale) => {
        tale.machines.set("n", { running: false });
        node(tale, "n", { status: { conditions: [{ type: "Ready", status: "True" }] } });
        tale.at += 200_000;
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "refuse", ms: 100_000 }) });
        tale.at += 200_000;
        tale.put("nodes", "/n", { status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
        tale.at += 900_000;
        tale.put("configmaps", "ns/c");
      },
      "one beside another that stands still": (tale) => {
        tale.machines.set("n", { running: false });
        tale.machines.set("m", { running: true });
        tale.sees({ type: "fault", fault: JSON.stringify({ do: "freeze", node: 1, ms: 900_000 }) });
        node(tale, "n", { status: { conditions: [{ type: "Ready", status: "True" }] } });
        tale.at += 890_000;
        tale.put("configmaps", "ns/c");
        tale.at += 100_000;
        tale.put("configmaps", "ns/c");
      },
      "the only one, while nobody asks": (tale) => {
        tale.machines.set("n", { running: false });
        node(tale, "n", { status: { conditions: [{ type: "Ready", status: "True" }] } });
        tale.asks("GET", "/api/v1/nodes")(200);
        tale.at += 900_000;
        tale.put("configmaps", "ns/c");
      },
    },
    bad: {
      "one that is not, beside another": (tale) => {
        tale.machines.set("n", { running: false });
        tale.machines.set("m", { running: true });
        node(tale, "n", { status: { conditions: [{ type: "Ready", status: "True" }] } });
        tale.at += 900_000;
        tale.put("configmaps", "ns/c");
      },
      "the only one, though somebody has asked": (tale) => {
        tale.machines.set("n", { running: false });
        node(tale, "n", { status: { conditions: [{ type: "Ready", status: "True" }] } });
        tale.at += 100_000;
        tale.asks("GET", "/api/v1/nodes")(200);
        tale.at += 200_000;
        tale.put("configmaps", "ns/c");
      },
    },
  },
  "never-two-containers-of-one-name": {
    good: {
      "one after the other": (tale) => {
        tale.container("n", "one", {}, "running");
        tale.container("n", "one", {}, "exited");
        tale.container("n", "two", {}, "running");
        tale.container("n", "three", { name: "other" }, "running");
      },
    },
    bad: {
      "two at once": (tale) => {
        tale.container("n", "one", {}, "running");
        tale.container("n", "two", {}, "running");
      },
      "two at once on two nodes": (tale) => {
        tale.container("n", "one", {}, "running");
        tale.container("m", "one", {}, "running");
      },
    },
  },
  "never-two-pods-of-one-identity": {
    good: {
      "one after the other": (tale) =>
        identities(tale, (podUid) => tale.container("n", "one", { podUid, pod: "s-0" }, "exited")),
      "one taken away by force": (tale) =>
        identities(tale, () => tale.asks("DELETE", "/api/v1/namespaces/ns/pods/s-0", { gracePeriodSeconds: 0 })),
    },
    bad: {
      "two at once": (tale) => identities(tale, () => {}),
      "one that rises": (tale) => {
        identities(tale, (podUid) => tale.container("n", "one", { podUid, pod: "s-0" }, "exited"));
        tale.container("n", "three", { podUid: "s-0-3", pod: "s-0" }, "running");
      },
    },
  },
  "pods-run-where-they-are-bound": {
    good: { "on its node": (tale) => tale.container("n", "c", { podUid: bound(tale, "p", "n") }, "running") },
    bad: {
      "on another": (tale) => tale.container("m", "c", { podUid: bound(tale, "p", "n") }, "running"),
      "on one though it is bound to none": (tale) => tale.container("m", "c", { podUid: "nobody" }, "running"),
    },
  },
  "pod-addresses-are-unique": {
    good: {
      "one used again, and on another node": (tale) => {
        tale.container("n", "a", { name: "POD", podUid: "a", ip: "10.0.0.2" }, "running");
        tale.container("m", "b", { name: "POD", podUid: "b", ip: "10.0.0.2" }, "running");
        tale.container("n", "a", { name: "POD", podUid: "a", ip: "10.0.0.2" }, "removed");
        tale.container("n", "c", { name: "POD", podUid: "c", ip: "10.0.0.2" }, "running");
      },
    },
    bad: {
      "one used twice": (tale) => {
        tale.container("n", "a", { name: "POD", podUid: "a", ip: "10.0.0.2" }, "running");
        tale.container("n", "c", { name: "POD", podUid: "c", ip: "10.0.0.2" }, "running");
      },
    },
  },
  "cluster-addresses-are-unique": {
    good: {
      "one used again": (tale) => {
        service(tale, "a", { clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"] });
        service(tale, "h", { clusterIP: "None", clusterIPs: ["None"] });
        service(tale, "i", { clusterIP: "None", clusterIPs: ["None"] });
        tale.drop("services", "ns/a");
        service(tale, "b", { clusterIP: "10.96.0.2" });
      },
    },
    bad: {
      "one used twice": (tale) => {
        service(tale, "a", { clusterIP: "10.96.0.2" });
        service(tale, "b", { clusterIP: "10.96.0.2" });
      },
    },
  },
  "node-ports-are-unique": {
    good: {
      "one for two protocols": (tale) =>
        service(tale, "a", { ports: [{ nodePort: 30000 }, { nodePort: 30000, protocol: "UDP" }] }),
    },
    bad: {
      "one used twice": (tale) => {
        service(tale, "a", { ports: [{ nodePort: 30000 }] });
        service(tale, "b", { ports: [{ nodePort: 30000 }] });
      },
      "one used for health checks": (tale) => {
        service(tale, "a", { ports: [{ nodePort: 30000 }] });
        service(tale, "b", { healthCheckNodePort: 30000 });
      },
    },
  },
  "node-ranges-are-unique": {
    good: {
      "two ranges": (tale) =>
        void [
          node(tale, "n", { spec: { podCIDR: "10.0.0.0/24" } }),
          node(tale, "m", { spec: { podCIDR: "10.0.1.0/24" } }),
        ],
    },
    bad: {
      "one for two": (tale) =>
        void [
          node(tale, "n", { spec: { podCIDR: "10.0.0.0/24" } }),
          node(tale, "m", { spec: { podCIDR: "10.0.0.0/24" } }),
        ],
    },
  },
  "endpoints-are-ready": {
    good: {
      "a ready pod": (tale) => served(tale, READY),
      "any pod where that is asked for": (tale) => served(tale, UNREADY, { publishNotReadyAddresses: true }),
    },
    bad: { "an unready pod": (tale) => served(tale, UNREADY) },
  },
  "cluster-addresses-stay": {
    good: {
      "one that is given up with the type": (tale) => {
        service(tale, "a", { type: "ClusterIP", clusterIP: "10.96.0.2" });
        service(tale, "a", { type: "ExternalName" });
      },
    },
    bad: {
      "one that changes": (tale) => {
        service(tale, "a", { type: "ClusterIP", clusterIP: "10.96.0.2" });
        service(tale, "a", { type: "NodePort", clusterIP: "10.96.0.3" });
      },
    },
  },
};
