import type { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import type { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import type { DriverVolume } from "../../lib/volume-attachments.ts";

/** A volume of a driver. */
export type Subject = DriverVolume & { volume: Readonly<PersistentVolume>; name: string };
export type Attached = { node: string; attachment: Readonly<VolumeAttachment> };
