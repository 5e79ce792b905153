import { configMapContents, DEFAULT_MODE, secretContents } from "../../../agent/volumes/contents.ts";
import type { PodContext, PodVolumes } from "../../../agent/volumes/manager.ts";
import { usedVolumes, type VolumeContext, VolumeError } from "../../../agent/volumes/volume.ts";
import type { CoreV1Volume } from "../../../worker/kinds/generated/types.ts";
import { between } from "../world/random.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

/** Volumes whose content is only looked at: what a pod mentions has to be there. Tokens are not asked for. */
export function modelVolumes(machine: Machine, disk: Disk, agent: Life): PodVolumes {
  const { effects } = agent;
  const set = async (context: PodContext): Promise<string[]> => {
    await effects.sleep(between(machine.random, 1, 20));
    if (machine.troubled && machine.random() < 0.03) throw new VolumeError("device or resource busy");
    return usedVolumes(context.pod).flatMap((volume) => {
      try {
        check(volume, context as VolumeContext);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    });
  };
  return {
    async prepare(context) {
      const { uid = "" } = context.pod.metadata;
      if (!disk.pods.has(uid)) disk.pods.set(uid, "");
      return set(context);
    },
    refresh: set,
    refreshAt: () => Infinity,
    mountsOf: async () => [],
    file: () => undefined,
    recursiveReadOnly: true,
    async release() {
      await effects.sleep(between(machine.random, 1, 10));
      if (machine.troubled && machine.random() < 0.03) throw new Error("umount: target is busy");
    },
    async remove(uid) {
      await effects.sleep(between(machine.random, 1, 20));
      if (machine.troubled && machine.random() < 0.03) throw new Error("umount: target is busy");
      disk.pods.delete(uid);
    },
  };
}

function check({ configMap, secret, projected }: CoreV1Volume, context: VolumeContext): void {
  if (configMap) configMapContents(configMap, DEFAULT_MODE, context);
  if (secret) secretContents({ ...secret, name: secret.secretName }, DEFAULT_MODE, context);
  for (const source of projected?.sources ?? []) {
    if (source.configMap) configMapContents(source.configMap, DEFAULT_MODE, context);
    if (source.secret) secretContents(source.secret, DEFAULT_MODE, context);
  }
}
