import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import type { FieldContext } from "../pods/fields.ts";
import { hugepageSize, podCgroupLimits } from "../pods/resources.ts";
import { isMountPoint, mountNew } from "./mounts.ts";
import { type VolumeContext, VolumeError, type VolumeSource, volumeFolder } from "./volume.ts";

const HUGE_PAGES = "HugePages";

/** Made once: what containers make of its owner and mode afterwards is theirs. https://kubernetes.io/docs/concepts/storage/volumes/#emptydir */
export const emptyDir: VolumeSource = {
  name: "emptyDir",
  matches: (volume) => volume.emptyDir !== undefined,
  async prepare({ name, emptyDir: { medium = "", sizeLimit } = {} }, context) {
    const path = volumeFolder(context.folder, "empty-dir", name);
    const group = context.pod.spec.securityContext?.fsGroup;
    if (medium === "") makeFolder(path, group);
    else if (!isMountPoint(path)) await mountMedium(path, medium, sizeLimit, context, group);
    return path;
  },
};

/** A crash leaves none, or one that is as it should be. */
function makeFolder(path: string, group: number | undefined): void {
  if (existsSync(path)) return;
  const half = `${path}.new`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  mkdirSync(half);
  own(half, 0o777, group);
  renameSync(half, path);
}

function own(path: string, mode: number, group: number | undefined): void {
  if (group !== undefined) chownSync(path, -1, group);
  chmodSync(path, group === undefined ? mode : mode | 0o2770);
}

async function mountMedium(
  path: string,
  medium: string,
  sizeLimit: string | undefined,
  { pod, fields }: VolumeContext,
  group: number | undefined,
): Promise<void> {
  const owner = group === undefined ? "" : `,gid=${group}`;
  if (medium === "Memory") {
    const size = memorySize(pod, sizeLimit, fields.allocatable);
    return mountNew("tmpfs", path, `size=${size},mode=${group === undefined ? "1777" : "3777"}${owner}`);
  }
  if (medium !== HUGE_PAGES && !medium.startsWith(`${HUGE_PAGES}-`))
    throw new VolumeError(`unknown storage medium "${medium}"`);
  await mountNew("hugetlbfs", path, `pagesize=${pageSize(pod, medium)}`);
  own(path, 0o755, group);
}

/** The least of what the volume, its pod and the node are bounded by, in bytes. */
export function memorySize(
  pod: CoreV1Pod,
  sizeLimit: string | undefined,
  allocatable: FieldContext["allocatable"],
): number {
  const bytes = (quantity = "0") => wholeValue(parseQuantity(quantity));
  const bounds = [bytes(allocatable.memory), bytes(sizeLimit), podCgroupLimits(pod).memoryBytes ?? 0];
  return Math.min(...bounds.filter((bound) => bound > 0));
}

/** In bytes: the medium's own, or the one that the pod's containers ask for. */
export function pageSize({ spec }: CoreV1Pod, medium: string): number {
  const asking = [...spec.containers, ...(spec.initContainers ?? []), { resources: spec.resources }];
  const names = asking.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
  const asked = new Set(names.map(hugepageSize).filter((size) => size !== undefined));
  const [first] = asked;
  const wanted = medium === HUGE_PAGES ? first : hugepageSize(medium.replace(HUGE_PAGES, "hugepages"));
  if (wanted === undefined || !asked.has(wanted))
    throw new VolumeError(
      `medium ${medium}: hugePages storage requested, but there is no resource request for huge pages`,
    );
  if (medium === HUGE_PAGES && asked.size > 1)
    throw new VolumeError(`medium: ${medium} can't be used if container requests multiple huge page sizes`);
  return wanted;
}
