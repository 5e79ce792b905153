import { readdirSync } from "node:fs";
import { join } from "node:path";

const PLUGINS = ["local-volume", "host-path", "nfs", "csi"].map((plugin) => `kubernetes.io~${plugin}`);

/** What is in a folder; nothing when it is gone by now. */
function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The uids of the pods of this node that have a PersistentVolume, by what is on disk: it outlives the agent. */
export const usersOf = (home: string, volume: string): string[] =>
  list(join(home, "pods")).filter((uid) =>
    PLUGINS.some((plugin) => list(join(home, "pods", uid, "volumes", plugin)).includes(volume)),
  );
