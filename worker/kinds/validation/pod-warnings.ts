import { dnsLabelProblems, labelValueProblems } from "../../lib/names.ts";
import type { AnyContainer } from "../core/pod-defaults.ts";
import type {
  CoreV1ContainerPort,
  CoreV1NodeSelectorTerm,
  CoreV1PodAffinity,
  CoreV1PodSpec,
  MetaV1ObjectMeta,
} from "../generated/types.ts";
import { entries } from "./fields.ts";
import { fractionWarnings } from "./fraction-warnings.ts";
import { ipWarnings } from "./ip.ts";
import { eachContainer } from "./operating-system.ts";
import { volumeWarnings } from "./volume-warnings.ts";

/** What the server accepts and yet tells clients about. */
const renamedLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
};

function* nodeLabelWarnings(labels: Readonly<Record<string, string>> | undefined, field: (key: string) => string) {
  for (const [key] of entries(labels)) if (renamedLabels[key]) yield `${field(key)}: ${renamedLabels[key]}`;
}

export function* nodeTermWarnings(term: CoreV1NodeSelectorTerm, field: string, checkValues = false): Iterable<string> {
  for (const [index, { key, values }] of (term.matchExpressions ?? []).entries()) {
    const at = `${field}.matchExpressions[${index}]`;
    if (renamedLabels[key]) yield `${at}.key: ${key} is ${renamedLabels[key]}`;
    if (checkValues)
      for (const [valueIndex, value] of (values ?? []).entries())
        for (const why of labelValueProblems(value)) yield `${at}.values[${valueIndex}]: ${value} is invalid, ${why}`;
  }
}

/** A name that pods take over must be one label to be a host name. `use` says for what it is used. */
export function* nameWarnings(name: string | undefined, use: string): Iterable<string> {
  const problems = dnsLabelProblems(name ?? "");
  if (name && problems.length)
    yield `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(" ")}]`;
}

type Replicated = { metadata?: { name?: string; generation?: number }; spec?: { template?: Template } };

/** Of what keeps replicas that are named after it. */
export function* replicatedWarnings({ metadata, spec }: Replicated, old: Replicated | undefined): Iterable<string> {
  if (!old) yield* nameWarnings(metadata?.name, "Pod names and hostnames");
  yield* templateWarnings({ metadata, spec }, old);
}

/** Told again only when something besides the status changes. */
export function* templateWarnings({ metadata, spec }: Replicated, old: Replicated | undefined): Iterable<string> {
  if (!old || old.metadata?.generation !== metadata?.generation) yield* podWarnings(spec?.template, "spec.template.");
}

const NOT_USED: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};
const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead';

type Template = { metadata?: Pick<MetaV1ObjectMeta, "annotations">; spec?: CoreV1PodSpec };

/** `field` is where the template stands, with a dot at its end; "" for a pod. */
export function* podWarnings(template: Template | undefined, field: string): Iterable<string> {
  const { metadata, spec } = template ?? {};
  if (!spec) return;
  yield* nodeLabelWarnings(spec.nodeSelector, (key) => `${field}spec.nodeSelector[${key}]`);
  yield* placementWarnings(spec, `${field}spec`);
  for (const [key, why] of Object.entries(NOT_USED))
    if (metadata?.annotations?.[key] !== undefined) yield `${field}metadata.annotations[${key}]: ${why}`;
  yield* volumeWarnings(spec.volumes ?? [], `${field}spec.volumes`);
  yield* listWarnings(spec, `${field}spec`);
  yield* fractionWarnings(spec.overhead, `${field}spec.overhead`);
  if (!spec.securityContext?.seccompProfile)
    yield* annotationWarning(metadata, "seccomp.security.alpha.kubernetes.io/pod", SECCOMP, field);
  for (const [container, at] of eachContainer(spec, `${field}spec`)) {
    if (!container.securityContext?.seccompProfile)
      yield* annotationWarning(
        metadata,
        `container.seccomp.security.alpha.kubernetes.io/${container.name}`,
        SECCOMP,
        field,
      );
    if (field && !container.securityContext?.appArmorProfile && !spec.securityContext?.appArmorProfile)
      yield* annotationWarning(
        metadata,
        `container.apparmor.security.beta.kubernetes.io/${container.name}`,
        APP_ARMOR,
        field,
      );
    yield* containerWarnings(container, at);
  }
  yield* portWarnings(spec, `${field}spec`);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    yield `${field}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`;
  for (const side of ["podAffinity", "podAntiAffinity"] as const)
    yield* termWarnings(spec.affinity?.[side], `${field}spec.affinity.${side}`);
  for (const [index, server] of (spec.dnsConfig?.nameservers ?? []).entries())
    yield* ipWarnings(server, `${field}spec.dnsConfig.nameservers[${index}]`);
  for (const [index, { ip = "" }] of (spec.hostAliases ?? []).entries())
    yield* ipWarnings(ip, `${field}spec.hostAliases[${index}].ip`);
}

function* annotationWarning(metadata: Template["metadata"], key: string, why: string, field: string): Iterable<string> {
  if (metadata?.annotations?.[key] !== undefined) yield `${field}metadata.annotations[${key}]: ${why}`;
}

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const NO_SELECTOR = "a null labelSelector results in matching no pod";

