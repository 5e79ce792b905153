import { existsSync, mkdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { type ContainerMount, ImageVolumeError } from "./volume.ts";

/** What other mounts are put on inside a volume that only this machine writes, and that the runtime may not. */
export function makeMountPoints({ source, target }: ContainerMount, mounts: readonly ContainerMount[]): void {
  if (!statSync(source).isDirectory()) return;
  for (const inner of mounts) {
    const path = relative(target, inner.target);
    const place = join(source, path);
    if (path === "" || path.split(sep)[0] === ".." || existsSync(place)) continue;
    const isFolder = statSync(inner.source, { throwIfNoEntry: false })?.isDirectory() ?? true;
    mkdirSync(isFolder ? place : dirname(place), { recursive: true });
    if (!isFolder) writeFileSync(place, "");
  }
}

/** A name without a colon, at which nerdctl divides what it is told to mount, for a place that has one. */
export function linkTo(place: string, link: string): string {
  mkdirSync(dirname(link), { recursive: true, mode: 0o750 });
  rmSync(link, { force: true });
  symlinkSync(place, link);
  return link;
}

/** A folder of an image. A file cannot be mounted alone, as with other runtimes. */
export function imageFolder(root: string, path: string): string {
  const refuse = (cause: string) => new ImageVolumeError(`failed to ensure image subpath "${path}": ${cause}`);
  let real: string;
  try {
    real = realpathSync(join(root, path));
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file or directory" : `${error}`);
  }
  if (real !== root && !real.startsWith(root + sep)) throw refuse("path escapes from parent");
  if (!statSync(real).isDirectory()) throw refuse("only directory subpath is supported");
  return real;
}
