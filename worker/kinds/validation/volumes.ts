import { dnsLabelProblems } from "../../lib/names.ts";
import { parseQuantity } from "../../lib/quantity.ts";
import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1DownwardAPIVolumeFile,
  CoreV1KeyToPath,
  CoreV1Volume,
  CoreV1VolumeProjection,
} from "../generated/types.ts";
import { VOLUME_FIELDS, validateFieldRef, validateResourceRef } from "./env.ts";
import { invalidFor, type Problems, validateDescendingPath, validateNoBacksteps } from "./fields.ts";
import type { KnownVolumes } from "./mounts.ts";

/** https://kubernetes.io/docs/concepts/storage/volumes/ */
export function validateVolumes(
  volumes: readonly CoreV1Volume[] | undefined,
  field: string,
): { known: KnownVolumes; problems: FieldError[] } {
  const known = new Map<string, CoreV1Volume>();
  const problems: FieldError[] = [];
  for (const [index, volume] of (volumes ?? []).entries()) {
    const found = [...validateVolume(volume, known, `${field}[${index}]`)];
    if (found.length === 0) known.set(volume.name, volume);
    problems.push(...found);
  }
  return { known, problems };
}

function* validateVolume(volume: CoreV1Volume, known: KnownVolumes, field: string): Problems {
  yield* validateSource(volume, field);
  if (!volume.name) yield required(`${field}.name`);
  else yield* invalidFor(`${field}.name`, volume.name, dnsLabelProblems(volume.name));
  if (known.has(volume.name)) yield duplicate(`${field}.name`, volume.name);
}

type Check = (volume: CoreV1Volume, field: string) => Problems;

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

/** The sources in the order in which the second of two is refused; those without a check are taken as they are. */
const sources: readonly { name: Exclude<keyof CoreV1Volume, "name">; check?: Check }[] = [
  {
    name: "emptyDir",
    *check({ emptyDir }, field) {
      if (emptyDir?.sizeLimit && parseQuantity(emptyDir.sizeLimit).nano < 0n)
        yield forbiddenField(`${field}.sizeLimit`, "SizeLimit field must be a valid resource quantity");
    },
  },
  {
    name: "hostPath",
    *check({ hostPath }, field) {
      if (!hostPath?.path) {
        yield required(`${field}.path`);
        return;
      }
      yield* validateNoBacksteps(hostPath.path, `${field}.path`);
      if (!HOST_PATH_TYPES.includes(hostPath.type ?? ""))
        yield notSupported(`${field}.type`, hostPath.type, HOST_PATH_TYPES);
    },
  },
  { name: "gitRepo" },
  { name: "gcePersistentDisk" },
  { name: "awsElasticBlockStore" },
  {
    name: "secret",
    *check({ secret }, field) {
      if (!secret?.secretName) yield required(`${field}.secretName`);
      yield* validateMode(secret?.defaultMode, `${field}.defaultMode`);
      yield* validateItems(secret?.items, `${field}.items`);
    },
  },
  {
    name: "nfs",
    *check({ nfs }, field) {
      if (!nfs?.server) yield required(`${field}.server`);
      if (!nfs?.path) yield required(`${field}.path`);
      else if (!nfs.path.startsWith("/")) yield invalidValue(`${field}.path`, nfs.path, "must be an absolute path");
    },
  },
  { name: "iscsi" },
  { name: "glusterfs" },
  { name: "flocker" },
  {
    name: "persistentVolumeClaim",
    *check({ persistentVolumeClaim }, field) {
      if (!persistentVolumeClaim?.claimName) yield required(`${field}.claimName`);
    },
  },
  { name: "rbd" },
  { name: "cinder" },
  { name: "cephfs" },
  { name: "quobyte" },
  {
    name: "downwardAPI",
    *check({ downwardAPI }, field) {
      yield* validateMode(downwardAPI?.defaultMode, `${field}.defaultMode`);
      for (const item of downwardAPI?.items ?? []) yield* validateDownwardItem(item, field);
    },
  },
  { name: "fc" },
  { name: "flexVolume" },
  {
    name: "configMap",
    *check({ configMap }, field) {
      if (!configMap?.name) yield required(`${field}.name`);
      yield* validateMode(configMap?.defaultMode, `${field}.defaultMode`);
      yield* validateItems(configMap?.items, `${field}.items`);
    },
  },
  { name: "azureFile" },
  { name: "vsphereVolume" },
  { name: "photonPersistentDisk" },
  { name: "portworxVolume" },
  { name: "azureDisk" },
  { name: "storageos" },
  {
    name: "projected",
    *check({ projected }, field) {
      yield* validateMode(projected?.defaultMode, `${field}.defaultMode`);
      yield* validateProjections(projected?.sources ?? [], field);
    },
  },
  { name: "scaleIO" },
  {
    name: "csi",
    *check({ csi }, field) {
      if (!csi?.driver) yield required(`${field}.driver`);
    },
  },
  {
    name: "ephemeral",
    *check({ ephemeral }, field) {
      if (!ephemeral?.volumeClaimTemplate) yield required(`${field}.volumeClaimTemplate`);
    },
  },
  {
    name: "image",
    *check({ image }, field) {
      if (!image?.reference) yield required(`${field}.reference`);
    },
  },
];

