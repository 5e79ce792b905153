import { chmodSync, chownSync, existsSync, mkdirSync, type Stats, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Pod, CoreV1Volume, CoreV1VolumeProjection } from "../../worker/kinds/generated/types.ts";
import { parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import { writeAtomically } from "./atomic.ts";
import { type Contents, configMapContents, DEFAULT_MODE, downwardContents, secretContents } from "./contents.ts";
import { isMountPoint, mountTmpfs } from "./mounts.ts";
import { type VolumeContext, VolumeError, type VolumeSource } from "./volume.ts";

const groupOf = (context: VolumeContext) => context.pod.spec.securityContext?.fsGroup;

/** Folders are named as the kubelet names them, which some programs look for. */
const place = (root: string, plugin: string, name: string) => join(root, "volumes", `kubernetes.io~${plugin}`, name);

const emptyDir: VolumeSource = {
  name: "emptyDir",
  matches: (volume) => volume.emptyDir !== undefined,
  async prepare(volume, context) {
    const path = place(context.folder, "empty-dir", volume.name);
    mkdirSync(path, { recursive: true });
    const limit = volume.emptyDir?.sizeLimit;
    if (volume.emptyDir?.medium === "Memory" && !isMountPoint(path))
      await mountTmpfs(path, limit === undefined ? undefined : wholeValue(parseQuantity(limit)));
    const group = groupOf(context);
    if (group !== undefined) chownSync(path, 0, group);
    chmodSync(path, group === undefined ? 0o777 : 0o2777);
    return path;
  },
};

type HostPathCheck = { is(found: Stats): boolean; wanted: string; create?(path: string): void };

const hostPathTypes: Record<string, HostPathCheck> = {
  Directory: { is: (s) => s.isDirectory(), wanted: "a directory" },
  DirectoryOrCreate: {
    is: (s) => s.isDirectory(),
    wanted: "a directory",
    create: (path) => mkdirSync(path, { recursive: true, mode: 0o755 }),
  },
  File: { is: (s) => s.isFile(), wanted: "a file" },
  FileOrCreate: { is: (s) => s.isFile(), wanted: "a file", create: (path) => writeFileSync(path, "", { mode: 0o644 }) },
  Socket: { is: (s) => s.isSocket(), wanted: "a socket" },
  CharDevice: { is: (s) => s.isCharacterDevice(), wanted: "a character device" },
  BlockDevice: { is: (s) => s.isBlockDevice(), wanted: "a block device" },
};

const hostPath: VolumeSource = {
  name: "hostPath",
  matches: (volume) => volume.hostPath !== undefined,
  async prepare(volume) {
    const { path = "/", type = "" } = volume.hostPath ?? {};
    const check = hostPathTypes[type];
    if (!check) return path;
    if (!existsSync(path)) check.create?.(path);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found || !check.is(found)) throw new VolumeError(`hostPath type check failed: ${path} is not ${check.wanted}`);
    return path;
  },
};

/** A source whose files are written anew, all at once, when what they come from changes. */
function files(
  name: string,
  plugin: string,
  matches: (volume: CoreV1Volume) => boolean,
  contents: (volume: CoreV1Volume, context: VolumeContext) => Promise<Contents> | Contents,
  inMemory: boolean,
): VolumeSource {
  return {
    name,
    matches,
    follows: true,
    async prepare(volume, context) {
      const path = place(inMemory ? context.memoryFolder : context.folder, plugin, volume.name);
      writeAtomically(path, await contents(volume, context), groupOf(context));
      return path;
    },
  };
}

const configMap = files(
  "configMap",
  "configmap",
  (volume) => volume.configMap !== undefined,
  ({ configMap: source = {} }, context) => configMapContents(source, source.defaultMode ?? DEFAULT_MODE, context),
  false,
);

const secret = files(
  "secret",
  "secret",
  (volume) => volume.secret !== undefined,
  ({ secret: source = {} }, context) => {
    const { secretName, items, optional, defaultMode = DEFAULT_MODE } = source;
    return secretContents({ name: secretName, items, optional }, defaultMode, context);
  },
  true,
);

const downwardAPI = files(
  "downwardAPI",
  "downward-api",
  (volume) => volume.downwardAPI !== undefined,
  ({ downwardAPI: source = {} }, context) =>
    downwardContents(source.items, source.defaultMode ?? DEFAULT_MODE, context),
  false,
);

const projected = files(
  "projected",
  "projected",
  (volume) => volume.projected !== undefined,
  async ({ projected: source }, context) => {
    const all: Contents = new Map();
    for (const projection of source?.sources ?? [])
      for (const [path, file] of await project(projection, source?.defaultMode ?? DEFAULT_MODE, context))
        all.set(path, file);
    return all;
  },
  true,
);

async function project(source: CoreV1VolumeProjection, mode: number, context: VolumeContext): Promise<Contents> {
  if (source.configMap) return configMapContents(source.configMap, mode, context);
  if (source.secret) return secretContents(source.secret, mode, context);
  if (source.downwardAPI) return downwardContents(source.downwardAPI.items, mode, context);
  if (source.serviceAccountToken) {
    const { path, audience, expirationSeconds = 3600 } = source.serviceAccountToken;
    const token = await context.token({ audience, expirationSeconds });
    return new Map([[path, { data: Buffer.from(token), ...tokenOwner(context.pod, mode) }]]);
  }
  throw new VolumeError(`unsupported projection: ${Object.keys(source).join(", ")}`);
}

/** A token is for its pod's own user, where there is one user; a group gets it through fsGroup. */
function tokenOwner({ spec }: CoreV1Pod, mode: number): { mode: number; uid?: number } {
  const { fsGroup, runAsUser } = spec.securityContext ?? {};
  const users = new Set(
    [...(spec.initContainers ?? []), ...spec.containers].map((c) => c.securityContext?.runAsUser ?? runAsUser),
  );
  const [user] = users;
  if (users.size === 1 && user !== undefined) return { mode: 0o600, uid: user };
  return { mode: fsGroup === undefined ? mode : 0o600 };
}

export const volumeSources: readonly VolumeSource[] = [emptyDir, configMap, secret, projected, downwardAPI, hostPath];
