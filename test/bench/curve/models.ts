/** The first of each object that the curve's cluster is filled with, made by the API; what follows are copies. */
import { namespaceName, nodeName, PODS_PER_SET, podName } from "./fill.ts";
import type { CurvePlane } from "./plane.ts";

const SIZE = { cpu: "32", memory: "256Gi", pods: "110", "ephemeral-storage": "100Gi" };
export const NAMESPACE = namespaceName(0);
const MERGE = "application/merge-patch+json";
const TEMPLATE = {
  containers: [{ name: "web", image: "web:1", resources: { requests: { cpu: "100m", memory: "128Mi" } } }],
};

const condition = (type: string, status: string, reason: string) => ({
  type,
  status,
  reason,
  message: reason,
  lastHeartbeatTime: "2026-01-01T00:00:00Z",
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

const nodeStatus = {
  allocatable: SIZE,
  capacity: SIZE,
  addresses: [
    { type: "InternalIP", address: "192.0.2.1" },
    { type: "Hostname", address: nodeName(0) },
  ],
  conditions: [
    condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
    condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
    condition("PIDPressure", "False", "KubeletHasSufficientPID"),
    { ...condition("Ready", "True", "KubeletReady"), message: "kubelet is posting ready status" },
  ],
  nodeInfo: { kubeletVersion: "v1.35.4", osImage: "model", architecture: "amd64", operatingSystem: "linux" },
};

export const podStatus = {
  phase: "Running",
  podIP: "10.128.0.2",
  podIPs: [{ ip: "10.128.0.2" }],
  hostIP: "192.0.2.1",
  startTime: "2026-01-01T00:00:00Z",
  conditions: ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  })),
  containerStatuses: [
    {
      name: "web",
      image: "web:1",
      imageID: `web@sha256:${"0".repeat(64)}`,
      containerID: `containerd://${"0".repeat(64)}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: "2026-01-01T00:00:00Z" } },
    },
  ],
};

export async function makeModels(plane: CurvePlane): Promise<void> {
  const labels = { "kubernetes.io/hostname": nodeName(0), "kubernetes.io/os": "linux" };
  await plane.must("POST", "/api/v1/nodes", { metadata: { name: nodeName(0), labels } });
  await plane.must("PATCH", `/api/v1/nodes/${nodeName(0)}`, { spec: { podCIDR: "10.128.0.0/24" } }, MERGE);
  await plane.must("PATCH", `/api/v1/nodes/${nodeName(0)}/status`, { status: nodeStatus }, MERGE);
  await plane.must("POST", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", {
    metadata: { name: nodeName(0) },
    spec: { holderIdentity: nodeName(0), leaseDurationSeconds: 40, renewTime: "2026-01-01T00:00:00.000000Z" },
  });
  await plane.must("POST", "/api/v1/namespaces", { metadata: { name: NAMESPACE } });
  const inside = `/api/v1/namespaces/${NAMESPACE}`;
  await plane.must("POST", `${inside}/serviceaccounts`, { metadata: { name: "default" } });
  await plane.must("POST", `${inside}/configmaps`, {
    metadata: { name: "kube-root-ca.crt" },
    data: { "ca.crt": plane.server.ca },
  });
  const sets = `/apis/apps/v1/namespaces/${NAMESPACE}/replicasets`;
  const made = await plane.must("POST", sets, {
    metadata: { name: "web-0" },
    spec: {
      replicas: PODS_PER_SET,
      selector: { matchLabels: { app: "web-0" } },
      template: { metadata: { labels: { app: "web-0" } }, spec: TEMPLATE },
    },
  });
  const { uid } = (JSON.parse(made.text) as { metadata: { uid: string } }).metadata;
  const whole = PODS_PER_SET;
  const status = { replicas: whole, readyReplicas: whole, availableReplicas: whole, fullyLabeledReplicas: whole };
  await plane.must("PATCH", `${sets}/web-0/status`, { status: { ...status, observedGeneration: 1 } }, MERGE);
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-0", uid };
  await plane.must("POST", `${inside}/pods`, {
    metadata: {
      name: podName(0),
      labels: { app: "web-0", shard: "0" },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: { ...TEMPLATE, nodeName: nodeName(0) },
  });
  await plane.must("PATCH", `${inside}/pods/${podName(0)}/status`, { status: podStatus }, MERGE);
}
