/** The objects that every cluster has from its first moment, as kube-apiserver makes them. */
import { CLASS_NAME, CONTROLLER, DEFAULT_CLASS_ANNOTATION } from "../../kinds/ingress/class.ts";
import { type ClusterConfig, nthAddress } from "../../lib/config.ts";
import { timestamp } from "../../lib/effects.ts";
import { PROVISIONER } from "../../lib/local-volumes.ts";
import type { KubeObject } from "../../lib/object.ts";
import data from "./objects.json" with { type: "json" };

const RBAC = "rbac.authorization.k8s.io";
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** The API's own address in a service CIDR. */
const API_ADDRESS = 1;
/** Where the API listens on a node, behind its Service. */
const API_PORT = 6443;

type Named = { name: string; namespace?: string; labels?: Record<string, string> };

const rbacObject = (kind: string, { name, namespace, labels, ...rest }: Named & object): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind,
  metadata: {
    name,
    ...(namespace && { namespace }),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
    annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
  },
  ...rest,
});

type Subject = { kind: string };

const bindingObject = (kind: string, binding: Named & { roleRef: object; subjects: Subject[] }): KubeObject =>
  rbacObject(kind, {
    ...binding,
    roleRef: { apiGroup: RBAC, ...binding.roleRef },
    subjects: binding.subjects.map((subject) => ({
      ...subject,
      ...(subject.kind !== "ServiceAccount" && { apiGroup: RBAC }),
    })),
  } as Named);

const flowObject = (kind: string, { name, spec }: { name: string; spec: object }): KubeObject & { spec: object } => ({
  apiVersion: "flowcontrol.apiserver.k8s.io/v1",
  kind,
  metadata: { name, annotations: { "apf.kubernetes.io/autoupdate-spec": "true" } },
  spec,
});

type ApiService = { group: string; version: string; groupPriorityMinimum: number; versionPriority: number };

const apiServiceObject = ({ group, ...spec }: ApiService) => ({
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: {
    name: `${spec.version}.${group}`,
    labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" },
  },
  spec: { ...(group && { group }), ...spec },
});

function network({ serviceCIDR, ipv6 }: ClusterConfig): object[] {
  const clusterIP = nthAddress(serviceCIDR, API_ADDRESS);
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: "kubernetes" },
      spec: { cidrs: [serviceCIDR, ...(ipv6 ? [ipv6.serviceCIDR] : [])] },
      status: {
        conditions: [{ type: "Ready", status: "True", reason: "", message: "Kubernetes Service CIDR is ready" }],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "kubernetes",
        namespace: "default",
        labels: { component: "apiserver", provider: "kubernetes" },
      },
      spec: {
        type: "ClusterIP",
        clusterIP,
        clusterIPs: [clusterIP],
        sessionAffinity: "None",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: API_PORT }],
      },
    },
  ];
}

/** Since when the cluster marks the use of tokens that never expire; kube-controller-manager clears unused ones by it. */
const tokenTracking = (now: number): KubeObject & { data: object } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" },
  data: { since: timestamp(now).slice(0, "2026-01-01".length) },
});

const AGGREGATED = "rbac.authorization.k8s.io/aggregate-to";

/**
 * For what Skerry's own controllers and API have beside kube-apiserver's: kubelets' serving certificates are approved, and
 * who may see pods may see what they use.
 */
const ownRoles: KubeObject[] = [
  rbacObject("ClusterRole", {
    name: "skerry:kubelet-serving-approver",
    rules: [
      {
        verbs: ["approve"],
        apiGroups: ["certificates.k8s.io"],
        resources: ["signers"],
        resourceNames: ["kubernetes.io/kubelet-serving"],
      },
    ],
  } as Named),
  bindingObject("ClusterRoleBinding", {
    name: "skerry:kubelet-serving-approver",
    roleRef: { kind: "ClusterRole", name: "skerry:kubelet-serving-approver" },
    subjects: [{ kind: "ServiceAccount", name: "certificate-controller", namespace: "kube-system" } as Subject],
  }),
  rbacObject("ClusterRole", {
    name: "system:aggregated-metrics-reader",
    labels: Object.fromEntries(["view", "edit", "admin"].map((role) => [`${AGGREGATED}-${role}`, "true"])),
    rules: [{ verbs: ["get", "list"], apiGroups: ["metrics.k8s.io"], resources: ["pods", "nodes"] }],
  } as Named),
];

/**
 * For claims that name no class: folders on the nodes' own disks.
 * https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass
 */
const storageClass: KubeObject & Record<string, unknown> = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: PROVISIONER,
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
  allowVolumeExpansion: true,
};

/**
 * For Ingresses that name no class: nodes serve them on their networks, and the Worker at the edge.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
 */
const ingressClass = (annotations: Record<string, string>): KubeObject & Record<string, unknown> => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name: CLASS_NAME, annotations },
  spec: { controller: CONTROLLER },
});

/** What a cluster with controllers is given once. */
export type Given = {
  /** The setting that says it was. */
  setting: string;
  /** Where there is none of its kind yet. */
  first: KubeObject & Record<string, unknown>;
  /** Where there are others, which are what is wanted; absent for nothing. */
  beside?: KubeObject & Record<string, unknown>;
};

export const givenObjects: readonly Given[] = [
  { setting: "bootstrap.storage-class", first: storageClass },
  {
    setting: "bootstrap.ingress-class",
    first: ingressClass({ [DEFAULT_CLASS_ANNOTATION]: "true" }),
    beside: ingressClass({}),
  },
];

/** In the order in which they can be created. */
export function bootstrapObjects(config: ClusterConfig, now: number): KubeObject[] {
  return [
    ...NAMESPACES.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    ...data.priorityClasses.map((object) => ({
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      ...object,
    })),
    ...data.clusterRoles.map((role) => rbacObject("ClusterRole", role as Named)),
    ...data.roles.map((role) => rbacObject("Role", role as Named)),
    ...data.clusterRoleBindings.map((binding) => bindingObject("ClusterRoleBinding", binding)),
    ...data.roleBindings.map((binding) => bindingObject("RoleBinding", binding)),
    ...(config.controllers ? ownRoles : []),
    ...data.priorityLevels.map((level) => flowObject("PriorityLevelConfiguration", level)),
    ...data.flowSchemas.map((schema) => flowObject("FlowSchema", schema)),
    ...data.apiServices.map(apiServiceObject),
    ...(network(config) as KubeObject[]),
    tokenTracking(now),
  ];
}
