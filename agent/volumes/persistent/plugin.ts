import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { type VolumeContext, VolumeError } from "../volume.ts";

/** What was being done for a PersistentVolume, and failed; the whole message is the kubelet's. */
export class MountFailure extends VolumeError {
  constructor(doing: string, volume: string, cause: string) {
    super(`${doing} failed for volume ${JSON.stringify(volume)} : ${cause}`);
  }

  /** One that is told in other words. */
  static whole(message: string): MountFailure {
    return Object.assign(new MountFailure("", "", ""), { message });
  }
}

export type PersistentMount = {
  volume: CoreV1PersistentVolume;
  readOnly: boolean;
  /** As the volume has them. */
  options: readonly string[];
  /** A place of the pod's own for it, which need not be there. */
  target: string;
  context: VolumeContext;
  /** Other pods of this node have it too. */
  isShared: boolean;
};

/** One kind of PersistentVolume. */
export type PersistentPlugin = {
  /** `kubernetes.io~FOLDER` among a pod's volumes. */
  folder: string;
  takesOptions: boolean;
  matches(spec: NonNullable<CoreV1PersistentVolume["spec"]>): boolean;
  /** Returns where it is then. */
  mount(mount: PersistentMount): Promise<string>;
  /** The same of a volume of mode Block: returns the device. */
  map?(mount: PersistentMount): Promise<string>;
};
