import { mkdirSync, readFileSync } from "node:fs";
import { sep } from "node:path";
import { run } from "../process.ts";

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

/** Mounts a new file system of memory; `options` as mount(8) takes them. */
export async function mountNew(type: "tmpfs" | "hugetlbfs", path: string, options: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  await must("mount", ["-t", type, "-o", options, type, path]);
}

/** Mounts what a handle of this process leads to, whatever has its name by now. */
export const bindHandle = (handle: number, target: string): Promise<void> =>
  must("mount", ["--no-canonicalize", "--bind", `/proc/${process.pid}/fd/${handle}`, target]);

/** Unmounts all at or below `folder`; what is still busy goes when its last user does. */
export async function unmountAll(folder: string): Promise<void> {
  for (const path of mountPoints(folder).reverse()) await must("umount", ["-l", path]);
}
