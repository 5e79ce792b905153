/** https://kubernetes.io/docs/tutorials/security/apparmor/ */
import { existsSync, readFileSync } from "node:fs";
import type { CoreV1AppArmorProfile, CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Rejection } from "./admission.ts";

/** Before there were fields, a pod's annotations said it: one for each container, by name. */
const ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

/** Whether the machine's kernel has it, and it is on. */
export function hasAppArmor(): boolean {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

/** Whether the kernel knows a profile of this name: it lists them as `NAME (MODE)`. */
export function isLoaded(name: string, list = "/sys/kernel/security/apparmor/profiles"): boolean {
  return (
    existsSync(list) &&
    readFileSync(list, "utf8")
      .split("\n")
      .some((line) => line.startsWith(`${name} (`))
  );
}

/** Why a node without AppArmor does not take a pod that relies on it. Reasons and messages are the kubelet's. */
export function appArmorRejection(pod: CoreV1Pod, isEnabled: boolean): Rejection | undefined {
  if (isEnabled || !isRequired(pod)) return undefined;
  return { reason: "AppArmor", message: "Cannot enforce AppArmor: AppArmor is not enabled on the host" };
}

function isRequired({ metadata, spec }: CoreV1Pod): boolean {
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const profiles = [spec.securityContext, ...containers.map((c) => c.securityContext)].map((c) => c?.appArmorProfile);
  if (profiles.some((profile) => profile && profile.type !== "Unconfined")) return true;
  const annotated = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(ANNOTATION));
  return annotated.some(([, value]) => value !== "unconfined");
}

/** What a container asks for; the kernel's own choice when undefined. */
export function appArmorProfileOf(pod: CoreV1Pod, container: CoreV1Container): CoreV1AppArmorProfile | undefined {
  const annotated = pod.metadata.annotations?.[`${ANNOTATION}${container.name}`];
  return (
    container.securityContext?.appArmorProfile ?? fromAnnotation(annotated) ?? pod.spec.securityContext?.appArmorProfile
  );
}

function fromAnnotation(value: string | undefined): CoreV1AppArmorProfile | undefined {
  if (value === "runtime/default") return { type: "RuntimeDefault" };
  if (value === "unconfined") return { type: "Unconfined" };
  const [, name] = /^localhost\/(.*)$/.exec(value ?? "") ?? [];
  return name === undefined ? undefined : { type: "Localhost", localhostProfile: name };
}
