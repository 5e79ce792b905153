import type { CoreV1PodSpec, CoreV1SecurityContext } from "../../../kinds/generated/types.ts";
import type { ObjectMeta } from "../../../lib/object.ts";
import { type AnyContainer, allContainers, containers, namesWhere, plural, quote, sorted } from "./words.ts";

export type Violation = { reason: string; detail: string };
export type Subject = { metadata: ObjectMeta; spec: CoreV1PodSpec; minor: number };

/** One rule of the standards; `minor` is the version 1.N that the namespace asks for. */
export type Check = {
  id: string;
  /** The first 1.N that has it. */
  since?: number;
  /** Of the restricted level: rules of the baseline that it stands in for, while it applies. */
  overrides?: string;
  find(subject: Subject): Violation | undefined;
};

/** Pods in a user namespace of their own are root there alone. */
export const isRelaxed = ({ spec, minor }: Subject): boolean => minor >= 35 && spec.hostUsers === false;

/** `pod and container "c"`: who set a value in a security context that fails the test, and the values. */
export function setters<T>(
  spec: CoreV1PodSpec,
  value: (context: CoreV1SecurityContext) => T | undefined,
  isBad: (value: T) => boolean,
): { who: string; values: T[] } | undefined {
  const fails = (context: CoreV1SecurityContext | undefined) => {
    const found = context && value(context);
    return found !== undefined && isBad(found);
  };
  const ofPod = spec.securityContext as CoreV1SecurityContext | undefined;
  const bad = allContainers(spec).filter(({ securityContext }) => fails(securityContext));
  const who = [...(fails(ofPod) ? ["pod"] : []), ...(bad.length ? [containers(bad.map(({ name }) => name))] : [])];
  if (who.length === 0) return undefined;
  const contexts = [ofPod, ...bad.map(({ securityContext }) => securityContext)];
  const values = contexts.flatMap((context) => (context && fails(context) ? [value(context) as T] : []));
  return { who: who.join(" and "), values };
}

const ALLOWED_CAPABILITIES = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

const SYSCTLS: readonly { since: number; names: readonly string[] }[] = [
  {
    since: 0,
    names: [
      "kernel.shm_rmid_forced",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.tcp_syncookies",
      "net.ipv4.ping_group_range",
      "net.ipv4.ip_unprivileged_port_start",
    ],
  },
  { since: 27, names: ["net.ipv4.ip_local_reserved_ports"] },
  {
    since: 29,
    names: [
      "net.ipv4.tcp_keepalive_time",
      "net.ipv4.tcp_fin_timeout",
      "net.ipv4.tcp_keepalive_intvl",
      "net.ipv4.tcp_keepalive_probes",
    ],
  },
  { since: 32, names: ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"] },
];

const APPARMOR = "container.apparmor.security.beta.kubernetes.io/";
const APPARMOR_PROFILE = /^($|runtime\/default$|localhost\/)/;
const isSeccomp = (type: string) => type === "Localhost" || type === "RuntimeDefault";

function* handlerHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer): Iterable<string> {
  for (const handler of [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop])
    for (const host of [handler?.httpGet?.host, handler?.tcpSocket?.host]) if (host) yield host;
}

