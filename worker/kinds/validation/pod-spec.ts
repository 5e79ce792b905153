import {
  betweenNumbers,
  dnsLabelProblems,
  dnsSubdomainProblems,
  qualifiedNameProblems,
  searchDomainProblems,
} from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type {
  CoreV1Pod,
  CoreV1PodDNSConfig,
  CoreV1PodResourceClaim,
  CoreV1PodSpec,
  CoreV1PodTemplateSpec,
} from "../generated/types.ts";
import { validateAllContainers, validateTrimmed } from "./containers.ts";
import { invalidFor, notFoundField, type Problems, validateAnnotations, validateLabels } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { isIp, NOT_AN_IP } from "./ip.ts";
import { eachContainer, validateHostProcess, validateSystem } from "./operating-system.ts";
import { validatePodAnnotations } from "./pod-annotations.ts";
import { validatePodResources } from "./pod-resources.ts";
import { validateRequirements } from "./resources.ts";
import { validateAffinity, validateSpread, validateTolerations } from "./scheduling.ts";
import { validatePodSecurityContext } from "./security.ts";
import { type VolumesOwner, validateVolumes } from "./volumes.ts";

export function* validatePod({ metadata, spec }: CoreV1Pod): Problems {
  yield* validatePodAnnotations(metadata?.annotations, spec, "metadata.annotations");
  yield* validatePodSpec(spec, "spec", { isPod: true, name: metadata?.name ?? "" });
  if (!spec?.serviceAccountName)
    for (const [index, { projected }] of (spec?.volumes ?? []).entries())
      for (const [sourceIndex, source] of (projected?.sources ?? []).entries())
        if (source.serviceAccountToken)
          yield forbiddenField(
            `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`,
            "must not be specified when serviceAccountName is not set",
          );
  for (const list of ["containers", "initContainers"] as const)
    for (const [index, container] of (spec?.[list] ?? []).entries())
      yield* validateTrimmed(container, `spec.${list}[${index}]`);
}

