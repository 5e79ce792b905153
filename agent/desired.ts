import type {
  CoreV1ConfigMap,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
  CoreV1Secret,
  CoreV1Service,
} from "../worker/kinds/generated/types.ts";

/** What this node should run, with all that its pods mention. It is kept on disk, so that it outlives the uplink. */
export type Desired = {
  /** By uid: a pod of the same name is another pod. */
  pods: ReadonlyMap<string, CoreV1Pod>;
  /** By `namespace/name`. */
  configMaps: ReadonlyMap<string, CoreV1ConfigMap>;
  /** By `namespace/name`. */
  secrets: ReadonlyMap<string, CoreV1Secret>;
  /** Claims of the pods' volumes, by `namespace/name`, and what they are bound to, by `/name`. */
  claims?: ReadonlyMap<string, CoreV1PersistentVolumeClaim>;
  persistentVolumes?: ReadonlyMap<string, CoreV1PersistentVolume>;
  /** The volumes that are attached to this node, by their unique names. */
  attached?: ReadonlySet<string>;
  /** Labels of this node, where they are known. */
  nodeLabels?: Readonly<Record<string, string>>;
  services: readonly CoreV1Service[];
  /** What stands for static pods in the API, by the uid that these have here. */
  mirrors?: ReadonlyMap<string, CoreV1Pod>;
};

export const nothingDesired: Desired = { pods: new Map(), configMaps: new Map(), secrets: new Map(), services: [] };
