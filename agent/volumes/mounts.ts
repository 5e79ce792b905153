import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { run } from "../process.ts";

/** O_PATH of fcntl.h, which Node does not name: a handle to a place, without opening what is there. */
const O_PATH = 0o10000000;

async function must(command: string, args: string[]): Promise<void> {
  const done = await run(command, args);
  if (done.code !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr.trim()}`);
}

/** All mount points at or below `folder`, deepest last. */
export function mountPoints(folder: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))),
    )
    .filter((path) => path === folder || path.startsWith(folder + sep));
}

export const isMountPoint = (path: string) => mountPoints(path).includes(path);

export async function mountTmpfs(path: string, bytes?: number): Promise<void> {
  mkdirSync(path, { recursive: true });
  const options = bytes ? `size=${bytes}` : "mode=0755";
  await must("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
}

/** Unmounts all at or below `folder`; what is still busy goes when its last user does. */
export async function unmountAll(folder: string): Promise<void> {
  for (const path of mountPoints(folder).reverse()) await must("umount", ["-l", path]);
}

/**
 * Binds `subPath` of a volume to `target`. A container may change its volume at any instant, so the way is walked by
 * handles that follow no symlink, and what is bound is the handle at its end: nothing outside can be reached.
 * Missing folders are made.
 */
export async function bindSubPath(volume: string, subPath: string, target: string): Promise<void> {
  const wanted = join(volume, subPath);
  const root = realpathSync(volume);
  // Links inside the volume are followed now (ConfigMap volumes are made of them) and must stay inside.
  const real = existsSync(wanted) ? realpathSync(wanted) : join(root, subPath);
  const inside = relative(root, real);
  if (inside === ".." || inside.startsWith(`..${sep}`))
    throw new Error(`subPath "${subPath}" is outside of its volume`);
  const handle = walk(root, inside.split(sep).filter(Boolean));
  try {
    mkdirSync(dirname(target), { recursive: true });
    if (fstatSync(handle).isDirectory()) mkdirSync(target, { recursive: true });
    else if (!existsSync(target)) writeFileSync(target, "");
    await unmountAll(target);
    await must("mount", ["--bind", `/proc/${process.pid}/fd/${handle}`, target]);
  } finally {
    closeSync(handle);
  }
}

function walk(root: string, parts: readonly string[]): number {
  const { mode } = statSync(root);
  let handle = openSync(root, O_PATH | constants.O_DIRECTORY);
  for (const part of parts) {
    const at = `/proc/self/fd/${handle}/${part}`;
    let next: number;
    try {
      if (!existsSync(at)) {
        mkdirSync(at);
        chmodSync(at, mode & 0o7777); // past the umask
      }
      next = openSync(at, O_PATH | constants.O_NOFOLLOW);
    } finally {
      closeSync(handle);
    }
    if (fstatSync(next).isSymbolicLink()) {
      closeSync(next);
      throw new Error(`subPath goes through a symbolic link: ${part}`);
    }
    handle = next;
  }
  return handle;
}
