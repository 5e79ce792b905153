import type { CoreV1Volume, CoreV1VolumeProjection } from "../generated/types.ts";
import { fractionWarnings } from "./fraction-warnings.ts";

/** Kinds of volumes that nodes no longer mount, by the name that the warning gives them. */
const RETIRED: readonly [keyof CoreV1Volume, name: string, why: string][] = [
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["ephemeral", "ephemeral", ""],
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

export function* volumeWarnings(volumes: readonly CoreV1Volume[], field: string): Iterable<string> {
  for (const [index, volume] of volumes.entries())
    for (const [source, name, why] of RETIRED) {
      const at = `${field}[${index}].${name}`;
      if (source === "ephemeral")
        yield* claimWarnings(volume.ephemeral?.volumeClaimTemplate?.spec, `${at}.volumeClaimTemplate.spec`);
      else if (volume[source]) yield `${at}: ${why}`;
    }
  for (const volume of volumes) yield* overlapWarnings(volume);
}

type ClaimSpec = { resources?: { requests?: Record<string, string>; limits?: Record<string, string> } };

export function* claimWarnings(spec: ClaimSpec | undefined, field: string): Iterable<string> {
  for (const side of ["requests", "limits"] as const)
    yield* fractionWarnings(spec?.resources?.[side], `${field}.resources.${side}`, ["storage"]);
}

type Placed = { path: string; source: string };
const placed = (items: readonly { path?: string }[] | undefined, source = ""): Placed[] =>
  (items ?? []).map(({ path = "" }) => ({ path, source }));
const shown = ({ path, source }: Placed) => JSON.stringify(path) + (source && ` (${source})`);
const quoted = (kind: string, name: string | undefined) => `${kind} ${JSON.stringify(name ?? "")}`;

/** Files of one volume that lie over each other. */
function* overlapWarnings({ name, configMap, secret, downwardAPI, projected }: CoreV1Volume): Iterable<string> {
  const of = (kind: string, files: readonly Placed[]) => overlaps(files, `volume ${JSON.stringify(name)} (${kind})`);
  if (configMap) yield* of(quoted("ConfigMap", configMap.name), placed(configMap.items));
  if (secret) yield* of(quoted("Secret", secret.secretName), placed(secret.items));
  if (downwardAPI) yield* of("DownwardAPI", placed(downwardAPI.items));
  for (const source of projected?.sources ?? [])
    if (Object.keys(source).length === 0) yield `volume ${JSON.stringify(name)} (Projected) has no sources provided`;
  yield* of("Projected", (projected?.sources ?? []).flatMap(projectedFiles));
}

function projectedFiles({ configMap, secret, downwardAPI, serviceAccountToken }: CoreV1VolumeProjection): Placed[] {
  if (configMap?.items) return placed(configMap.items, quoted("ConfigMap", configMap.name));
  if (secret?.items) return placed(secret.items, quoted("Secret", secret.name));
  if (downwardAPI?.items) return placed(downwardAPI.items, "DownwardAPI");
  return serviceAccountToken ? placed([serviceAccountToken], "ServiceAccountToken") : [];
}

function* overlaps(files: readonly Placed[], what: string): Iterable<string> {
  const trimmed = files.map(({ path, source }) => ({ path: path.replace(/\/+$/, ""), source }));
  for (const [index, file] of trimmed.entries())
    for (const other of trimmed.slice(0, index))
      if (lies(file.path, other.path) || lies(other.path, file.path))
        yield `${what}: overlapping paths: ${shown(file)} with ${shown(other)}`;
}

const lies = (path: string, over: string) => path === over || path.startsWith(`${over}/`);
