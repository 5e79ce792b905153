/** File systems on block devices of this machine, made where there is none. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../process.ts";
import { isMountPoint, mountAs, unmountAll } from "../mounts.ts";
import { usersOf } from "./users.ts";

export type DeviceMount = { device: string; type: string; readOnly: boolean; options: readonly string[] };

/** Where kubelets mount them, each once for all pods. */
const placesIn = (home: string) => join(home, "plugins/kubernetes.io/local-volume/mounts");

export const placeOf = (home: string, volume: string): string => join(placesIn(home), volume);

/** What blkid(8) says of a device on which it finds nothing. */
const NOTHING_FOUND = 2;
/** fsck(8) has found what it could not mend. */
const UNCORRECTED = 4;

/** Mounts a device, which is checked before, or formatted when nothing is on it. */
export async function mountDevice(place: string, { device, type, readOnly, options }: DeviceMount): Promise<void> {
  if (isMountPoint(place)) return;
  const found = await formatOf(device);
  if (!found && readOnly)
    throw new Error(`cannot mount unformatted disk ${device} as we are manipulating it in read-only mode`);
  if (!found) await format(device, type);
  else if (!readOnly) await check(device);
  mkdirSync(place, { recursive: true, mode: 0o750 });
  await mountAs(type, device, place, [...new Set([...options, "defaults", ...(readOnly ? ["ro"] : [])])].sort());
}

async function formatOf(device: string): Promise<string> {
  const { code, stdout } = await run("blkid", ["-p", "-s", "TYPE", "-s", "PTTYPE", "-o", "export", device]);
  if (code === NOTHING_FOUND) return "";
  if (code !== 0) throw new Error(`failed to get disk format of disk ${device}: exit status ${code}`);
  const type = /^TYPE=(.+)$/m.exec(stdout)?.[1];
  return /^PTTYPE=/m.test(stdout) ? "unknown data, probably partitions" : (type ?? "");
}

async function format(device: string, type: string): Promise<void> {
  const flags = type.startsWith("ext") ? ["-F", "-m0"] : type === "xfs" ? ["-f"] : [];
  const { code, stdout, stderr } = await run(`mkfs.${type}`, [...flags, device]);
  if (code !== 0)
    throw new Error(
      `format of disk ${device} failed: type:(${type}) errcode:(exit status ${code}) output:(${stdout}${stderr})`,
    );
}

async function check(device: string): Promise<void> {
  const { code, stdout, stderr } = await run("fsck", ["-a", device]);
  if (code === UNCORRECTED)
    throw new Error(`'fsck' found errors on device ${device} but could not correct them: ${stdout}${stderr}.`);
}

/** Unmounts those that no pod has any more, also what an agent before this one left. */
export async function unmountUnused(home: string): Promise<void> {
  if (!existsSync(placesIn(home))) return;
  for (const volume of readdirSync(placesIn(home))) {
    if (usersOf(home, volume).length > 0) continue;
    const place = placeOf(home, volume);
    await unmountAll(place);
    rmdirSync(place);
  }
}
