/** What clients make: small objects of most kinds that do something, under few names, so that deeds meet each other. */
import type { KubeObject } from "../../../worker/lib/object.ts";
import { HOPELESS } from "../invariants/marker.ts";
import { between, pick, type Random, weighted } from "../world/random.ts";

export type Template = {
  /** `/apis/apps/v1`, and the resource below it. */
  api: string;
  plural: string;
  name: string;
  make(random: Random, name: string): KubeObject & { spec?: unknown; data?: unknown };
};

/** Workloads that never come to rest live here; it goes when the faults are over. */
export const UNSTEADY = "unsteady";
/** What sleeps while nobody asks for it. */
export const APP = "idle-0";
/** A PriorityClass, and the key of taints. */
export const IMPORTANT = "important";
export const TAINT = "sim.skerry.dev/taint";
export const NAMESPACES = ["default", "team-a", "team-b"] as const;

const STEADY = ["app:1", "app:2", "app:latest", "stubborn:1"];
const RESTLESS = ["flaky:1", "crash:1", "fail:1", "sick:1", "missing:1"];

const labels = (app: string) => ({ app });

function container(random: Random, images: readonly string[]): object {
  return {
    name: "c",
    image: pick(random, images),
    ...(random() < 0.3 && {
      resources: { requests: { cpu: pick(random, ["100m", "1", "2"]), memory: pick(random, ["64Mi", "3Gi"]) } },
    }),
    ...(random() < 0.1 && { ports: [{ containerPort: 80, hostPort: 8080 }] }),
    ...(random() < 0.3 && {
      readinessProbe: { exec: { command: ["true"] }, periodSeconds: pick(random, [5, 30]) },
    }),
    ...(random() < 0.1 && { livenessProbe: { exec: { command: ["true"] }, periodSeconds: 30 } }),
    ...(random() < 0.2 && {
      envFrom: [{ configMapRef: { name: `config-${between(random, 0, 2)}`, optional: true } }],
    }),
  };
}

function podTemplate(random: Random, app: string, images: readonly string[], more: object = {}): object {
  const isHopeless = images === RESTLESS;
  return {
    metadata: { labels: { ...labels(app), ...(isHopeless && { [HOPELESS]: "true" }) } },
    spec: {
      containers: [container(random, images)],
      terminationGracePeriodSeconds: pick(random, [0, 1, 5, 30]),
      ...particular(random),
      ...(random() < 0.15 && { initContainers: [{ name: "init", image: "job:1" }] }),
      ...more,
    },
  };
}

/** What makes a pod choosy, or important. */
const particular = (random: Random): object =>
  weighted(random, [
    [12, {}],
    [1, { priorityClassName: IMPORTANT }],
    [1, { nodeSelector: { "kubernetes.io/hostname": `node-${between(random, 0, 1)}` } }],
    [1, { tolerations: [{ key: TAINT, operator: "Exists" }] }],
    [
      1,
      {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: selector("web-0") },
              },
            ],
          },
        },
      },
    ],
  ]);

const selector = (app: string) => ({ matchLabels: labels(app) });

export function deployment(images: readonly string[]): Template["make"] {
  return (random, name) => ({
    metadata: { name },
    spec: {
      replicas: weighted(random, [
        [5, 1],
        [4, 2],
        [1, 3],
        [1, 0],
      ]),
      selector: selector(name),
      ...(random() < 0.3 && { minReadySeconds: pick(random, [1, 10]) }),
      strategy: pick(random, [
        { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
        { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        { type: "Recreate" },
      ]),
      revisionHistoryLimit: pick(random, [0, 1, 10]),
      template: podTemplate(random, name, images),
    },
  });
}

/** One pod at a time, with a claim of the app's name. */
export const diskApp: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    replicas: 1,
    selector: selector(name),
    strategy: { type: "Recreate" },
    template: {
      metadata: { labels: labels(name) },
      spec: {
        containers: [{ name: "c", image: "app:1", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
        terminationGracePeriodSeconds: pick(random, [0, 1, 30]),
        volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
      },
    },
  },
});

const statefulSet: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    replicas: between(random, 0, 2),
    serviceName: name,
    selector: selector(name),
    podManagementPolicy: pick(random, ["OrderedReady", "Parallel"]),
    template: podTemplate(random, name, STEADY),
  },
});

/** Pods that keep something on their nodes' disks. */
export const store: Template["make"] = (random, name) => {
  const { metadata, spec } = statefulSet(random, name) as { metadata: object; spec: { template: PodShape } };
  const { template } = spec;
  const [first] = template.spec.containers;
  const containers = [{ ...first, volumeMounts: [{ name: "data", mountPath: "/data" }] }];
  const policies = ["Retain", "Delete"];
  return {
    metadata,
    spec: {
      ...spec,
      template: { ...template, spec: { ...template.spec, containers } },
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: pick(random, policies),
        whenScaled: pick(random, policies),
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: [pick(random, ["ReadWriteOnce", "ReadWriteOncePod"])],
            resources: { requests: { storage: "1Gi" } },
          },
        },
      ],
    },
  };
};
type PodShape = { spec: { containers: object[] } };

const daemonSet: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: { selector: selector(name), template: podTemplate(random, name, STEADY) },
});

function job(images: readonly string[]): Template["make"] {
  return (random, name) => ({
    metadata: { name },
    spec: {
      completions: between(random, 1, 4),
      parallelism: between(random, 1, 3),
      backoffLimit: between(random, 0, 3),
      ...(random() < 0.3 && { completionMode: "Indexed" }),
      ...(random() < 0.3 && { ttlSecondsAfterFinished: between(random, 0, 120) }),
      ...(random() < 0.2 && { activeDeadlineSeconds: between(random, 10, 300) }),
      template: podTemplate(random, name, images, { restartPolicy: pick(random, ["Never", "OnFailure"]) }),
    },
  });
}

