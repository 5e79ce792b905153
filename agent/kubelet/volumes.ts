/** How full the volumes of pods are. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Volume } from "../../worker/kinds/generated/types.ts";
import { type DiskUsages, type FileSystem, fileSystemOf } from "./disk.ts";
import type { PodOnNode } from "./node.ts";

export type VolumeFigures = {
  name: string;
  /** The claim behind it, in the pod's namespace. */
  claim?: string;
  fs: FileSystem;
};

/** Of these the kubelet tells nothing: they are the machine's own, or another's. */
const isCounted = ({ hostPath, image, nfs, iscsi, fc }: CoreV1Volume) => !(hostPath ?? image ?? nfs ?? iscsi ?? fc);

/** A generic ephemeral volume has a claim of the pod's own. */
const claimOf = (volume: CoreV1Volume, pod: string): string | undefined =>
  volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral ? `${pod}-${volume.name}` : undefined);

/** Folders of volumes by name, as they lie below a pod's: `volumes/PLUGIN/NAME`. */
function foldersIn(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const list = (path: string) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  };
  for (const plugin of list(join(root, "volumes")))
    for (const name of list(join(root, "volumes", plugin))) found.set(name, join(root, "volumes", plugin, name));
  return found;
}

/** What is mounted for the pod from this machine; a server's may not answer, and the machine's own folders are no volumes. */
const ownMount = (home: string, place: string | undefined): string | undefined =>
  place?.startsWith(join(home, "pods")) && !place.includes("/kubernetes.io~nfs/") ? place : undefined;

/** What is shared with others is as full as its file system is; what is the pod's own has what lies in it. */
export async function volumesOf(
  home: string,
  { pod, memory, placeOf }: PodOnNode,
  usages: DiskUsages,
): Promise<VolumeFigures[]> {
  const folders = new Map(
    [join(home, "pods", memory.uid), join(home, "memory", memory.uid)].flatMap((root) => [...foldersIn(root)]),
  );
  const figures = (pod.spec.volumes ?? []).filter(isCounted).map(async (volume): Promise<VolumeFigures[]> => {
    const claim = claimOf(volume, pod.metadata.name ?? "");
    const folder = claim === undefined ? folders.get(volume.name) : ownMount(home, placeOf?.(volume.name));
    const fs = folder === undefined ? undefined : fileSystemOf(folder);
    if (folder === undefined || !fs) return [];
    if (claim !== undefined) return [{ name: volume.name, claim, fs }];
    const { bytes, inodes } = await usages.of(folder);
    return [{ name: volume.name, fs: { ...fs, used: bytes, inodesUsed: inodes } }];
  });
  return (await Promise.all(figures)).flat();
}
