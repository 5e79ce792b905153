import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { isMountPoint, mountAs } from "../mounts.ts";
import { VolumeError } from "../volume.ts";
import { own } from "./ownership.ts";
import { MountFailure, type PersistentPlugin } from "./plugin.ts";

/** https://kubernetes.io/docs/concepts/storage/volumes/#local */
export const local: PersistentPlugin = {
  folder: "local-volume",
  takesOptions: true,
  matches: (spec) => spec.local !== undefined,
  async mount({ volume, readOnly, options, target, context, isShared }) {
    const name = volume.metadata?.name ?? "";
    const path = volume.spec?.local?.path ?? "";
    if (path.split("/").includes("..")) throw new VolumeError(`invalid path: ${path} must not contain '..'`);
    await context.makeVolume?.(volume);
    checkPlace(name, path);
    if (isMountPoint(target)) return target;
    const { fsGroup: group, fsGroupChangePolicy: policy } = context.pod.spec.securityContext ?? {};
    if (group !== undefined && isShared) tellOtherGroup(name, path, group, context.tell);
    mkdirSync(target, { recursive: true, mode: 0o750 });
    try {
      await mountAs("", path, target, [...new Set([...options, "bind", ...(readOnly ? ["ro"] : [])])].sort());
    } catch (error) {
      rmdirSync(target);
      throw error;
    }
    // The first pod that mounts it says whose it is.
    if (group !== undefined && !readOnly && !isShared) await own(target, { group, policy });
    return target;
  },
};

function checkPlace(name: string, path: string): void {
  const refuse = (why: string) => new MountFailure("MountVolume.NewMounter initialization", name, why);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refuse(`path ${JSON.stringify(path)} does not exist`);
  if (found.isBlockDevice()) throw refuse("this node mounts directories only, and no block devices");
  if (!found.isDirectory()) throw refuse("only directory and block device are supported");
}

function tellOtherGroup(name: string, path: string, group: number, tell: (reason: string, message: string) => void) {
  const { gid } = statSync(path);
  if (gid === group) return;
  const asked = `The requested fsGroup is ${group}, but the volume ${name} has GID ${gid}.`;
  tell("AlreadyMountedVolume", `${asked} The volume may not be shareable.`);
}
