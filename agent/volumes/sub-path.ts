import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { CoreV1VolumeMount } from "../../worker/kinds/generated/types.ts";
import { expand } from "../pods/env.ts";
import { openInside } from "./inside.ts";
import { bindHandle, unmountAll } from "./mounts.ts";
import { VolumeError } from "./volume.ts";

/**
 * Which part of its volume a mount is of; undefined for all of it. What variables make of it is in no one's hands before
 * the container starts, and so is looked at here. Messages are the kubelet's.
 * https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath-expanded-environment
 */
export function subPathOf(mount: CoreV1VolumeMount, env: ReadonlyMap<string, string>): string | undefined {
  const path = mount.subPathExpr ? expandAll(mount.subPathExpr, env) : mount.subPath;
  if (!path) return undefined;
  if (isAbsolute(path)) throw new VolumeError(`error SubPath \`${path}\` must not be an absolute path`);
  if (path.split("/").includes(".."))
    throw new VolumeError(`unable to provision SubPath \`${path}\`: must not contain '..'`);
  return path;
}

/** Unlike in a command, every name must be known here. */
function expandAll(expression: string, env: ReadonlyMap<string, string>): string {
  const missing: string[] = [];
  const text = expand(expression, (name) => {
    const value = env.get(name);
    if (value === undefined) missing.push(name);
    return value;
  });
  if (missing.length)
    throw new VolumeError(`missing value for ${missing.map((name) => JSON.stringify(name)).join(", ")}`);
  return text;
}

export type SubPath = {
  /** Where the volume lies. A container may change what is in it at any instant. */
  volume: string;
  path: string;
  /** Where the part is bound to, out of reach of containers. */
  target: string;
  /** Ends messages about it. They tell users nothing of the machine's files. */
  what: string;
};

/** Makes a part of a volume be at its target; a folder that is not there is made, with the volume's own mode. */
export async function bindSubPath(sub: SubPath): Promise<void> {
  const isThere = existsSync(join(sub.volume, sub.path));
  const handle = attempt(isThere ? "prepare subPath" : "create subPath directory", sub, () =>
    openInside(sub.volume, sub.path, isThere ? undefined : statSync(sub.volume).mode & 0o7777),
  );
  try {
    await unmountAll(sub.target); // of an earlier attempt of the container
    makeTarget(sub.target, fstatSync(handle).isDirectory());
    await bindHandle(handle, sub.target);
  } catch {
    throw failure("prepare subPath", sub);
  } finally {
    closeSync(handle);
  }
}

function attempt<T>(doing: string, sub: SubPath, body: () => T): T {
  try {
    return body();
  } catch {
    throw failure(doing, sub);
  }
}

const failure = (doing: string, { what }: SubPath) => new VolumeError(`failed to ${doing} for ${what}`);

/** What is there belongs to its volume while it is bound: it is only ever removed when it is empty. */
function removeTarget(target: string): void {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found?.isDirectory()) rmdirSync(target);
  else if (found) unlinkSync(target); // refused for what something is mounted on
}

/** Removes what parts were bound to, `FOLDER/CONTAINER/INDEX`. */
export async function removeBound(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  await unmountAll(folder);
  for (const container of readdirSync(folder))
    for (const index of readdirSync(join(folder, container))) removeTarget(join(folder, container, index));
}

function makeTarget(target: string, isFolder: boolean): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
  removeTarget(target);
  if (isFolder) mkdirSync(target);
  else writeFileSync(target, "");
}
