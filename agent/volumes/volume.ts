import type { CoreV1PersistentVolume, CoreV1Pod, CoreV1Volume } from "../../worker/kinds/generated/types.ts";
import type { CsiVolumes } from "../csi/volumes.ts";
import type { Desired } from "../desired.ts";
import type { FieldContext } from "../pods/fields.ts";

/** A volume cannot be set up as things are. The message is the kubelet's, and ends an event. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}

/** An image that is there cannot be mounted. */
export class ImageVolumeError extends Error {
  override readonly name = "ImageVolumeError";

  constructor(cause: string) {
    super(`ImageVolumeMountFailed: ${cause}`);
  }
}

export type TokenRequest = { audience: string | undefined; expirationSeconds: number };

/** Objects of the API that volumes are made from. */
export type VolumeObjects = Pick<Desired, "configMaps" | "secrets" | "claims" | "persistentVolumes" | "nodeLabels">;

export type VolumeContext = {
  pod: CoreV1Pod;
  /** The node's, in which all pods have theirs. */
  home: string;
  /** The pod's own folder on disk. */
  folder: string;
  /** The pod's own folder in memory: what is secret never reaches a disk. */
  memoryFolder: string;
  desired: VolumeObjects;
  fields: FieldContext;
  /** ms since the epoch. */
  now: number;
  /** A token of the pod's ServiceAccount that has most of its life before it, or the newest there is when offline. */
  token(request: TokenRequest): Promise<string>;
  /** Makes the place of a PersistentVolume that is the node's own to make, and of no other. */
  makeVolume?(volume: CoreV1PersistentVolume): Promise<void>;
  /** Volumes of drivers, where the node may have such. */
  csi?: Pick<CsiVolumes, "mount">;
  /** Whether another pod of this node has this PersistentVolume. */
  isElsewhere(volume: string): boolean;
  /** A warning about the pod, which is no failure. */
  tell(reason: string, message: string): void;
};

/** One kind of volume. https://kubernetes.io/docs/concepts/storage/volumes/ */
export type VolumeSource = {
  name: string;
  matches(volume: CoreV1Volume): boolean;
  /** Makes the volume or brings it up to date; returns where it lies on this machine. */
  prepare(volume: CoreV1Volume, context: VolumeContext): Promise<string>;
  /** Containers may only read it, as the pod says. */
  readOnly?(volume: CoreV1Volume): boolean;
  /** Its content follows the API's objects, and containers may only read it. */
  follows?: true;
};

/** Those that some container has a use for: no others are made, or waited for. */
export function usedVolumes({ spec }: CoreV1Pod): CoreV1Volume[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const names = containers
    .flatMap((c) => [...(c.volumeMounts ?? []), ...(c.volumeDevices ?? [])])
    .map((use) => use.name);
  const used = new Set(names);
  return (spec.volumes ?? []).filter(({ name }) => used.has(name));
}

/** What a container finds at `target`: a place on this machine. */
export type ContainerMount = {
  source: string;
  target: string;
  readOnly?: boolean;
  /** With all that is mounted inside. */
  recursive?: boolean;
  /** See mount_namespaces(7); without, neither side sees what the other mounts. */
  propagation?: "rslave" | "rshared";
  /** It is a device, of which the container may do this: as cgroups say it. */
  device?: "r" | "rwm";
};

/** Folders are named as the kubelet names them, which some programs look for. */
export const volumeFolder = (root: string, plugin: string, name: string) =>
  `${root}/volumes/kubernetes.io~${plugin}/${name}`;
