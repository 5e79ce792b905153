import type { CoreV1Container, CoreV1Pod, CoreV1SecurityContext } from "../../worker/kinds/generated/types.ts";
import type { InspectedImage } from "../runtime.ts";
import { ConfigError } from "./env.ts";

/** https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
export function securityFlags(pod: CoreV1Pod, container: CoreV1Container, image: InspectedImage): string[] {
  const whole = pod.spec.securityContext ?? {};
  const own: CoreV1SecurityContext = container.securityContext ?? {};
  const user = own.runAsUser ?? whole.runAsUser;
  const group = own.runAsGroup ?? whole.runAsGroup;
  if (own.runAsNonRoot ?? whole.runAsNonRoot) refuseRoot(pod, container, user, image.Config?.User ?? "");
  const groups = [...(whole.supplementalGroups ?? []), ...(whole.fsGroup === undefined ? [] : [whole.fsGroup])];
  const seccomp = own.seccompProfile ?? whole.seccompProfile;
  const capability = (name: string) => name.toUpperCase().replace(/^CAP_/, "");
  return [
    ...(user === undefined ? [] : ["--user", group === undefined ? `${user}` : `${user}:${group}`]),
    ...(user === undefined && group !== undefined ? ["--user", `${image.Config?.User || "0"}:${group}`] : []),
    ...groups.flatMap((id) => ["--group-add", `${id}`]),
    ...(own.privileged ? ["--privileged"] : []),
    ...(own.capabilities?.drop ?? []).flatMap((name) => ["--cap-drop", capability(name)]),
    ...(own.capabilities?.add ?? []).flatMap((name) => ["--cap-add", capability(name)]),
    ...(own.readOnlyRootFilesystem ? ["--read-only"] : []),
    ...(own.allowPrivilegeEscalation === false ? ["--security-opt", "no-new-privileges"] : []),
    ...(own.procMount === "Unmasked" ? ["--security-opt", "systempaths=unconfined"] : []),
    ...(seccomp?.type === "Unconfined" ? ["--security-opt", "seccomp=unconfined"] : []),
    ...(seccomp?.type === "Localhost" && seccomp.localhostProfile
      ? ["--security-opt", `seccomp=/var/lib/kubelet/seccomp/${seccomp.localhostProfile}`]
      : []),
  ];
}

function refuseRoot(pod: CoreV1Pod, container: CoreV1Container, user: number | undefined, imageUser: string): void {
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  if (user === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (user !== undefined) return;
  const [named = ""] = imageUser.split(":");
  if (named === "" || named === "0" || named === "root")
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(named))
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root ${where}`,
    );
}