function* validateSource(volume: CoreV1Volume, field: string): Problems {
  let found = false;
  for (const { name, check } of sources) {
    if (!volume[name]) continue;
    if (found) yield forbiddenField(`${field}.${name}`, "may not specify more than 1 volume type");
    else yield* check?.(volume, `${field}.${name}`) ?? [];
    found = true;
  }
  if (!found) yield required(field, "must specify a volume type");
}

function* validateMode(mode: number | undefined, field: string): Problems {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    yield invalidValue(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

function* validateItems(items: readonly CoreV1KeyToPath[] | undefined, field: string): Problems {
  for (const [index, { key, path, mode }] of (items ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (!key) yield required(`${at}.key`);
    if (!path) yield required(`${at}.path`);
    yield* validateFilePath(path ?? "", `${at}.path`);
    yield* validateMode(mode, `${at}.mode`);
  }
}

function* validateFilePath(path: string, field: string): Problems {
  yield* validateDescendingPath(path, field);
  if (path.startsWith("..") && !path.startsWith("../")) yield invalidValue(field, path, "must not start with '..'");
}

function* validateDownwardItem(item: CoreV1DownwardAPIVolumeFile, field: string): Problems {
  const { path, fieldRef, resourceFieldRef, mode } = item;
  if (!path) yield required(`${field}.path`);
  yield* validateFilePath(path ?? "", `${field}.path`);
  if (fieldRef) {
    yield* validateFieldRef(fieldRef, VOLUME_FIELDS, `${field}.fieldRef`);
    if (resourceFieldRef)
      yield invalidValue(field, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (resourceFieldRef) yield* validateResourceRef(resourceFieldRef, true, `${field}.resourceFieldRef`);
  else yield required(field, "one of fieldRef and resourceFieldRef is required");
  yield* validateMode(mode, `${field}.mode`);
}

const PROJECTED = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
] as const;
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;

function* validateProjections(projections: readonly CoreV1VolumeProjection[], field: string): Problems {
  const paths = new Set<string>();
  for (const [index, source] of projections.entries()) {
    const at = `${field}.sources[${index}]`;
    let found = false;
    for (const name of PROJECTED) {
      if (!source[name]) continue;
      if (found) yield forbiddenField(`${at}.${name}`, "may not specify more than 1 volume type per source");
      else yield* validateProjection(source, `${at}.${name}`);
      found = true;
    }
    for (const path of writtenBy(source)) {
      if (paths.has(path)) yield invalidValue(field, path, "conflicting duplicate paths");
      paths.add(path);
    }
  }
}

function* validateProjection(source: CoreV1VolumeProjection, field: string): Problems {
  const { secret, configMap, downwardAPI, serviceAccountToken: token } = source;
  for (const named of [secret, configMap]) {
    if (!named) continue;
    if (!named.name) yield required(`${field}.name`);
    yield* validateItems(named.items, `${field}.items`);
    return;
  }
  for (const item of downwardAPI?.items ?? []) yield* validateDownwardItem(item, field);
  if (!token) return;
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < MIN_TOKEN_SECONDS)
    yield invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > MAX_TOKEN_SECONDS)
    yield invalidValue(`${field}.expirationSeconds`, seconds, "may not specify a duration larger than 2^32 seconds");
  if (!token.path) yield required(`${field}.path`);
  else yield* validateFilePath(token.path, `${field}.path`);
}

const writtenBy = (source: CoreV1VolumeProjection): string[] =>
  [
    ...[source.secret, source.configMap, source.downwardAPI]
      .flatMap((from) => from?.items ?? [])
      .map((item) => item.path),
    source.serviceAccountToken?.path,
  ].filter((path): path is string => !!path);
