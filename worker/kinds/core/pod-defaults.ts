import { canonicalizeResources, formatQuantity } from "../../lib/quantity.ts";
import type {
  CoreV1Container,
  CoreV1EnvVar,
  CoreV1EphemeralContainer,
  CoreV1HTTPGetAction,
  CoreV1ObjectFieldSelector,
  CoreV1Pod,
  CoreV1PodSpec,
  CoreV1PodTemplateSpec,
  CoreV1Probe,
  CoreV1ResourceRequirements,
  CoreV1Volume,
  CoreV1VolumeProjection,
} from "../generated/types.ts";
import { podRequests } from "./pod-resources.ts";

export const DEFAULT_SCHEDULER = "default-scheduler";

/**
 * Defaults of pods, and of the pod templates in workloads.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export type AnyContainer = CoreV1Container | CoreV1EphemeralContainer;

const FILE_MODE = 0o644;

/** What a Pod gets beyond what a template gets. */
export function defaultPod(pod: CoreV1Pod): void {
  const spec = pod.spec;
  if (!spec) return;
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  for (const container of runnable(spec)) requestsFromLimits(container.resources);
  defaultPodResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) {
    for (const port of runnable(spec).flatMap((container) => container.ports ?? []))
      if (!port.hostPort && port.containerPort) port.hostPort = port.containerPort;
  }
  defaultPodSpec(spec);
}

export function defaultPodTemplate(template: CoreV1PodTemplateSpec | null | undefined): void {
  if (template?.spec) defaultPodSpec(template.spec);
}

/** A pod that limits itself asks for that much, or for what its containers do. */
function defaultPodResources(spec: CoreV1PodSpec): void {
  const { resources } = spec;
  if (!resources) return;
  const { resources: _, overhead: __, ...bare } = spec;
  for (const [name, sum] of Object.entries(podRequests({ spec: bare })))
    if (POD_RESOURCES.test(name)) {
      resources.requests ??= {};
      resources.requests[name] ??= formatQuantity(sum);
    }
  requestsFromLimits(resources);
}

const POD_RESOURCES = /^(cpu|memory|hugepages-.*)$/;

/** Fields of features that are off by default: they are not kept. */
function dropDisabled(spec: CoreV1PodSpec): void {
  delete spec.workloadRef;
  for (const container of allContainers(spec)) {
    if (!container.lifecycle?.stopSignal) continue;
    delete container.lifecycle.stopSignal;
    if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
  }
  for (const source of (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])) {
    delete source.clusterTrustBundle;
    delete source.podCertificate;
  }
}

function defaultPodSpec(spec: CoreV1PodSpec): void {
  dropDisabled(spec);
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= DEFAULT_SCHEDULER;
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  canonicalizeResources(spec.overhead);
  canonicalizeRequirements(spec.resources);
  for (const container of allContainers(spec)) defaultContainer(container);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

const runnable = (spec: CoreV1PodSpec): CoreV1Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
];
const allContainers = (spec: CoreV1PodSpec): AnyContainer[] => [...runnable(spec), ...(spec.ephemeralContainers ?? [])];

function requestsFromLimits(resources: CoreV1ResourceRequirements | null | undefined): void {
  if (!resources?.limits) return;
  for (const [name, limit] of Object.entries(resources.limits)) {
    resources.requests ??= {};
    resources.requests[name] ??= limit;
  }
}

function canonicalizeRequirements(resources: CoreV1ResourceRequirements | null | undefined): void {
  canonicalizeResources(resources?.limits);
  canonicalizeResources(resources?.requests);
}

function defaultContainer(container: AnyContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  canonicalizeRequirements(container.resources);
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe);
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop])
    defaultHttpGet(handler?.httpGet);
  for (const variable of container.env ?? []) defaultVariable(variable);
}

const PATH = "[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*";
const HOST =
  "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[a-fA-F0-9:]+\\])";
/** https://github.com/distribution/reference */
const REFERENCE = new RegExp(
  `^(?:${HOST}(?::[0-9]+)?/)?(${PATH}(?:/${PATH})*)(?::(\\w[\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);
const MAX_NAME = 255;

/** Always for `:latest`, also when only implied; else, and where it cannot be read, what the node has is fine. */
function defaultPullPolicy(image: string | undefined): string {
  const [, path = "", tag, digest] = REFERENCE.exec(image ?? "") ?? [];
  if (!path || path.length > MAX_NAME) return "IfNotPresent";
  return tag === "latest" || (!tag && !digest) ? "Always" : "IfNotPresent";
}

function defaultProbe(probe: CoreV1Probe | null | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= "";
  defaultHttpGet(probe.httpGet);
}

function defaultHttpGet(http: CoreV1HTTPGetAction | null | undefined): void {
  if (!http) return;
  http.path ||= "/";
  http.scheme ||= "HTTP";
}

function defaultVariable({ valueFrom }: CoreV1EnvVar): void {
  defaultFieldRef(valueFrom?.fieldRef);
  const resource = valueFrom?.resourceFieldRef;
  if (resource) resource.divisor ??= "0";
}

function defaultFieldRef(ref: CoreV1ObjectFieldSelector | null | undefined): void {
  if (ref) ref.apiVersion ||= "v1";
}

function defaultVolume(volume: CoreV1Volume): void {
  if (Object.keys(volume).every((field) => field === "name" || volume[field as keyof CoreV1Volume] === null))
    volume.emptyDir = {};
  if (volume.hostPath) volume.hostPath.type ??= "";
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected])
    if (source) source.defaultMode ??= FILE_MODE;
  for (const item of volume.downwardAPI?.items ?? []) defaultDownwardItem(item);
  for (const source of volume.projected?.sources ?? []) defaultProjection(source);
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) {
    claim.volumeMode ??= "Filesystem";
    canonicalizeResources(claim.resources?.limits);
    canonicalizeResources(claim.resources?.requests);
  }
}

function defaultProjection(source: CoreV1VolumeProjection): void {
  if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
  for (const item of source.downwardAPI?.items ?? []) defaultDownwardItem(item);
}

function defaultDownwardItem(item: {
  fieldRef?: CoreV1ObjectFieldSelector;
  resourceFieldRef?: { divisor?: string };
}): void {
  defaultFieldRef(item.fieldRef);
  if (item.resourceFieldRef) item.resourceFieldRef.divisor ??= "0";
}
