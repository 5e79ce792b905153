import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { AnyContainer } from "../core/pod-defaults.ts";
import type { CoreV1Volume, CoreV1VolumeMount } from "../generated/types.ts";
import { notFoundField, type Problems, validateDescendingPath } from "./fields.ts";

/** Volumes that passed their own checks, by name. */
export type KnownVolumes = ReadonlyMap<string, CoreV1Volume>;

const PROPAGATION = ["Bidirectional", "HostToContainer", "None"];

export function* validateMounts(container: AnyContainer, volumes: KnownVolumes, field: string): Problems {
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${field}[${index}]`;
    const { name = "", mountPath = "", subPath, subPathExpr } = mount;
    if (!name) yield required(`${at}.name`);
    if (!volumes.has(name)) yield notFoundField(`${at}.name`, name);
    if (!mountPath) yield required(`${at}.mountPath`);
    if (paths.has(mountPath)) yield invalidValue(`${at}.mountPath`, mountPath, "must be unique");
    paths.add(mountPath);
    if (devices.some((device) => device.name === name))
      yield invalidValue(`${at}.name`, name, "must not already exist in volumeDevices");
    if (devices.some((device) => device.devicePath === mountPath))
      yield invalidValue(`${at}.mountPath`, mountPath, "must not already exist as a path in volumeDevices");
    // The index is missing in these paths upstream, and clients see them so.
    if (subPath) yield* validateDescendingPath(subPath, `${field}.subPath`);
    if (subPathExpr) {
      if (subPath)
        yield invalidValue(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive");
      yield* validateDescendingPath(subPathExpr, `${field}.subPathExpr`);
    }
    yield* validatePropagation(mount, container, `${field}.mountPropagation`);
    yield* validateRecursiveReadOnly(mount, `${field}.recursiveReadOnly`);
  }
}

function* validatePropagation(mount: CoreV1VolumeMount, container: AnyContainer, field: string): Problems {
  const mode = mount.mountPropagation;
  if (mode === undefined) return;
  if (!PROPAGATION.includes(mode)) yield notSupported(field, mode, PROPAGATION);
  if (mode === "Bidirectional" && !container.securityContext?.privileged)
    yield forbiddenField(field, "Bidirectional mount propagation is available only to privileged containers");
}

const RECURSIVE = ["Disabled", "Enabled", "IfPossible"];

function* validateRecursiveReadOnly(mount: CoreV1VolumeMount, field: string): Problems {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === "Disabled") return;
  if (!RECURSIVE.includes(mode)) {
    yield notSupported(field, mode, RECURSIVE);
    return;
  }
  if (!mount.readOnly) yield forbiddenField(field, "may only be specified when readOnly is true");
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None")
    yield forbiddenField(field, "may only be specified when mountPropagation is None or not specified");
}

export function* validateDevices(container: AnyContainer, volumes: KnownVolumes, field: string): Problems {
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounts = container.volumeMounts ?? [];
  for (const [index, { name = "", devicePath = "" }] of (container.volumeDevices ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!name) yield required(`${at}.name`);
    if (names.has(name)) yield invalidValue(`${at}.name`, name, "must be unique");
    const volume = volumes.get(name);
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral)
      yield invalidValue(
        `${at}.name`,
        name,
        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
      );
    if (!volume) yield notFoundField(`${at}.name`, name);
    if (!devicePath) yield required(`${at}.devicePath`);
    if (paths.has(devicePath)) yield invalidValue(`${at}.devicePath`, devicePath, "must be unique");
    if (devicePath.split("/").includes(".."))
      yield invalidValue(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name))
      yield invalidValue(`${at}.name`, name, "must not already exist in volumeMounts");
    if (mounts.some((mount) => mount.mountPath === devicePath))
      yield invalidValue(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts");
    if (name) names.add(name);
  }
}
