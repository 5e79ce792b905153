import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { run } from "../process.ts";

async function must(command: string, args: string[]): Promise<void> {
  const done = await run(command, args);
  if (done.code !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr.trim()}`);
}

/** `isShared`, `isSlave`: see mount_namespaces(7). `device` is `MAJOR:MINOR`; `options` are the file system's. */
type Mount = {
  point: string;
  isShared: boolean;
  isSlave: boolean;
  device: string;
  type: string;
  options: readonly string[];
};

/** In the order in which they were mounted. See proc(5). */
function mounts(): Mount[] {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const fields = line.split(" ");
    const divider = fields.indexOf("-", 6);
    const optional = fields.slice(6, divider);
    const [type = "", , options = ""] = fields.slice(divider + 1);
    const point = (fields[4] ?? "").replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    const has = (name: string) => optional.some((field) => field.startsWith(`${name}:`));
    const device = fields[2] ?? "";
    return { point, isShared: has("shared"), isSlave: has("master"), device, type, options: options.split(",") };
  });
}

const isWithin = (path: string, folder: string) =>
  path === folder || path.startsWith(folder === sep ? sep : folder + sep);

/** All mount points at or below `folder`, deepest last, by their names without links. */
export function mountPoints(folder: string): string[] {
  const real = realPlace(folder);
  return mounts().flatMap(({ point }) => (isWithin(point, real) ? [point] : []));
}

/** Never looks at the place itself: a server that does not answer would hold up whoever does. */
export function isMountPoint(path: string): boolean {
  const real = join(realPlace(dirname(path)), basename(path));
  return mounts().some(({ point }) => point === real);
}

/** A server that does not answer is given up after so long. */
const MOUNT_TIMEOUT_MS = 120_000;

/** Mounts as mount(8) does, and as a kubelet does, with its words for what goes wrong. */
export async function mountAs(type: string, what: string, path: string, options: readonly string[]): Promise<void> {
  const mount = async (given: readonly string[]) => {
    const args = [...(type ? ["-t", type] : []), ...(given.length ? ["-o", given.join(",")] : []), what, path];
    const done = await run("mount", args, { timeoutMs: MOUNT_TIMEOUT_MS });
    if (done.code === 0) return;
    const output = `Mounting command: mount\nMounting arguments: ${args.join(" ")}\nOutput: ${done.stdout}${done.stderr}`;
    throw new Error(`mount failed: exit status ${done.code}\n${output}`);
  };
  if (!options.includes("bind")) return mount(options);
  await mount(["bind"]);
  if (options.length === 1) return;
  // Of a bind everything else is said in a second step.
  await mount(["remount", ...options]).catch(async (error: unknown) => {
    await must("umount", [path]);
    throw error;
  });
}

/** The kernel knows a place by its name without links; what is not there yet is named by where it would be. */
const realPlace = (path: string): string =>
  existsSync(path) || dirname(path) === path ? realpathSync(path) : join(realPlace(dirname(path)), basename(path));

/** Linux has tmpfs keep out of swap since then. */
const NO_SWAP_KERNEL = [6, 4] as const;

/** What a place lies on; `first` is where that file system was mounted first, by which others know it. */
export type MountedOn = Mount & { first: string };

export function mountOf(path: string): MountedOn {
  const place = realPlace(path);
  const all = mounts();
  const on = all.filter(({ point }) => isWithin(place, point)).reduce(deepest);
  return { ...on, first: all.find(({ device }) => device === on.device)?.point ?? on.point };
}

/** Of two that have one place, the later one covers the other. */
const deepest = (a: Mount, b: Mount) => (b.point.length >= a.point.length ? b : a);

/** Mounts a new file system of memory, kept out of swap where the kernel can; `options` as mount(8) takes them. */
export async function mountNew(type: "tmpfs" | "hugetlbfs", path: string, options: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  const mount = (given: string) => must("mount", ["-t", type, "-o", given, type, path]);
  if (type !== "tmpfs" || !isKernel(release(), ...NO_SWAP_KERNEL)) return mount(options);
  await mount(`${options},noswap`).catch(() => mount(options));
}

/** Whether a kernel's release is at least this one. */
export function isKernel(name: string, major: number, minor: number): boolean {
  const [own = 0, ownMinor = 0] = name.split(".").map(Number);
  return own > major || (own === major && ownMinor >= minor);
}

/** Mounts what a handle of this process leads to, whatever has its name by now. */
export const bindHandle = (handle: number, target: string): Promise<void> =>
  must("mount", ["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${handle}`, target]);

/**
 * Lets what is mounted at or below `path` be seen elsewhere (`rslave`), or what is mounted elsewhere be seen there, too.
 * Where systemd runs, it is so from the start.
 */
export async function share(path: string, propagation: "rslave" | "rshared"): Promise<void> {
  const place = realpathSync(path);
  const on = mounts()
    .filter(({ point }) => isWithin(place, point))
    .reduce(deepest);
  if (on.isShared || (on.isSlave && propagation === "rslave")) return;
  await must("mount", ["--make-rshared", on.point]);
}

/**
 * Mount points of a node's home that are ours. A disk on which the home lies, or a folder of it, is the machine's; of what
 * we mount only memory lies so high.
 */
export function mountPointsOfHome(home: string): string[] {
  const real = realPlace(home);
  const isDisk = ({ point, type }: Mount) => point === real || (dirname(point) === real && type !== "tmpfs");
  return mounts().flatMap((mount) => (isWithin(mount.point, real) && !isDisk(mount) ? [mount.point] : []));
}

/** Unmounts all at or below `folder`; what is still busy goes when its last user does. */
export const unmountAll = (folder: string): Promise<void> => unmount(mountPoints(folder));

/** Unmounts what a node has mounted in its home. */
export const unmountHome = (home: string): Promise<void> => unmount(mountPointsOfHome(home));

async function unmount(points: readonly string[]): Promise<void> {
  for (const path of points.toReversed())
    await must("umount", ["-l", path]).catch((error) => {
      // What ends meanwhile takes its own away.
      if (mountPoints(path).includes(path)) throw error;
    });
}
