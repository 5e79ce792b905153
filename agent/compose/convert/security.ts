/** `user`, `privileged`, capabilities and the like: what a container may do. */
import type { Value } from "../tree.ts";
import type { Container, PodSpec } from "./model.ts";
import { unlessEmpty } from "./values.ts";

type SecurityContext = NonNullable<Container["securityContext"]>;
type PodSecurityContext = NonNullable<PodSpec["securityContext"]>;

/** Those that a node sets without being told that it may. */
const SAFE_SYSCTLS = `kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start
net.ipv4.tcp_syncookies net.ipv4.ping_group_range net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time
net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem net.ipv4.tcp_wmem`.split(
  /\s+/,
);

export function securityOf(service: Value): SecurityContext | undefined {
  const { uid, gid } = userOf(service);
  const capabilities = (name: string) =>
    service
      .get(name)
      ?.texts()
      .map((capability) => capability.toUpperCase().replace(/^CAP_/, ""));
  const isPrivileged = service.get("privileged")?.flag() || undefined;
  return unlessEmpty<SecurityContext>({
    runAsUser: uid,
    runAsGroup: gid,
    privileged: isPrivileged,
    readOnlyRootFilesystem: service.get("read_only")?.flag() || undefined,
    capabilities: unlessEmpty({ add: capabilities("cap_add"), drop: capabilities("cap_drop") }),
    ...securityOptions(service, isPrivileged ?? false),
  });
}

function userOf(service: Value): { uid?: number; gid?: number } {
  const user = service.get("user");
  const [name = "", group] = (user?.text() ?? "").split(":");
  if (!user || name === "") return {};
  const numbers = [name, group].map((text) => (text === "root" ? 0 : text === undefined ? undefined : Number(text)));
  if (numbers.some((number) => number !== undefined && !Number.isInteger(number)))
    return (
      user.refuse(`${user.text()} is a name`, "Kubernetes takes numbers, as `id` in the image tells them: 1000:1000") ??
      {}
    );
  return { uid: numbers[0], gid: numbers[1] };
}

function securityOptions(service: Value, isPrivileged: boolean): SecurityContext {
  const found: SecurityContext = {};
  for (const option of service.get("security_opt")?.items() ?? []) {
    const [name, ...rest] = (option.text() ?? "").split(/[:=]/);
    const value = rest.join(":");
    if (name === "no-new-privileges") {
      if (value === "false") continue;
      if (isPrivileged) option.refuse("a privileged container has all privileges", "leave one of the two out");
      else found.allowPrivilegeEscalation = false;
    } else if (name === "seccomp") {
      if (value === "unconfined") found.seccompProfile = { type: "Unconfined" };
      else
        option.refuse("a profile lies on the node", "seccomp:unconfined, or put it there and patch the pod's template");
    } else if (name === "apparmor")
      found.appArmorProfile =
        value === "unconfined" ? { type: "Unconfined" } : { type: "Localhost", localhostProfile: value };
    else if (name === "label") option.note("no SELinux label is set");
    else option.refuse(`there is no ${name} in Kubernetes`, "leave it out");
  }
  return found;
}

/** `ownsVolumes`: there is something that its user has to be able to write to. */
export function podSecurityOf(service: Value, ownsVolumes: boolean): PodSecurityContext | undefined {
  const { uid, gid } = userOf(service);
  const groups = service
    .get("group_add")
    ?.items()
    .map((group) => {
      const number = Number(group.text());
      return Number.isInteger(number) ? number : group.refuse(`${group.text()} is a name`, "Kubernetes takes numbers");
    });
  return unlessEmpty<PodSecurityContext>({
    // Docker gives a new volume to whom the image's folder belongs to.
    fsGroup: ownsVolumes && uid ? (gid ?? uid) : undefined,
    supplementalGroups: groups?.filter((group) => group !== undefined),
    sysctls: sysctlsOf(service),
  });
}

function sysctlsOf(service: Value): PodSecurityContext["sysctls"] {
  const told = service.get("sysctls")?.entries();
  return told?.map(([name, value]) => {
    if (!SAFE_SYSCTLS.includes(name))
      value.note("the node has to allow it, else the pod is refused", `skerry up --allowed-unsafe-sysctls '${name}'`);
    return { name, value: value.text() ?? "" };
  });
}
