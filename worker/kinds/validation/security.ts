import { betweenNumbers } from "../../lib/names.ts";
import { duplicate, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type {
  CoreV1AppArmorProfile,
  CoreV1PodSecurityContext,
  CoreV1PodSpec,
  CoreV1SeccompProfile,
  CoreV1SecurityContext,
  CoreV1Sysctl,
} from "../generated/types.ts";
import { type Problems, validateDescendingPath } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { validateWindowsOptions } from "./operating-system.ts";

/** https://kubernetes.io/docs/tasks/configure-pod-container/security-context/ */
const MAX_ID = 2 ** 31 - 1;

function* validateId(id: number | undefined, field: string): Problems {
  if (id !== undefined && (id < 0 || id > MAX_ID)) yield invalidValue(field, id, betweenNumbers(0, MAX_ID));
}

export function* validateSecurityContext(
  context: CoreV1SecurityContext | undefined,
  spec: CoreV1PodSpec,
  field: string,
): Problems {
  if (!context) return;
  yield* validateId(context.runAsUser, `${field}.runAsUser`);
  yield* validateId(context.runAsGroup, `${field}.runAsGroup`);
  if (context.procMount !== undefined) {
    if (!["Default", "Unmasked"].includes(context.procMount))
      yield notSupported(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]);
    if (context.procMount === "Unmasked" && spec.hostUsers !== false)
      yield invalidValue(`${field}.procMount`, context.procMount, "`hostUsers` must be false to use `Unmasked`");
  }
  yield* validateSeccomp(context.seccompProfile, `${field}.seccompProfile`);
  yield* validateEscalation(context, field);
  yield* validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`);
  yield* validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`);
}

function* validateEscalation(context: CoreV1SecurityContext, field: string): Problems {
  if (context.allowPrivilegeEscalation !== false) return;
  const without = (what: string) =>
    invalidValue(
      field,
      goValue("core.SecurityContext", context),
      `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
    );
  if (context.privileged) yield without("`privileged` to true");
  for (const capability of context.capabilities?.add ?? [])
    if (capability === "CAP_SYS_ADMIN") yield without("`capabilities.Add` CAP_SYS_ADMIN");
}

const APP_ARMOR_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const MAX_PATH = 4095;
const NO_PROFILE = "must be set when AppArmor type is Localhost";

function* validateAppArmor(profile: CoreV1AppArmorProfile | undefined, field: string): Problems {
  if (!profile) return;
  const { type, localhostProfile: file } = profile;
  const at = `${field}.localhostProfile`;
  if (!type) yield required(`${field}.type`, "type is required when appArmorProfile is set");
  else if (!APP_ARMOR_TYPES.includes(type)) yield notSupported(`${field}.type`, type, APP_ARMOR_TYPES);
  else if (type !== "Localhost") {
    if (file !== undefined) yield invalidValue(at, file, "can only be set when AppArmor type is Localhost");
  } else if (file === undefined) yield required(at, NO_PROFILE);
  else {
    if (file.trim() !== file) yield invalidValue(at, file, "must not be padded with whitespace");
    else if (!file) yield required(at, NO_PROFILE);
    if (file.length > MAX_PATH) yield tooLong(at, MAX_PATH);
  }
}

const SECCOMP_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];

function* validateSeccomp(profile: CoreV1SeccompProfile | undefined, field: string): Problems {
  if (!profile) return;
  const { type, localhostProfile } = profile;
  if (!type) yield required(`${field}.type`, "type is required when seccompProfile is set");
  else if (!SECCOMP_TYPES.includes(type)) yield notSupported(`${field}.type`, type, SECCOMP_TYPES);
  if (type === "Localhost") {
    if (localhostProfile === undefined)
      yield required(`${field}.localhostProfile`, "must be set when seccomp type is Localhost");
    else yield* validateDescendingPath(localhostProfile, `${field}.localhostProfile`);
  } else if (localhostProfile !== undefined)
    yield invalidValue(
      `${field}.localhostProfile`,
      { Type: type, LocalhostProfile: localhostProfile },
      "can only be set when seccomp type is Localhost",
    );
}

const FS_GROUP_POLICIES = ["Always", "OnRootMismatch"];

export function* validatePodSecurityContext(
  context: CoreV1PodSecurityContext | undefined,
  spec: CoreV1PodSpec,
  specField: string,
): Problems {
  if (!context) return;
  const field = `${specField}.securityContext`;
  yield* validateId(context.fsGroup, `${field}.fsGroup`);
  yield* validateId(context.runAsUser, `${field}.runAsUser`);
  yield* validateId(context.runAsGroup, `${field}.runAsGroup`);
  for (const [index, group] of (context.supplementalGroups ?? []).entries())
    yield* validateId(group, `${field}.supplementalGroups[${index}]`);
  if (spec.hostPID && spec.shareProcessNamespace)
    yield invalidValue(
      `${field}.shareProcessNamespace`,
      true,
      "ShareProcessNamespace and HostPID cannot both be enabled",
    );
  yield* validateSysctls(context.sysctls ?? [], `${field}.sysctls`, spec);
  const change = context.fsGroupChangePolicy;
  if (change !== undefined && !FS_GROUP_POLICIES.includes(change))
    yield notSupported(`${field}.fsGroupChangePolicy`, change, FS_GROUP_POLICIES);
  yield* validateSeccomp(context.seccompProfile, `${field}.seccompProfile`);
  yield* validateWindowsOptions(context.windowsOptions, `${field}.windowsOptions`);
  yield* validateAppArmor(context.appArmorProfile, `${field}.appArmorProfile`);
  const { supplementalGroupsPolicy: groups, seLinuxChangePolicy: labels } = context;
  if (groups !== undefined && !GROUP_POLICIES.includes(groups))
    yield notSupported(`${field}.supplementalGroupsPolicy`, groups, GROUP_POLICIES);
  if (labels !== undefined && labels !== "Recursive")
    yield notSupported(`${field}.seLinuxChangePolicy`, labels, ["Recursive"]);
}

const GROUP_POLICIES = ["Merge", "Strict"];
const MAX_SYSCTL = 253;
const SYSCTL = "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

/** Sysctls of the namespaces that a pod may share with its node. */
const SHARED = [
  { flag: "hostNetwork", names: /^net[./]/ },
  { flag: "hostIPC", names: /^(kernel[./](sem$|shm|msg)|fs[./]mqueue[./])/ },
] as const;

function* validateSysctls(sysctls: readonly CoreV1Sysctl[], field: string, spec: CoreV1PodSpec): Problems {
  const names = new Set<string>();
  for (const [index, { name }] of sysctls.entries()) {
    const at = `${field}[${index}].name`;
    if (!name) yield required(at);
    else if (name.length > MAX_SYSCTL || !new RegExp(SYSCTL).test(name))
      yield invalidValue(at, name, `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL}`);
    else if (names.has(name)) yield duplicate(at, name);
    for (const { flag, names: shared } of SHARED)
      if (spec[flag] && shared.test(name ?? ""))
        yield invalidValue(at, name, `may not be specified when '${flag}' is true`);
    names.add(name ?? "");
  }
}
