/**
 * Which kernel parameters a pod may set. Reasons and messages are the kubelet's.
 * https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
 */
import type { CoreV1Pod, CoreV1Sysctl } from "../../worker/kinds/generated/types.ts";
import type { Rejection } from "./admission.ts";

type Namespace = "IPC" | "Net";

/** Of the pod alone, and without influence on others; all are namespaced since Linux 4.15. */
const SAFE = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];
/** `kernel.shm` and `kernel.msg` are for the patterns that begin so. */
const IPC = /^(kernel\.(sem|shmall|shmmax|shmmni|shm_rmid_forced|shm|msgmax|msgmnb|msgmni|msg)$|fs\.mqueue\.)/;
const PATTERN = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]$/;
const MAX_LENGTH = 253;

function namespaceOf(name: string): Namespace | undefined {
  if (IPC.test(name)) return "IPC";
  return name.startsWith("net.") ? "Net" : undefined;
}

/** With dots between its parts, as sysctl(8) lets either be written; a part may hold the other sign. */
export function normalName(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === "/" ? name.replace(/[./]/g, (sign) => (sign === "/" ? "." : "/")) : name;
}

/** Checks what a node's owner allows: names, or beginnings of names with a `*` at the end. Throws on others. */
export function checkAllowedSysctls(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    if (pattern.length > MAX_LENGTH || !PATTERN.test(pattern))
      throw new Error(
        `sysctl "${pattern}" must have at most ${MAX_LENGTH} characters and match regex ${PATTERN.source}`,
      );
    const [start = ""] = normalName(pattern).split("*");
    if (!namespaceOf(start)) throw new Error(`the sysctls "${start}" are not known to be namespaced`);
  }
}

export const sysctlsOf = ({ spec }: CoreV1Pod): CoreV1Sysctl[] =>
  (spec.securityContext?.sysctls ?? []).map(({ name, value }) => ({ name: normalName(name), value }));

/** `allowed` beside the safe ones. */
export function sysctlRejection(pod: CoreV1Pod, allowed: readonly string[]): Rejection | undefined {
  for (const { name } of sysctlsOf(pod)) {
    const cause = refusal(name, pod, allowed);
    if (cause) return { reason: "SysctlForbidden", message: `forbidden sysctl: "${name}" ${cause}` };
  }
  return undefined;
}

function refusal(name: string, { spec }: CoreV1Pod, allowed: readonly string[]): string | undefined {
  const matching = [...SAFE, ...allowed].map(normalName).find((pattern) => {
    return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  });
  if (matching === undefined) return "not allowlisted";
  const namespace = namespaceOf(matching.replace("*", ""));
  const isHosts = namespace === "IPC" ? spec.hostIPC : spec.hostNetwork;
  return isHosts ? `not allowed with host ${namespace} enabled` : undefined;
}
