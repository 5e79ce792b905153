import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { bucketBy } from "../../../agent/streams/volume-transfer.ts";
import { configMapContents, DEFAULT_MODE, secretContents } from "../../../agent/volumes/contents.ts";
import type { PodContext, PodVolumes } from "../../../agent/volumes/manager.ts";
import { boundVolume } from "../../../agent/volumes/persistent/claims.ts";
import type { Bucket, Source } from "../../../agent/volumes/persistent/copying.ts";
import { checkAffinity } from "../../../agent/volumes/persistent/persistent.ts";
import type { Folders, ProvisionedVolumes } from "../../../agent/volumes/persistent/provisioned.ts";
import { usedVolumes, type VolumeContext, VolumeError } from "../../../agent/volumes/volume.ts";
import type { CoreV1Volume } from "../../../worker/kinds/generated/types.ts";
import type { AskBucket, VolumeExchange } from "../contract.ts";
import { between } from "../world/random.ts";
import type { Disk } from "./disk.ts";
import type { ModelDriver } from "./driver.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

/** Folders that come and go, on a disk that may be full or in trouble. */
export function modelFolders(machine: Machine, disk: Disk, agent: Life): Folders {
  return {
    has: (folder) => disk.folders.has(folder),
    isEmpty: (folder) => !disk.folders.get(folder),
    make(folder) {
      if (disk.full) throw new Error("ENOSPC: no space left on device");
      disk.folders.set(folder, "");
    },
    async *packed(folder) {
      const data = disk.folders.get(folder) ?? "";
      await agent.effects.sleep(between(machine.random, 1, 2_000));
      yield Buffer.from(data);
    },
    async remove(folder) {
      await agent.effects.sleep(between(machine.random, 1, 50));
      if (machine.troubled && machine.random() < 0.1) throw new Error("EBUSY: resource busy or locked");
      const users = [...disk.mounted].filter(([, volumes]) => [...volumes.values()].includes(folder));
      disk.folders.delete(folder);
      machine.folderRemoved(
        folder,
        users.map(([uid]) => uid),
      );
    },
    limit: async () => {},
    usersOf: (volume) => [...disk.mounted].flatMap(([uid, volumes]) => (volumes.has(volume) ? [uid] : [])),
  };
}

/** Volumes that come from other nodes, whole or not at all. */
export function modelSource(machine: Machine, disk: Disk, agent: Life, { want }: VolumeExchange): Source {
  return {
    async receive(claim, folder, signal) {
      const data = await agent.await(want(claim));
      await agent.effects.sleep(between(machine.random, 1, 500));
      signal.throwIfAborted();
      if (disk.full) throw new Error("ENOSPC: no space left on device");
      disk.folders.set(folder, data);
    },
  };
}

/** So little that a volume is several of them, bytes. */
const CHUNK_BYTES = 4;
const PATIENCE_MS = 30_000;

/** The way through the bucket, without compression. */
export function modelBucket(machine: Machine, disk: Disk, agent: Life, askBucket: AskBucket): Bucket {
  return bucketBy({
    server: () => ({
      url: "https://cluster.example",
      async ask(method, path, { bytes, timeoutMs = PATIENCE_MS }) {
        const reply = await agent.await(askBucket({ method, path, bytes, timeoutMs }));
        return Object.assign(Readable.from([Buffer.from(reply.bytes)]), { statusCode: reply.code }) as IncomingMessage;
      },
    }),
    effects: agent.effects,
    chunkBytes: CHUNK_BYTES,
    wrapped: (data) => data,
    placed: (download) => async (transfer, folder, signal) => {
      let data = "";
      for await (const piece of download(transfer)) data += piece;
      await agent.effects.sleep(between(machine.random, 1, 500));
      signal.throwIfAborted();
      if (disk.full) throw new Error("ENOSPC: no space left on device");
      disk.folders.set(folder, data);
    },
  });
}

/** Volumes whose content is only looked at: what a pod mentions has to be there. Tokens are not asked for. */
export function modelVolumes(
  machine: Machine,
  disk: Disk,
  agent: Life,
  own: ProvisionedVolumes,
  driver: ModelDriver,
): PodVolumes {
  const { effects } = agent;
  const mount = async (volume: CoreV1Volume, context: VolumeContext) => {
    if (!volume.persistentVolumeClaim) return;
    const { volume: bound } = boundVolume(volume, context);
    checkAffinity(bound, context);
    const { uid = "" } = context.pod.metadata;
    if (bound.spec?.csi) return driver.mount(uid, bound);
    await own.make(bound);
    const name = bound.metadata?.name ?? "";
    const mounted = disk.mounted.get(uid) ?? new Map<string, string>();
    if (mounted.has(name)) return;
    disk.mounted.set(uid, mounted.set(name, bound.spec?.local?.path ?? ""));
    machine.writes(uid);
  };
  const set = async (context: PodContext, isFirst: boolean): Promise<string[]> => {
    await effects.sleep(between(machine.random, 1, 20));
    if (machine.troubled && machine.random() < 0.03) throw new VolumeError("device or resource busy");
    const problems: string[] = [];
    for (const volume of usedVolumes(context.pod))
      try {
        check(volume, context as VolumeContext);
        if (isFirst) await mount(volume, context as VolumeContext);
      } catch (error) {
        problems.push((error as Error).message);
      }
    return problems;
  };
  return {
    async prepare(context) {
      const { uid = "" } = context.pod.metadata;
      if (!disk.pods.has(uid)) disk.pods.set(uid, "");
      return set(context, true);
    },
    refresh: (context) => set(context, false),
    refreshAt: () => Infinity,
    mountsOf: async () => [],
    file: () => undefined,
    recursiveReadOnly: true,
    async release(uid) {
      await effects.sleep(between(machine.random, 1, 10));
      if (machine.troubled && machine.random() < 0.03) throw new Error("umount: target is busy");
      await driver.release(uid);
      disk.mounted.delete(uid);
    },
    async remove(uid) {
      await effects.sleep(between(machine.random, 1, 20));
      if (machine.troubled && machine.random() < 0.03) throw new Error("umount: target is busy");
      await driver.release(uid);
      disk.mounted.delete(uid);
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
