import { statfsSync } from "node:fs";

/** statfs(2): the type of a file that stands for a namespace. */
const NSFS_MAGIC = 0x6e736673;

/** A namespace is mounted at this path: a file without one is what an interrupted removal or start left. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch {
    return false;
  }
}
