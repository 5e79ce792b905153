/** https://kubernetes.io/docs/tasks/configure-pod-container/security-context/#assign-selinux-labels-to-a-container */
import { existsSync } from "node:fs";
import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";

/** Whether the machine's kernel has it, and it is on. */
export const hasSELinux = (): boolean => existsSync("/sys/fs/selinux/enforce");

/** Of a container's process and of its files, `user:role:type:level` each. */
export type SELinuxLabels = { process: string; mount: string };

/** What a container asks for, and for the rest the policy's own domain for containers; undefined when it asks for nothing. */
export function seLinuxLabels(
  { spec }: CoreV1Pod,
  { securityContext: own = {} }: CoreV1Container,
): SELinuxLabels | undefined {
  const options = { ...spec.securityContext?.seLinuxOptions, ...own.seLinuxOptions };
  if (own.privileged || !Object.values(options).some(Boolean)) return undefined;
  const { user = "system_u", role = "system_r", type = "container_t", level = "s0" } = options;
  return {
    process: [user, role, type, level].join(":"),
    mount: [user, "object_r", "container_file_t", level].join(":"),
  };
}
