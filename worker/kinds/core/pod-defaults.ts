import { canonicalizeResources } from "../../lib/quantity.ts";
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
  requestsFromLimits(spec.resources);
  for (const container of runnable(spec)) requestsFromLimits(container.resources);
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

function defaultPodSpec(spec: CoreV1PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
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

/** Always for `:latest`, also when only implied; else what the node has is fine. */
function defaultPullPolicy(image: string | undefined): string {
  if (!image) return "IfNotPresent";
  const [name = "", digest] = image.split("@");
  const last = name.slice(name.lastIndexOf("/") + 1);
  const colon = last.lastIndexOf(":");
  const tag = colon >= 0 ? last.slice(colon + 1) : digest === undefined ? "latest" : "";
  return tag === "latest" ? "Always" : "IfNotPresent";
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
