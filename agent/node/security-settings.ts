/** What an administrator may say of a node's pods' security, by the names of KubeletConfiguration. */
import { checkAllowedSysctls } from "../pods/sysctls.ts";
import type { RuntimeHandlers } from "./oci-runtime.ts";

export type SecuritySettings = {
  /** Pods that ask for no seccomp profile get RuntimeDefault. */
  seccompDefault: boolean;
  /** Beside the safe ones: names, or beginnings of names with a `*` at the end. */
  allowedUnsafeSysctls: readonly string[];
  runtimeHandlers: RuntimeHandlers;
};

/** Throws for what makes no sense, in the kubelet's words. */
export function securitySettings(given: Partial<SecuritySettings> = {}): SecuritySettings {
  const { seccompDefault = false, allowedUnsafeSysctls = [], runtimeHandlers = {} } = given;
  checkAllowedSysctls(allowedUnsafeSysctls);
  return { seccompDefault, allowedUnsafeSysctls, runtimeHandlers };
}
