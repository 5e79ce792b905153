import { closeSync, existsSync, mkdirSync, openSync, type Stats, statSync } from "node:fs";
import { getSystemErrorMap } from "node:util";
import { VolumeError, type VolumeSource } from "./volume.ts";

type Check = { is(found: Stats): boolean; wanted: string; create?(path: string): void };

const types: Record<string, Check> = {
  Directory: { is: (s) => s.isDirectory(), wanted: "a directory" },
  DirectoryOrCreate: {
    is: (s) => s.isDirectory(),
    wanted: "a directory",
    create: (path) => mkdirSync(path, { recursive: true, mode: 0o755 }),
  },
  File: { is: (s) => s.isFile(), wanted: "a file" },
  FileOrCreate: { is: (s) => s.isFile(), wanted: "a file", create: (path) => closeSync(openSync(path, "a", 0o644)) },
  Socket: { is: (s) => s.isSocket(), wanted: "a socket file" },
  CharDevice: { is: (s) => s.isCharacterDevice(), wanted: "a character device" },
  BlockDevice: { is: (s) => s.isBlockDevice(), wanted: "a block device" },
};

/** Fails in Go's words. */
function create(path: string, check: Check): void {
  try {
    check.create?.(path);
  } catch (error) {
    const { syscall = "", path: at = path, errno = 0 } = error as NodeJS.ErrnoException;
    throw new VolumeError(`${syscall} ${at}: ${getSystemErrorMap().get(errno)?.[1] ?? errno}`);
  }
}

/** https://kubernetes.io/docs/concepts/storage/volumes/#hostpath */
export const hostPath: VolumeSource = {
  name: "hostPath",
  matches: (volume) => volume.hostPath !== undefined,
  async prepare({ hostPath: { path = "/", type = "" } = {} }) {
    if (path.split("/").includes("..")) throw new VolumeError(`invalid HostPath \`${path}\`: must not contain '..'`);
    if (type === "") return path;
    const check = types[type];
    if (!check) throw new VolumeError(`${type} is an invalid volume type`);
    if (!existsSync(path)) create(path, check);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || !check.is(found)) throw new VolumeError(`hostPath type check failed: ${path} is not ${check.wanted}`);
    return path;
  },
};
