/** How volumes of CSI drivers are named where they are attached to nodes; controllers, drivers and nodes find them by it. */
import { sha256Hex } from "./sha256.ts";

/** A driver's volume. */
export type DriverVolume = { readonly driver: string; readonly handle: string };

/** Of the VolumeAttachment to a node. */
export const attachmentName = ({ handle, driver }: DriverVolume, node: string): string =>
  `csi-${sha256Hex(`${handle}${driver}${node}`)}`;

/** Of the volume in a Node's status. */
export const uniqueName = ({ driver, handle }: DriverVolume): string => `kubernetes.io/csi/${driver}^${handle}`;
