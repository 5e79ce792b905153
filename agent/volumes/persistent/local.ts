import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { isMountPoint, mountAs } from "../mounts.ts";
import { VolumeError } from "../volume.ts";
import { mountDevice, placeOf } from "./device.ts";
import { own } from "./ownership.ts";
import { MountFailure, type PersistentMount, type PersistentPlugin } from "./plugin.ts";

/** https://kubernetes.io/docs/concepts/storage/volumes/#local */
export const local: PersistentPlugin = {
  folder: "local-volume",
  takesOptions: true,
  matches: (spec) => spec.local !== undefined,
  async mount(mount) {
    const { volume, readOnly, options, target, context, isShared } = mount;
    const name = volume.metadata?.name ?? "";
    const path = await placeFor(mount);
    if (isMountPoint(target)) return target;
    const { fsGroup: group, fsGroupChangePolicy: policy } = context.pod.spec.securityContext ?? {};
    mkdirSync(target, { recursive: true, mode: 0o750 }); // by which other pods know that it is used
    try {
      const source = typeof path === "string" ? path : await mounted(mount, path.device);
      if (group !== undefined && isShared) tellOtherGroup(name, source, group, context.tell);
      await mountAs("", source, target, [...new Set([...options, "bind", ...(readOnly ? ["ro"] : [])])].sort());
    } catch (error) {
      rmdirSync(target);
      throw error;
    }
    // The first pod that mounts it says whose it is.
    if (group !== undefined && !readOnly && !isShared) await own(target, { group, policy });
    return target;
  },
  async map({ volume, target }) {
    const path = volume.spec?.local?.path ?? "";
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new VolumeError(`path ${JSON.stringify(path)} does not exist`);
    if (!found.isBlockDevice()) throw new VolumeError(`${path} is not a block device`);
    mkdirSync(target, { recursive: true, mode: 0o750 });
    return path;
  },
};

/** A folder, or a device with a file system or for one. */
async function placeFor({ volume, context }: PersistentMount): Promise<string | { device: string }> {
  const name = volume.metadata?.name ?? "";
  const path = volume.spec?.local?.path ?? "";
  if (path.split("/").includes("..")) throw new VolumeError(`invalid path: ${path} must not contain '..'`);
  await context.makeVolume?.(volume);
  const refuse = (why: string) => new MountFailure("MountVolume.NewMounter initialization", name, why);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refuse(`path ${JSON.stringify(path)} does not exist`);
  if (found.isBlockDevice()) return { device: path };
  if (!found.isDirectory()) throw refuse("only directory and block device are supported");
  return path;
}

async function mounted({ volume, readOnly, options, context }: PersistentMount, device: string): Promise<string> {
  const name = volume.metadata?.name ?? "";
  const place = placeOf(context.home, name);
  const type = volume.spec?.local?.fsType || "ext4";
  try {
    await mountDevice(place, { device, type, readOnly, options });
  } catch (error) {
    const what = `local: failed to mount device ${device} at ${place} (fstype: ${type})`;
    throw new MountFailure("MountVolume.MountDevice", name, `${what}, error ${(error as Error).message}`);
  }
  return place;
}

function tellOtherGroup(name: string, path: string, group: number, tell: (reason: string, message: string) => void) {
  const { gid } = statSync(path);
  if (gid === group) return;
  const asked = `The requested fsGroup is ${group}, but the volume ${name} has GID ${gid}.`;
  tell("AlreadyMountedVolume", `${asked} The volume may not be shareable.`);
}
