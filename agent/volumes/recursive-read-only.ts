import { release } from "node:os";
import type { CoreV1VolumeMount } from "../../worker/kinds/generated/types.ts";
import { run } from "../process.ts";
import { isKernel } from "./mounts.ts";
import { VolumeError } from "./volume.ts";

/** Linux has it since 5.12. */
const KERNEL = [5, 12] as const;

/** Whether this machine's kernel and runc can do it. https://github.com/opencontainers/runtime-spec/blob/main/features.md */
export async function findRecursiveReadOnly(): Promise<boolean> {
  const { code, stdout } = await run("runc", ["features"], { timeoutMs: 10_000 }).catch(() => ({
    code: 1,
    stdout: "",
  }));
  return code === 0 && supports(release(), stdout);
}

export function supports(kernel: string, features: string): boolean {
  if (!isKernel(kernel, ...KERNEL)) return false;
  try {
    return (JSON.parse(features) as { mountOptions?: string[] }).mountOptions?.includes("rro") ?? false;
  } catch {
    return false;
  }
}

/** As a container's status tells it. */
export function recursiveMode(mount: CoreV1VolumeMount, supported: boolean): "Enabled" | "Disabled" {
  try {
    return isRecursivelyReadOnly(mount, supported) ? "Enabled" : "Disabled";
  } catch {
    return "Disabled";
  }
}

/**
 * Whether what is mounted inside a mount is read-only, too. Throws where that was asked for and cannot be.
 * https://kubernetes.io/docs/concepts/storage/volumes/#recursive-read-only-mounts
 */
export function isRecursivelyReadOnly(mount: CoreV1VolumeMount, supported: boolean): boolean {
  const { name, readOnly, mountPropagation: propagation = "None", recursiveReadOnly: mode = "Disabled" } = mount;
  if (mode === "Disabled") return false;
  const refuse = (cause: string) => {
    const asked = `volume "${name}" requested recursive read-only mode`;
    return new VolumeError(`failed to resolve recursive read-only mode: ${asked}, but it is ${cause}`);
  };
  if (!readOnly) throw refuse("not read-only");
  if (propagation !== "None") throw refuse(`not compatible with propagation "${propagation}"`);
  if (mode === "Enabled" && !supported) throw refuse("not supported by the runtime");
  return supported;
}