const cronJob: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    schedule: pick(random, ["*/2 * * * *", "*/5 * * * *"]),
    concurrencyPolicy: pick(random, ["Allow", "Forbid", "Replace"]),
    successfulJobsHistoryLimit: between(random, 0, 2),
    jobTemplate: { spec: job(["job:1", "fail:1"])(random, name).spec },
  },
});

const service: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    selector: labels(pick(random, ["web-0", "web-1", "db-0"])),
    ports: [{ port: 80, targetPort: 8080 }],
    ...pick(random, [{}, {}, { type: "NodePort" }, { clusterIP: "None" }, { publishNotReadyAddresses: true }]),
  },
});

const budget: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    selector: selector(pick(random, ["web-0", "web-0", "web-1", "db-0"])),
    ...pick(random, [{ minAvailable: 1 }, { minAvailable: "50%" }, { maxUnavailable: 1 }, { maxUnavailable: 0 }]),
  },
});

const pod =
  (images: readonly string[]): Template["make"] =>
  (random, name) => {
    const { metadata, spec } = podTemplate(random, name, images) as { metadata: object; spec: object };
    return { metadata: { name, ...metadata }, spec };
  };

const config: Template["make"] = (random, name) => ({
  metadata: { name },
  data: { key: String(between(random, 0, 99)) },
});

const secret: Template["make"] = (random, name) => ({
  metadata: { name },
  data: { key: btoa(String(between(random, 0, 99))) },
});

const quota: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: { hard: pick(random, [{ pods: "2" }, { "requests.cpu": "2" }, { "count/configmaps": "3" }]) },
});

/** What its pods use is not known here, so that only its bounds scale. */
const autoscaler: Template["make"] = (random, name) => ({
  metadata: { name },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "restless-0" },
    minReplicas: between(random, 1, 3),
    maxReplicas: 3,
  },
});

/** One that a store's first pod will use; to be deleted, more often than to be made. */
const dataClaim: Template["make"] = (_random, name) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});

/** Who may reach whom, and where from: of the namespace, of all, of some. */
const networkPolicy: Template["make"] = (random, name) => {
  const pods = () => pick(random, [{}, selector("web-0"), selector("web-1"), selector("db-0")]);
  const peer = () =>
    pick(random, [{ podSelector: pods() }, { namespaceSelector: {}, podSelector: pods() }, { namespaceSelector: {} }]);
  const ports = pick(random, [[], [{ port: 80 }], [{ port: "http" }]]);
  return {
    metadata: { name },
    spec: {
      podSelector: pods(),
      ...pick(random, [
        { ingress: [{ from: [peer(), peer()], ports }] },
        { egress: [{ to: [peer()], ports }], policyTypes: ["Egress"] },
        { policyTypes: ["Ingress", "Egress"] },
      ]),
    },
  };
};

const CORE = "/api/v1";
const APPS = "/apis/apps/v1";
const BATCH = "/apis/batch/v1";

export const STEADY_TEMPLATES: readonly (readonly [number, Template])[] = [
  [6, { api: APPS, plural: "deployments", name: "web-0", make: deployment(STEADY) }],
  [4, { api: APPS, plural: "deployments", name: "web-1", make: deployment(STEADY) }],
  [3, { api: APPS, plural: "statefulsets", name: "db-0", make: statefulSet }],
  [2, { api: APPS, plural: "statefulsets", name: "store-0", make: store }],
  [2, { api: CORE, plural: "persistentvolumeclaims", name: "data-store-0-0", make: dataClaim }],
  [1, { api: APPS, plural: "daemonsets", name: "agent-0", make: daemonSet }],
  [2, { api: BATCH, plural: "jobs", name: "job-0", make: job(["job:1"]) }],
  [1, { api: BATCH, plural: "jobs", name: "job-1", make: job(["job:1", "fail:1"]) }],
  [3, { api: CORE, plural: "services", name: "service-0", make: service }],
  [3, { api: CORE, plural: "services", name: "service-1", make: service }],
  [4, { api: "/apis/policy/v1", plural: "poddisruptionbudgets", name: "budget-0", make: budget }],
  [2, { api: "/apis/networking.k8s.io/v1", plural: "networkpolicies", name: "policy-0", make: networkPolicy }],
  [1, { api: "/apis/networking.k8s.io/v1", plural: "networkpolicies", name: "policy-1", make: networkPolicy }],
  [3, { api: CORE, plural: "pods", name: "pod-0", make: pod(STEADY) }],
  [3, { api: CORE, plural: "configmaps", name: "config-0", make: config }],
  [1, { api: CORE, plural: "configmaps", name: "config-1", make: config }],
  [1, { api: CORE, plural: "resourcequotas", name: "quota-0", make: quota }],
  [2, { api: CORE, plural: "secrets", name: "secret-0", make: secret }],
];

export const UNSTEADY_TEMPLATES: readonly (readonly [number, Template])[] = [
  [3, { api: APPS, plural: "deployments", name: "restless-0", make: deployment(RESTLESS) }],
  [2, { api: BATCH, plural: "cronjobs", name: "tick-0", make: cronJob }],
  [4, { api: "/apis/autoscaling/v2", plural: "horizontalpodautoscalers", name: "scaler-0", make: autoscaler }],
  [2, { api: CORE, plural: "pods", name: "restless-1", make: pod(RESTLESS) }],
];