function* placementWarnings({ affinity, topologySpreadConstraints }: CoreV1PodSpec, field: string): Iterable<string> {
  const node = affinity?.nodeAffinity;
  const at = `${field}.affinity.nodeAffinity`;
  for (const [index, term] of (node?.[REQUIRED]?.nodeSelectorTerms ?? []).entries())
    yield* nodeTermWarnings(term, `${at}.${REQUIRED}.nodeSelectorTerms[${index}]`);
  for (const [index, { preference }] of (node?.[PREFERRED] ?? []).entries())
    yield* nodeTermWarnings(preference ?? {}, `${at}.${PREFERRED}[${index}].preference`, true);
  for (const [index, { topologyKey, labelSelector }] of (topologySpreadConstraints ?? []).entries()) {
    const constraint = `${field}.topologySpreadConstraints[${index}]`;
    if (renamedLabels[topologyKey]) yield `${constraint}.topologyKey: ${topologyKey} is ${renamedLabels[topologyKey]}`;
    if (!labelSelector) yield `${constraint}.labelSelector: ${NO_SELECTOR}`;
  }
}

function* termWarnings(affinity: CoreV1PodAffinity | undefined, field: string): Iterable<string> {
  for (const [index, { labelSelector }] of (affinity?.[REQUIRED] ?? []).entries())
    if (!labelSelector) yield `${field}.${REQUIRED}[${index}].labelSelector: ${NO_SELECTOR}`;
  for (const [index, { podAffinityTerm }] of (affinity?.[PREFERRED] ?? []).entries())
    if (!podAffinityTerm?.labelSelector)
      yield `${field}.${PREFERRED}[${index}].podAffinityTerm.labelSelector: ${NO_SELECTOR}`;
}

function* listWarnings({ hostAliases = [], imagePullSecrets = [] }: CoreV1PodSpec, field: string): Iterable<string> {
  const ips = new Set<string>();
  for (const [index, { ip = "" }] of hostAliases.entries()) {
    if (ips.has(ip)) yield `${field}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(ip)}`;
    ips.add(ip);
  }
  const names = new Set<string>();
  for (const [index, { name = "" }] of imagePullSecrets.entries()) {
    if (names.has(name)) yield `${field}.imagePullSecrets[${index}].name: duplicate name ${JSON.stringify(name)}`;
    names.add(name);
  }
  for (const [index, { name }] of imagePullSecrets.entries())
    if (!name) yield `${field}.imagePullSecrets[${index}].name: invalid empty name ""`;
}

function* containerWarnings({ resources, env = [] }: AnyContainer, field: string): Iterable<string> {
  for (const name of ["memory", "ephemeral-storage"])
    for (const side of ["limits", "requests"] as const)
      yield* fractionWarnings(resources?.[side], `${field}.resources.${side}`, [name]);
  if (env.length < 2) return;
  const names = new Set<string>();
  for (const [index, { name, value = "", valueFrom }] of env.entries()) {
    const own = `$(${name})`;
    const extends_ = !valueFrom && value !== own && value.includes(own);
    if (names.has(name) && !extends_)
      yield `${field}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`;
    names.add(name);
  }
}

function* portWarnings(spec: CoreV1PodSpec, field: string): Iterable<string> {
  const known = new Map<string, { at: string; port: CoreV1ContainerPort }[]>();
  for (const [at, port] of eachPort(spec, field)) {
    if (port.hostIP && !port.hostPort) yield `${at}: hostIP set without hostPort: ${goPort(port)}`;
    const key = `${port.containerPort}/${port.protocol}`;
    const others = known.get(key) ?? [];
    for (const { at: other, port: taken } of others) {
      const what = clash(port, taken);
      if (what) yield `${at}: ${what} port definition with ${other}`;
    }
    known.set(key, [...others, { at, port }]);
  }
  const names = new Map<string, string>();
  for (const [at, { name }] of eachPort(spec, field)) {
    if (!name) continue;
    const other = names.get(name);
    if (other)
      yield `${at}: duplicate port name ${JSON.stringify(name)} with ${other}, services and probes that select ports by name will use ${other}`;
    else names.set(name, at);
  }
}

function* eachPort(spec: CoreV1PodSpec, field: string): Iterable<[string, CoreV1ContainerPort]> {
  for (const [{ ports }, at] of eachContainer(spec, field))
    for (const [index, port] of (ports ?? []).entries()) yield [`${at}.ports[${index}]`, port];
}

function clash(a: CoreV1ContainerPort, b: CoreV1ContainerPort): string | undefined {
  const [ips, ports] = [
    [a.hostIP ?? "", b.hostIP ?? ""],
    [a.hostPort ?? 0, b.hostPort ?? 0],
  ] as const;
  if (ips[0] === ips[1] && ports[0] === ports[1]) return "duplicate";
  if (!ports[0] || !ports[1]) return "overlapping";
  return ports[0] === ports[1] && (ips[0] === "") !== (ips[1] === "") ? "dangerously ambiguous" : undefined;
}

const goPort = ({ name = "", hostPort = 0, containerPort = 0, protocol = "", hostIP = "" }: CoreV1ContainerPort) =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
