/** Volumes of CSI drivers, as PersistentVolumes and as pods' own. https://kubernetes.io/docs/concepts/storage/volumes/#csi */
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { NotAttached } from "../../csi/attachment.ts";
import { absent, CsiFailure, type CsiVolume } from "../../csi/volumes.ts";
import { type VolumeContext, VolumeError, type VolumeSource } from "../volume.ts";
import { MountFailure, type PersistentMount, type PersistentPlugin } from "./plugin.ts";

type Reference = { name?: string; namespace?: string } | undefined;

const secret = (reference: Reference, namespace?: string) =>
  reference?.name ? { namespace: reference.namespace ?? namespace ?? "", name: reference.name } : undefined;

const use = async (volume: CsiVolume, context: VolumeContext): Promise<string> => {
  if (!context.csi) throw absent(volume);
  return context.csi.mount(volume, context);
};

async function mount({ volume, readOnly, options, target, context }: PersistentMount, isBlock: boolean) {
  const { csi, accessModes = [] } = volume.spec ?? {};
  const name = volume.metadata?.name ?? "";
  mkdirSync(target, { recursive: true, mode: 0o750 }); // by which other pods know that it is used
  const wanted: CsiVolume = {
    name,
    lifecycle: "Persistent",
    driver: csi?.driver ?? "",
    handle: csi?.volumeHandle ?? "",
    attributes: csi?.volumeAttributes ?? {},
    fsType: csi?.fsType ?? "",
    accessModes,
    options,
    isBlock,
    readOnly: readOnly || (csi?.readOnly ?? false),
    stageSecret: secret(csi?.nodeStageSecretRef),
    publishSecret: secret(csi?.nodePublishSecretRef),
  };
  try {
    return await use(wanted, context);
  } catch (error) {
    throw told(error as Error, name, isBlock);
  }
}

function told(error: Error, volume: string, isBlock: boolean): Error {
  if (error instanceof CsiFailure) {
    const doing = isBlock ? "MapVolume.SetUpDevice" : `MountVolume.${error.doing}`;
    return new MountFailure(doing, volume, error.message);
  }
  if (!(error instanceof NotAttached)) return error;
  const which = `unmounted volumes=[${volume}], unattached volumes=[${volume}], failed to process volumes=[]`;
  return MountFailure.whole(`Unable to attach or mount volumes: ${which}: ${error.message}`);
}

export const csiVolume: PersistentPlugin = {
  folder: "csi",
  takesOptions: true,
  matches: (spec) => spec.csi !== undefined,
  mount: (given) => mount(given, false),
  map: (given) => mount(given, true),
};

/** A volume that is made for its pod and goes with it. */
export const inlineCsi: VolumeSource = {
  name: "csi",
  matches: (volume) => volume.csi !== undefined,
  readOnly: (volume) => volume.csi?.readOnly ?? false,
  async prepare({ name, csi }, context) {
    const { namespace, uid = "" } = context.pod.metadata;
    if (!csi) throw new VolumeError("no source");
    return use(
      {
        name,
        lifecycle: "Ephemeral",
        driver: csi.driver,
        handle: `csi-${createHash("sha256").update(`${uid}${name}`).digest("hex")}`,
        attributes: csi.volumeAttributes ?? {},
        fsType: csi.fsType ?? "",
        accessModes: ["ReadWriteOnce"],
        options: [],
        isBlock: false,
        readOnly: csi.readOnly ?? false,
        publishSecret: secret(csi.nodePublishSecretRef, namespace),
      },
      context,
    );
  },
};
