import { betweenNumbers, dnsLabelProblems, dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Pod, CoreV1PodDNSConfig, CoreV1PodSpec, CoreV1PodTemplateSpec } from "../generated/types.ts";
import { validateAllContainers } from "./containers.ts";
import { invalidFor, type Problems, validateAnnotations, validateLabels } from "./fields.ts";
import { isIp, NOT_AN_IP } from "./ip.ts";
import { validateQuantity, validateRequirements, validateResourceName } from "./resources.ts";
import { validateAffinity, validateSpread, validateTolerations } from "./scheduling.ts";
import { validatePodSecurityContext } from "./security.ts";
import { validateVolumes } from "./volumes.ts";

export function* validatePod(pod: CoreV1Pod): Problems {
  yield* validatePodSpec(pod.spec, "spec");
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
  yield* validatePodSpec(template?.spec, `${field}.spec`);
  if (template?.spec?.ephemeralContainers?.length)
    yield forbiddenField(`${field}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template");
}

const RESTART_POLICIES = ["Always", "OnFailure", "Never"];
const DNS_POLICIES = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
const PREEMPTION_POLICIES = ["Never", "PreemptLowerPriority"];
const SYSTEMS = ["linux", "windows"];
const MAX_SECONDS = 2 ** 31 - 1;

function* validatePodSpec(given: CoreV1PodSpec | undefined, field: string): Problems {
  const spec: CoreV1PodSpec = given ?? { containers: [] };
  const { known, problems } = validateVolumes(spec.volumes, `${field}.volumes`);
  yield* problems;
  yield* validateAllContainers(spec, known, field);
  if (spec.resources) yield* validateRequirements(spec.resources, new Set(), `${field}.resources`);
  yield* validateHostNetworkPorts(spec, field);
  yield* oneOf(spec.restartPolicy, RESTART_POLICIES, `${field}.restartPolicy`);
  yield* oneOf(spec.dnsPolicy, DNS_POLICIES, `${field}.dnsPolicy`);
  yield* validateLabels(spec.nodeSelector, `${field}.nodeSelector`);
  yield* validatePodSecurityContext(spec.securityContext, spec, field);
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries())
    if (!secret.name) yield required(`${field}.imagePullSecrets[${index}].name`);
  yield* validateAffinity(spec.affinity, `${field}.affinity`);
  yield* validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${field}.dnsConfig`);
  yield* validateGates(spec, field);
  yield* validateSpread(spec.topologySpreadConstraints, `${field}.topologySpreadConstraints`);
  yield* validateNames(spec, field);
  yield* validateTolerations(spec.tolerations, `${field}.tolerations`);
  yield* validateHostAliases(spec, `${field}.hostAliases`);
  yield* validateRest(spec, field);
}

function* oneOf(value: string | undefined, allowed: readonly string[], field: string): Problems {
  if (!value) yield required(field);
  else if (!allowed.includes(value)) yield notSupported(field, value, allowed);
}

function* validateHostNetworkPorts(spec: CoreV1PodSpec, field: string): Problems {
  if (!spec.hostNetwork) return;
  for (const list of ["containers", "initContainers"] as const)
    for (const [index, container] of (spec[list] ?? []).entries())
      for (const [portIndex, port] of (container.ports ?? []).entries())
        if (port.hostPort !== port.containerPort)
          yield invalidValue(
            `${field}.${list}[${index}].ports[${portIndex}].hostPort`,
            port.hostPort ?? 0,
            "must match `containerPort` when `hostNetwork` is true",
          );
}

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

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
    if (!config.nameservers?.length)
      yield required(`${field}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (nameservers.length > MAX_NAMESERVERS)
    yield invalidValue(`${field}.nameservers`, nameservers, `must not have more than ${MAX_NAMESERVERS} nameservers`);
  for (const [index, server] of nameservers.entries())
    if (!isIp(server)) yield invalidValue(`${field}.nameservers[${index}]`, server, NOT_AN_IP);
  if (searches.length > MAX_SEARCHES)
    yield invalidValue(`${field}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`);
  for (const [index, search] of searches.entries()) {
    const name = search.replace(/\.$/, "").replace(/(^|\.)_/g, "$1");
    if (name) yield* invalidFor(`${field}.searches[${index}]`, search, dnsSubdomainProblems(name));
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

function* validateNames(spec: CoreV1PodSpec, field: string): Problems {
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
    for (const hostname of hostnames ?? [])
      yield* invalidFor(`${field}[${index}].hostnames`, hostname, dnsSubdomainProblems(hostname));
  }
}

function* validateRest(spec: CoreV1PodSpec, field: string): Problems {
  const { priorityClassName, runtimeClassName, preemptionPolicy, overhead, os } = spec;
  if (priorityClassName)
    yield* invalidFor(`${field}.priorityClassName`, priorityClassName, dnsSubdomainProblems(priorityClassName));
  if (runtimeClassName !== undefined)
    yield* invalidFor(`${field}.runtimeClassName`, runtimeClassName, dnsSubdomainProblems(runtimeClassName));
  if (preemptionPolicy !== undefined) yield* oneOf(preemptionPolicy, PREEMPTION_POLICIES, `${field}.preemptionPolicy`);
  for (const [name, amount] of Object.entries(overhead ?? {})) {
    yield* validateResourceName(name, `${field}.overhead[${name}]`);
    yield* validateQuantity(name, amount, `${field}.overhead[${name}]`);
  }
  if (os) yield* oneOf(os.name, SYSTEMS, `${field}.os.name`);
}
