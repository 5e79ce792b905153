/** Of Kubernetes' objects what tells how a cluster is: https://kubernetes.io/docs/reference/kubernetes-api/ */

export type Meta = {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[];
};

export type KubeObject = { apiVersion?: string; kind?: string; metadata: Meta };

export type Condition = {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
};

export type Node = KubeObject & {
  spec: { unschedulable?: boolean; taints?: { key: string; effect: string }[] };
  status: {
    conditions?: Condition[];
    addresses?: { type: string; address: string }[];
    capacity?: Record<string, string>;
    nodeInfo?: { kubeletVersion: string; osImage: string; architecture: string };
  };
};

export type ContainerState = {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt: string };
  terminated?: { reason?: string; message?: string; exitCode: number; startedAt?: string; finishedAt?: string };
};

export type ContainerStatus = {
  name: string;
  ready: boolean;
  restartCount: number;
  image: string;
  state?: ContainerState;
  lastState?: ContainerState;
};

export type ContainerPort = { name?: string; containerPort: number; protocol?: string };

export type Pod = KubeObject & {
  spec: {
    nodeName?: string;
    containers: { name: string; image: string; ports?: ContainerPort[] }[];
    initContainers?: { name: string; image: string; restartPolicy?: string }[];
  };
  status: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    startTime?: string;
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
};

export type ReplicaSet = KubeObject & { spec: { replicas?: number }; status: { replicas?: number } };

/** A Deployment, StatefulSet or DaemonSet. */
export type Workload = KubeObject & {
  spec: {
    replicas?: number;
    paused?: boolean;
    selector: { matchLabels?: Record<string, string> };
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
  };
  status: {
    observedGeneration?: number;
    replicas?: number;
    readyReplicas?: number;
    updatedReplicas?: number;
    desiredNumberScheduled?: number;
    numberReady?: number;
    updatedNumberScheduled?: number;
    conditions?: Condition[];
  };
};

export type Event = KubeObject & {
  type: string;
  reason: string;
  message: string;
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  eventTime?: string;
  involvedObject: { kind: string; name: string; namespace?: string; uid?: string };
};

export type Job = KubeObject & { status: { conditions?: Condition[]; completionTime?: string } };

export type Claim = KubeObject & { status: { phase?: string } };

export type Service = KubeObject & {
  spec: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    externalName?: string;
    ports?: { name?: string; port: number; protocol?: string }[];
  };
};

export type EndpointSlice = KubeObject & {
  endpoints:
    | {
        addresses: string[];
        conditions?: { ready?: boolean };
        targetRef?: { kind?: string; name: string };
        nodeName?: string;
      }[]
    | null;
};

type IngressBackend = { service?: { name: string } };
export type Ingress = KubeObject & {
  spec: {
    defaultBackend?: IngressBackend;
    tls?: { hosts?: string[] }[];
    rules?: { host?: string; http?: { paths: { path?: string; backend: IngressBackend }[] } }[];
  };
};

export type HttpRoute = KubeObject & {
  spec?: {
    hostnames?: string[];
    rules?: { backendRefs?: { kind?: string; namespace?: string; name: string }[] }[];
  };
};

/** A RoleBinding, or a ClusterRoleBinding, which is in no namespace. */
export type Binding = KubeObject & {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
};

/** The server's Table: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export type Table = {
  columnDefinitions: { name: string; type: string; priority: number; description: string }[];
  rows?: { cells: unknown[]; object: { metadata: Meta } }[];
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
};