/** What a Pod may not have when it is made. */
export function* validateNewPod({ spec }: CoreV1Pod): Problems {
  if (spec?.ephemeralContainers?.length) yield forbiddenField("spec.ephemeralContainers", "cannot be set on create");
  if (spec?.nodeName && spec.schedulingGates?.length)
    yield forbiddenField("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
}

export function* validatePodTemplate(template: CoreV1PodTemplateSpec | undefined, field: string): Problems {
  yield* validateLabels(template?.metadata?.labels, `${field}.labels`);
  yield* validateAnnotations(template?.metadata?.annotations, `${field}.annotations`);
  yield* validatePodAnnotations(template?.metadata?.annotations, template?.spec, `${field}.annotations`);
  yield* validatePodSpec(template?.spec, `${field}.spec`, { isPod: false });
  if (template?.spec?.ephemeralContainers?.length)
    yield forbiddenField(`${field}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template");
}

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PREEMPTION_POLICIES = ["PreemptLowerPriority", "Never"];
const MAX_SECONDS = 2 ** 31 - 1;

function* validatePodSpec(given: CoreV1PodSpec | undefined, field: string, owner: VolumesOwner): Problems {
  const spec: CoreV1PodSpec = given ?? { containers: [] };
  if (spec.terminationGracePeriodSeconds === undefined) yield required(`${field}.terminationGracePeriodSeconds`);
  const { known, problems } = validateVolumes(spec.volumes, `${field}.volumes`, owner);
  yield* problems;
  yield* validateResourceClaims(spec.resourceClaims ?? [], `${field}.resourceClaims`);
  yield* validateAllContainers(spec, known, field);
  yield* validatePodResources(spec, `${field}.resources`);
  yield* validateHostNetworkPorts(spec, field, owner);
  yield* oneOf(spec.restartPolicy, RESTART_POLICIES, `${field}.restartPolicy`);
  yield* oneOf(spec.dnsPolicy, DNS_POLICIES, `${field}.dnsPolicy`);
  yield* validateLabels(spec.nodeSelector, `${field}.nodeSelector`);
  yield* validatePodSecurityContext(spec.securityContext, spec, field);
  yield* validateAffinity(spec.affinity, `${field}.affinity`);
  yield* validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${field}.dnsConfig`);
  yield* validateGates(spec, field);
  yield* validateSpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`);
  yield* validateHostProcess(spec, field);
  yield* validateHostUsers(spec, field);
  yield* validateNames(spec, field);
  yield* validateTolerations(spec.tolerations, `${field}.tolerations`);
  yield* validateHostAliases(spec, `${field}.hostAliases`);
  yield* validateRest(spec, field);
}

function* oneOf(value: string | undefined, allowed: readonly string[], field: string): Problems {
  if (!value) yield required(field);
  else if (!allowed.includes(value)) yield notSupported(field, value, allowed);
}

/** A template may leave the ports of the node to be filled in. */
function* validateHostNetworkPorts(spec: CoreV1PodSpec, field: string, { isPod }: VolumesOwner): Problems {
  if (!spec.hostNetwork) return;
  for (const [index, container] of (spec.containers ?? []).entries())
    for (const [portIndex, { hostPort = 0, containerPort = 0 }] of (container.ports ?? []).entries())
      if ((isPod || hostPort) && hostPort !== containerPort)
        yield invalidValue(
          `${field}.containers[${index}].ports[${portIndex}].hostPort`,
          hostPort,
          "must match `containerPort` when `hostNetwork` is true",
        );
}

/** https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/ */
function* validateHostUsers(spec: CoreV1PodSpec, field: string): Problems {
  if (spec.hostUsers !== false) return;
  const why = "when `hostUsers` is false";
  if (spec.hostNetwork) yield forbiddenField(`${field}.hostNetwork`, why);
  if (spec.hostPID) yield forbiddenField(`${field}.HostPID`, why);
  if (spec.hostIPC) yield forbiddenField(`${field}.HostIPC`, why);
  for (const [{ volumeDevices }, at] of eachContainer(spec, field))
    if (volumeDevices?.length) yield forbiddenField(`${at}.volumeDevices`, why);
}

function* validateResourceClaims(claims: readonly CoreV1PodResourceClaim[], field: string): Problems {
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const at = `${field}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const shown = goValue("core.PodResourceClaim", claim);
    if (!name) yield required(`${at}.name`);
    else if (names.has(name)) yield duplicate(`${at}.name`, name);
    else yield* invalidFor(`${at}.name`, name, dnsLabelProblems(name));
    names.add(name ?? "");
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      yield invalidValue(
        at,
        shown,
        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified",
      );
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      yield invalidValue(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    for (const [source, given] of Object.entries({ resourceClaimName, resourceClaimTemplateName }))
      if (given !== undefined) yield* invalidFor(`${at}.${source}`, given, dnsSubdomainProblems(given));
  }
}

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

function* validateDnsConfig(
  config: CoreV1PodDNSConfig | undefined,
  policy: string | undefined,
  field: string,
): Problems {
  if (policy === "None") {
    if (!config) {
      yield required(field, "must provide `dnsConfig` when `dnsPolicy` is None");
      return;
    }
    if (!config.nameservers?.length) {
      yield required(`${field}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None");
      return;
    }
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (nameservers.length > MAX_NAMESERVERS)
    yield invalidValue(`${field}.nameservers`, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`);
  for (const [index, server] of nameservers.entries())
    if (!isIp(server)) yield invalidValue(`${field}.nameservers[${index}]`, server, NOT_AN_IP);
  if (searches.length > MAX_SEARCHES)
    yield invalidValue(`${field}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`);
  if (searches.join(" ").length > MAX_SEARCH_CHARACTERS)
    yield invalidValue(
      `${field}.searches`,
      searches,
      `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`,
    );
  for (const [index, search] of searches.entries()) {
    if (search === ".") continue;
    const name = search.replace(/\.$/, "");
    yield* invalidFor(`${field}.searches[${index}]`, name, searchDomainProblems(name));
  }
  for (const [index, option] of options.entries())
    if (!option.name) yield required(`${field}.options[${index}]`, "must not be empty");
}

function* validateGates(spec: CoreV1PodSpec, field: string): Problems {
  for (const [index, { conditionType = "" }] of (spec.readinessGates ?? []).entries())
    yield* invalidFor(
      `${field}.readinessGates[${index}].conditionType`,
      conditionType,
      qualifiedNameProblems(conditionType),
    );
  const names = new Set<string>();
  for (const [index, { name = "" }] of (spec.schedulingGates ?? []).entries()) {
    const at = `${field}.schedulingGates[${index}]`;
    yield* invalidFor(at, name, qualifiedNameProblems(name));
    if (names.has(name)) yield duplicate(at, name);
    names.add(name);
  }
}

const MAX_HOSTNAME = 64;

function* validateHostname(
  { hostnameOverride: name, setHostnameAsFQDN, hostNetwork }: CoreV1PodSpec,
  field: string,
): Problems {
  if (name === undefined) return;
  const at = `${field}.hostnameOverride`;
  if (setHostnameAsFQDN) yield forbiddenField(at, "may not be specified when setHostnameAsFQDN is true");
  if (hostNetwork) yield forbiddenField(at, "may not be specified when hostNetwork is true");
  if (name.length > MAX_HOSTNAME) yield tooLong(at, MAX_HOSTNAME);
  yield* invalidFor(at, name, dnsSubdomainProblems(name));
}

function* validateNames(spec: CoreV1PodSpec, field: string): Problems {
  yield* validateHostname(spec, field);
  const { serviceAccountName, nodeName, activeDeadlineSeconds: deadline, hostname, subdomain } = spec;
  if (serviceAccountName)
    yield* invalidFor(`${field}.serviceAccountName`, serviceAccountName, dnsSubdomainProblems(serviceAccountName));
  if (nodeName) yield* invalidFor(`${field}.nodeName`, nodeName, dnsSubdomainProblems(nodeName));
  if (deadline !== undefined && (deadline < 1 || deadline > MAX_SECONDS))
    yield invalidValue(`${field}.activeDeadlineSeconds`, deadline, betweenNumbers(1, MAX_SECONDS));
  if (hostname) yield* invalidFor(`${field}.hostname`, hostname, dnsLabelProblems(hostname));
  if (subdomain) yield* invalidFor(`${field}.subdomain`, subdomain, dnsLabelProblems(subdomain));
}

function* validateHostAliases(spec: CoreV1PodSpec, field: string): Problems {
  for (const [index, { ip = "", hostnames }] of (spec.hostAliases ?? []).entries()) {
    if (!isIp(ip)) yield invalidValue(`${field}[${index}].ip`, ip, NOT_AN_IP);
    for (const [at, hostname] of (hostnames ?? []).entries())
      yield* invalidFor(`${field}[${index}].hostnames[${at}]`, hostname, dnsSubdomainProblems(hostname));
  }
}

function* validateRest(spec: CoreV1PodSpec, field: string): Problems {
  const { priorityClassName, runtimeClassName, preemptionPolicy, overhead } = spec;
  if (priorityClassName)
    yield* invalidFor(`${field}.priorityClassName`, priorityClassName, dnsSubdomainProblems(priorityClassName));
  if (runtimeClassName !== undefined)
    yield* invalidFor(`${field}.runtimeClassName`, runtimeClassName, dnsSubdomainProblems(runtimeClassName));
  if (preemptionPolicy !== undefined) yield* oneOf(preemptionPolicy, PREEMPTION_POLICIES, `${field}.preemptionPolicy`);
  if (overhead) yield* validateRequirements({ limits: overhead }, new Set(), `${field}.overhead`);
  yield* validateSystem(spec, field);
  yield* validateFileVolumes(spec, field);
}

/** Variables that come from files of a volume: only of those that containers of the pod can have written. */
function* validateFileVolumes(spec: CoreV1PodSpec, field: string): Problems {
  for (const [{ env }, at] of eachContainer(spec, field))
    for (const [index, { valueFrom }] of (env ?? []).entries()) {
      if (!valueFrom?.fileKeyRef) continue;
      const name = valueFrom.fileKeyRef.volumeName ?? "";
      const volume = spec.volumes?.findLast((one) => one.name === name);
      const nameAt = `${at}.env[${index}].valueFrom.fileKeyRef.volumeName`;
      if (!volume) yield notFoundField(nameAt, name);
      else if (!volume.emptyDir) yield invalidValue(nameAt, name, "referenced volume must be of type emptyDir");
    }
}
