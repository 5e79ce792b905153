import type { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import type { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import { sha256Hex } from "../../lib/sha256.ts";

/** A volume of a driver. */
export type Subject = { volume: Readonly<PersistentVolume>; name: string; driver: string; handle: string };
export type Attached = { node: string; attachment: Readonly<VolumeAttachment> };

/** As nodes look for it. */
export const attachmentName = ({ handle, driver }: Subject, node: string): string =>
  `csi-${sha256Hex(`${handle}${driver}${node}`)}`;

/** As a Node's status names it. */
export const uniqueName = ({ driver, handle }: Subject): string => `kubernetes.io/csi/${driver}^${handle}`;