function appArmor({ metadata, spec }: Subject): Violation | undefined {
  const found = setters(
    spec,
    ({ appArmorProfile }) => appArmorProfile?.type,
    (type) => type !== "Localhost" && type !== "RuntimeDefault",
  );
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(APPARMOR) && !APPARMOR_PROFILE.test(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [
    ...(found ? [found.who] : []),
    ...(annotations.length ? [plural(annotations.length, "annotation")] : []),
  ];
  if (who.length === 0) return undefined;
  const values = [...sorted(found?.values ?? []), ...annotations];
  return {
    reason: plural(values.length, "forbidden AppArmor profile"),
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quote(values)}`,
  };
}

function seLinux({ spec, minor }: Subject): Violation | undefined {
  const allowed = [
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    ...(minor >= 31 ? ["container_engine_t"] : []),
  ];
  const found = setters(
    spec,
    ({ seLinuxOptions }) => seLinuxOptions,
    ({ type = "", user, role }) => !allowed.includes(type) || Boolean(user) || Boolean(role),
  );
  if (!found) return undefined;
  const types = sorted(found.values.flatMap(({ type = "" }) => (allowed.includes(type) ? [] : [type])));
  const bad = [
    ...(types.length ? [`${plural(types.length, "type")} ${quote(types)}`] : []),
    ...(found.values.some(({ user }) => user) ? ["user may not be set"] : []),
    ...(found.values.some(({ role }) => role) ? ["role may not be set"] : []),
  ];
  const detail = `${found.who} set forbidden securityContext.seLinuxOptions: ${bad.join("; ")}`;
  return { reason: "seLinuxOptions", detail };
}

export function seccompTypes({ spec }: Subject): Violation | undefined {
  const found = setters(
    spec,
    ({ seccompProfile }) => seccompProfile?.type,
    (type) => !isSeccomp(type),
  );
  if (!found) return undefined;
  const types = quote(sorted(found.values));
  return {
    reason: "seccompProfile",
    detail: `${found.who} must not set securityContext.seccompProfile.type to ${types}`,
  };
}

function capabilities({ spec }: Subject): Violation | undefined {
  const added = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !ALLOWED_CAPABILITIES.includes(name));
  const bad = namesWhere(spec, (container) => added(container).length > 0);
  if (bad.length === 0) return undefined;
  const names = quote(sorted(allContainers(spec).flatMap(added)));
  return {
    reason: "non-default capabilities",
    detail: `${containers(bad)} must not include ${names} in securityContext.capabilities.add`,
  };
}

function hostPorts({ spec }: Subject): Violation | undefined {
  const ports = ({ ports = [] }: AnyContainer) => ports.flatMap(({ hostPort }) => (hostPort ? [`${hostPort}`] : []));
  const bad = namesWhere(spec, (container) => ports(container).length > 0);
  if (bad.length === 0) return undefined;
  const used = sorted(allContainers(spec).flatMap(ports));
  const uses = plural(bad.length, "uses", "use");
  return {
    reason: "hostPort",
    detail: `${containers(bad)} ${uses} ${plural(used.length, "hostPort")} ${used.join(", ")}`,
  };
}

function handlers({ spec }: Subject): Violation | undefined {
  const bad = sorted(namesWhere(spec, (container) => [...handlerHosts(container)].length > 0));
  if (bad.length === 0) return undefined;
  const hosts = sorted(allContainers(spec).flatMap((container) => [...handlerHosts(container)]));
  const uses = plural(bad.length, "uses", "use");
  return {
    reason: "probe or lifecycle host",
    detail: `${containers(bad)} ${uses} ${plural(hosts.length, "probe or lifecycle host")} ${quote(hosts)}`,
  };
}

export function procMount(subject: Subject): Violation | undefined {
  const types = ({ securityContext }: AnyContainer) => securityContext?.procMount ?? "Default";
  const bad = allContainers(subject.spec).filter((container) => types(container) !== "Default");
  if (bad.length === 0) return undefined;
  const who = containers(bad.map(({ name }) => name));
  const detail = `${who} must not set securityContext.procMount to ${quote(sorted(bad.map(types)))}`;
  return { reason: "procMount", detail };
}

function hostNamespaces({ spec }: Subject): Violation | undefined {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name]);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((name) => `${name}=true`).join(", ") };
}

function hostPaths({ spec }: Subject): Violation | undefined {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: `${plural(names.length, "volume")} ${quote(names)}` };
}

function sysctls({ spec, minor }: Subject): Violation | undefined {
  const allowed = SYSCTLS.flatMap(({ since, names }) => (minor >= since ? names : []));
  const bad = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !allowed.includes(name));
  return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
}

function privileged({ spec }: Subject): Violation | undefined {
  const bad = namesWhere(spec, ({ securityContext }) => securityContext?.privileged === true);
  if (bad.length === 0) return undefined;
  return { reason: "privileged", detail: `${containers(bad)} must not set securityContext.privileged=true` };
}

function hostProcess({ spec }: Subject): Violation | undefined {
  const found = setters(spec, ({ windowsOptions }) => windowsOptions?.hostProcess, Boolean);
  if (!found) return undefined;
  return {
    reason: "hostProcess",
    detail: `${found.who} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline */
export const baseline: readonly Check[] = [
  { id: "appArmorProfile", find: appArmor },
  { id: "capabilities_baseline", find: capabilities },
  { id: "hostNamespaces", find: hostNamespaces },
  { id: "hostPathVolumes", find: hostPaths },
  { id: "hostPorts", find: hostPorts },
  { id: "hostProbesAndHostLifecycle", since: 34, find: handlers },
  { id: "privileged", find: privileged },
  { id: "procMount", find: (subject) => (isRelaxed(subject) ? undefined : procMount(subject)) },
  { id: "seLinuxOptions", find: seLinux },
  { id: "seccompProfile_baseline", since: 19, find: seccompTypes },
  { id: "sysctls", find: sysctls },
  { id: "windowsHostProcess", find: hostProcess },
];
