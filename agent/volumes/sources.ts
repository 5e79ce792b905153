import type { CoreV1Pod, CoreV1Volume, CoreV1VolumeProjection } from "../../worker/kinds/generated/types.ts";
import { writeAtomically } from "./atomic.ts";
import { type Contents, configMapContents, DEFAULT_MODE, downwardContents, secretContents } from "./contents.ts";
import { emptyDir } from "./empty-dir.ts";
import { hostPath } from "./host-path.ts";
import { inlineCsi } from "./persistent/csi.ts";
import { nfs } from "./persistent/nfs.ts";
import { persistentVolume } from "./persistent/persistent.ts";
import { aggregate } from "./problems.ts";
import { type VolumeContext, VolumeError, type VolumeSource, volumeFolder } from "./volume.ts";

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
      const path = volumeFolder(inMemory ? context.memoryFolder : context.folder, plugin, volume.name);
      const group = context.pod.spec.securityContext?.fsGroup;
      writeAtomically(path, await contents(volume, context), { group, now: context.now });
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
    const problems: string[] = [];
    for (const projection of source?.sources ?? [])
      try {
        const part = await project(projection, source?.defaultMode ?? DEFAULT_MODE, context);
        for (const [path, file] of part) all.set(path, file);
      } catch (error) {
        problems.push((error as Error).message);
      }
    if (problems.length) throw new VolumeError(aggregate(problems));
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
export function tokenOwner({ spec }: CoreV1Pod, mode: number): { mode: number; uid?: number } {
  const { fsGroup, runAsUser } = spec.securityContext ?? {};
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const users = new Set(containers.map((c) => c.securityContext?.runAsUser ?? runAsUser));
  const [user] = users;
  if (users.size === 1 && user !== undefined) return { mode: 0o600, uid: user };
  return { mode: fsGroup === undefined ? mode : 0o600 };
}

export const volumeSources: readonly VolumeSource[] = [
  emptyDir,
  configMap,
  secret,
  projected,
  downwardAPI,
  hostPath,
  persistentVolume,
  nfs,
  inlineCsi,
];
