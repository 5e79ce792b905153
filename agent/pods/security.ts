/**
 * What a security context asks for, as nerdctl's flags, and what nerdctl has no flag for as annotations that the node's
 * OCI runtime reads. It follows the kubelet and containerd's CRI, down to what they say of what cannot be.
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Capabilities, CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { SpecAnnotation } from "../node/oci-runtime.ts";
import type { InspectedImage } from "../runtime.ts";
import { appArmorProfileOf, isLoaded } from "./app-armor.ts";
import { ConfigError } from "./env.ts";
import type { NodeSecurity } from "./node-security.ts";
import { seLinuxLabels } from "./selinux.ts";

/** Profiles of type Localhost lie under this, where tools for Kubernetes put them. */
export const SECCOMP_FOLDER = "/var/lib/kubelet/seccomp";

/** A container cannot be made for what this machine has or lacks; the message becomes CreateContainerError's. */
export class CreateError extends Error {
  override readonly name = "CreateError";
}

export type SecurityGiven = {
  image: InspectedImage;
  security: Pick<NodeSecurity, "settings" | "hasAppArmor" | "hasSELinux">;
};

/** Throws `ConfigError` for what must not be, `CreateError` for what is not there. */
export function securityFlags(
  pod: CoreV1Pod,
  container: CoreV1Container,
  { image, security }: SecurityGiven,
): string[] {
  const own = container.securityContext ?? {};
  refuseRoot(pod, container, image);
  return [
    ...userFlags(pod, container, image),
    ...capabilityFlags(own.capabilities),
    ...(own.privileged ? ["--privileged"] : []),
    ...(own.readOnlyRootFilesystem ? ["--read-only"] : []),
    ...(own.allowPrivilegeEscalation === false ? option("no-new-privileges") : []),
    ...(own.procMount === "Unmasked" ? option("systempaths=unconfined") : []),
    ...option(`seccomp=${seccompProfile(pod, container, security.settings.seccompDefault)}`),
    ...(security.hasAppArmor ? appArmorFlags(pod, container) : []),
    ...(security.hasSELinux ? seLinuxFlags(pod, container) : []),
  ];
}

const option = (value: string) => ["--security-opt", value];
const annotation = (name: string, value: string) => ["--annotation", `${name}=${value}`];

/** The user that an image names, without its group: the kubelet passes on no more. */
const userOfImage = ({ Config }: InspectedImage): string => (Config?.User ?? "").split(":")[0] ?? "";

function userFlags(
  { spec }: CoreV1Pod,
  { securityContext: own = {} }: CoreV1Container,
  image: InspectedImage,
): string[] {
  const whole = spec.securityContext ?? {};
  const group = own.runAsGroup ?? whole.runAsGroup;
  const user = `${own.runAsUser ?? whole.runAsUser ?? userOfImage(image)}`;
  const isImages = group === undefined && user === (image.Config?.User ?? "");
  const groups = [...new Set([whole.fsGroup ?? [], whole.supplementalGroups ?? []].flat())].filter(
    (id) => id !== group,
  );
  const isStrict = whole.supplementalGroupsPolicy === "Strict";
  const named = [...(isImages ? [] : ["--user", user || "0"]), ...groups.flatMap((id) => ["--group-add", `${id}`])];
  // A group in the flag would make nerdctl forget those that the image puts the user in.
  if (group !== undefined && !isStrict) return [...named, ...annotation(SpecAnnotation.group, `${group}`)];
  if (group !== undefined) return ["--user", `${user || "0"}:${group}`, ...named.slice(2)];
  return isStrict ? [...named, ...annotation(SpecAnnotation.onlyGroups, groups.join())] : named;
}

/** Additions and removals of ALL come first, whatever the order: `drop: [ALL], add: [CHOWN]` leaves one. */
function capabilityFlags({ add = [], drop = [] }: CoreV1Capabilities = {}): string[] {
  const name = (text: string) => text.toUpperCase().replace(/^CAP_/, "");
  const [adds, drops] = [add.map(name), drop.map(name)];
  const kept = adds.filter((one) => one !== "ALL" && !drops.includes(one));
  const flags = (flag: string, names: readonly string[]) => [...new Set(names)].flatMap((one) => [flag, one]);
  if (drops.includes("ALL")) return ["--cap-drop", "ALL", ...flags("--cap-add", kept)];
  return [...flags("--cap-add", adds.includes("ALL") ? ["ALL"] : kept), ...flags("--cap-drop", drops)];
}

/** As nerdctl has it. A privileged container has none, whatever it asks for. */
function seccompProfile(
  pod: CoreV1Pod,
  { securityContext: own = {} }: CoreV1Container,
  seccompDefault: boolean,
): string {
  const { type, localhostProfile } = own.seccompProfile ??
    pod.spec.securityContext?.seccompProfile ?? { type: seccompDefault ? "RuntimeDefault" : "Unconfined" };
  if (type === "Localhost" && !localhostProfile)
    throw new ConfigError("localhostProfile must be set if seccompProfile type is Localhost.");
  if (own.privileged || type === "Unconfined") return "unconfined";
  if (type === "RuntimeDefault") return "builtin";
  const path = join(SECCOMP_FOLDER, localhostProfile ?? "");
  const failed = (what: string) => new CreateError(`failed to create containerd container: ${what}`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or directory" : errorText(error);
    throw failed(`cannot load seccomp profile ${JSON.stringify(path)}: open ${path}: ${cause}`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    throw failed(`decoding seccomp profile failed ${JSON.stringify(path)}: ${errorText(error)}`);
  }
  return path;
}

function appArmorFlags(pod: CoreV1Pod, container: CoreV1Container): string[] {
  const profile = appArmorProfileOf(pod, container);
  if (!profile || profile.type === "RuntimeDefault") return [];
  const { type, localhostProfile: name = "" } = profile;
  if (type === "Localhost" && !isLoaded(name))
    throw new CreateError(
      `failed to get container spec opts: failed to generate apparmor spec opts: apparmor profile not found ${name}`,
    );
  return option(`apparmor=${type === "Localhost" ? name : "unconfined"}`);
}

function seLinuxFlags(pod: CoreV1Pod, container: CoreV1Container): string[] {
  const labels = seLinuxLabels(pod, container);
  if (!labels) return [];
  const { processLabel, mountLabel } = SpecAnnotation;
  return [...annotation(processLabel, labels.process), ...annotation(mountLabel, labels.mount)];
}

function refuseRoot(pod: CoreV1Pod, container: CoreV1Container, image: InspectedImage): void {
  const [own, whole] = [container.securityContext ?? {}, pod.spec.securityContext ?? {}];
  if (!(own.runAsNonRoot ?? whole.runAsNonRoot)) return;
  const { name, namespace, uid } = pod.metadata;
  const where = `(pod: "${name}_${namespace}(${uid})", container: ${container.name})`;
  const user = own.runAsUser ?? whole.runAsUser;
  if (user === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (user !== undefined) return;
  const named = userOfImage(image) || "0";
  if (!/^[+-]?\d+$/.test(named))
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root ${where}`,
    );
  if (Number(named) === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
