import { mkdirSync } from "node:fs";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { matchesNodeTerm } from "../../../worker/lib/node-selectors.ts";
import { hostPath } from "../host-path.ts";
import { type VolumeContext, VolumeError, type VolumeSource, volumeFolder } from "../volume.ts";
import { boundVolume } from "./claims.ts";
import { csiVolume } from "./csi.ts";
import { local } from "./local.ts";
import { mountNfs } from "./nfs.ts";
import { MountFailure, type PersistentPlugin } from "./plugin.ts";

type Volume = CoreV1PersistentVolume;

const hostPathVolume: PersistentPlugin = {
  folder: "host-path",
  takesOptions: false,
  matches: (spec) => spec.hostPath !== undefined,
  mount({ volume, context, target }) {
    mkdirSync(target, { recursive: true, mode: 0o750 }); // by which other pods know that it is used
    return hostPath.prepare({ name: volume.metadata?.name ?? "", hostPath: volume.spec?.hostPath }, context);
  },
};

const nfsVolume: PersistentPlugin = {
  folder: "nfs",
  takesOptions: true,
  matches: (spec) => spec.nfs !== undefined,
  async mount({ volume, readOnly, options, target }) {
    await mountNfs(target, { source: volume.spec?.nfs ?? { server: "", path: "" }, readOnly, options });
    return target;
  },
};

const plugins: readonly PersistentPlugin[] = [local, hostPathVolume, nfsVolume, csiVolume];

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#claims-as-volumes */
export const persistentVolume: VolumeSource = {
  name: "persistentVolumeClaim",
  matches: (volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined,
  readOnly: (volume) => volume.persistentVolumeClaim?.readOnly ?? false,
  prepare(volume, context) {
    const bound = boundVolume(volume, context);
    return mount(bound.volume, bound.readOnly, context);
  },
};

async function mount(volume: Volume, readOnly: boolean, context: VolumeContext): Promise<string> {
  const name = volume.metadata?.name ?? "";
  const plugin = pluginFor(volume);
  const map = volume.spec?.volumeMode === "Block" ? plugin.map : undefined;
  const options = optionsOf(volume);
  checkAffinity(volume, context);
  if (options.length > 0 && !plugin.takesOptions)
    throw new MountFailure(
      "MountVolume.MountOptionSupport check",
      name,
      "mount options are not supported for this volume type",
    );
  const isShared = context.isElsewhere(name);
  const { accessModes = [] } = volume.spec ?? {};
  try {
    // Of several modes it is not known which one the pod means.
    if (isShared && accessModes.length === 1 && accessModes[0] === "ReadWriteOncePod")
      throw new VolumeError("volume uses the ReadWriteOncePod access mode and is already in use by another pod");
    const target = volumeFolder(context.folder, plugin.folder, name);
    return await (map ?? plugin.mount)({ volume, readOnly, options, target, context, isShared });
  } catch (error) {
    if (error instanceof MountFailure) throw error;
    throw new MountFailure(map ? "MapVolume.SetUpDevice" : "MountVolume.SetUp", name, (error as Error).message);
  }
}

function pluginFor({ metadata, spec = {} }: Volume): PersistentPlugin {
  const { name = "" } = metadata ?? {};
  const plugin = plugins.find(({ matches }) => matches(spec));
  if (!plugin) throw new MountFailure("MountVolume.FindPluginBySpec", name, "no volume plugin matched");
  if (spec.volumeMode === "Block" && !plugin.map)
    throw new MountFailure("MapVolume.FindMapperPluginBySpec", name, "no volume plugin matched");
  return plugin;
}

const OPTIONS = "volume.beta.kubernetes.io/mount-options";

function optionsOf({ metadata, spec }: Volume): string[] {
  const older = metadata?.annotations?.[OPTIONS];
  return (older !== undefined ? older.split(",") : (spec?.mountOptions ?? [])).filter(Boolean);
}

/** Throws where the volume is not for this node. */
export function checkAffinity({ metadata, spec }: Volume, { desired, fields }: VolumeContext): void {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  const labels = desired.nodeLabels;
  if (!terms || !labels || terms.some((term) => matchesNodeTerm(term, { name: fields.nodeName, labels }))) return;
  throw new MountFailure("MountVolume.NodeAffinity check", metadata?.name ?? "", "no matching NodeSelectorTerms");
}
