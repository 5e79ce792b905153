import { isAbsolute } from "node:path";
import type { CoreV1VolumeMount } from "../../worker/kinds/generated/types.ts";
import { expand } from "../pods/env.ts";
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
