import { betweenNumbers, dnsLabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1PersistentVolumeSpec, CoreV1Volume } from "../generated/types.ts";
import { invalidFor, type Problems, validateDescendingPath, validateNoBacksteps } from "./fields.ts";

/**
 * Disks and shares that pods and PersistentVolumes name alike. A PersistentVolume's secrets name a namespace too.
 * https://kubernetes.io/docs/concepts/storage/volumes/
 */
type Disks = Omit<CoreV1Volume, "name"> & Partial<CoreV1PersistentVolumeSpec>;
type Check<T> = (source: T, field: string, owner: { name: string; isVolume: boolean }) => Problems;

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

function* allRequired<T extends object>(source: T, field: string, ...names: (keyof T & string)[]): Problems {
  for (const name of names) {
    const value: unknown = source[name];
    if (!value || (Array.isArray(value) && !value.length)) yield required(`${field}.${name}`);
  }
}

const requiring =
  <T extends object>(...names: (keyof T & string)[]): Check<T> =>
  (source, field) =>
    allRequired(source, field, ...names);

type SecretRef = { name?: string; namespace?: string } | undefined;

function* validateSecretRef(ref: SecretRef, field: string, isVolume: boolean): Problems {
  if (!ref) return;
  if (!ref.name) yield required(`${field}.name`);
  if (isVolume && !ref.namespace) yield required(`${field}.namespace`);
}

function* validatePartition(partition: number | undefined, field: string): Problems {
  if (partition !== undefined && (partition < 0 || partition > 255))
    yield invalidValue(field, partition, betweenNumbers(1, 255));
}

function* validateLun(lun: number | undefined, field: string): Problems {
  if (lun !== undefined && (lun < 0 || lun > 255)) yield invalidValue(field, lun, betweenNumbers(0, 255));
}

const INITIATORS: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function* validateInitiator(name: string, field: string, isVolume: boolean): Problems {
  const form = INITIATORS[name.slice(0, 3)];
  if (!form)
    yield invalidValue(
      field,
      name,
      isVolume ? "must be valid format" : "must be valid format starting with iqn, eui, or naa",
    );
  else if (!form.test(name)) yield invalidValue(field, name, "must be valid format");
}

const MAX_PORTAL = 64;

const iscsi: Check<NonNullable<Disks["iscsi"]>> = function* (source, field, { name, isVolume }) {
  const { targetPortal, iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source;
  if (!targetPortal) yield required(`${field}.targetPortal`);
  if (isVolume && initiatorName !== undefined && `${name}:${targetPortal}`.length > MAX_PORTAL)
    yield invalidValue(
      `${field}.targetportal`,
      targetPortal,
      `Total length of <volume name>:<iscsi.targetPortal> must be under ${MAX_PORTAL} characters if iscsi.initiatorName is specified.`,
    );
  if (!iqn) yield required(`${field}.iqn`);
  else yield* validateInitiator(iqn, `${field}.iqn`, isVolume);
  yield* validateLun(lun, `${field}.lun`);
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) yield required(`${field}.secretRef`);
  if (isVolume && secretRef && !secretRef.name) yield required(`${field}.secretRef.name`);
  if (initiatorName !== undefined) yield* validateInitiator(initiatorName, `${field}.initiatorname`, isVolume);
};

const fc: Check<NonNullable<Disks["fc"]>> = function* ({ targetWWNs = [], wwids = [], lun }, field) {
  const at = `${field}.targetWWNs`;
  if (!targetWWNs.length && !wwids.length) yield required(at, "must specify either targetWWNs or wwids, but not both");
  if (targetWWNs.length && wwids.length)
    yield invalidValue(at, targetWWNs, "targetWWNs and wwids can not be specified simultaneously");
  if (!targetWWNs.length) return;
  if (lun === undefined) yield required(`${field}.lun`, "lun is required if targetWWNs is specified");
  yield* validateLun(lun, `${field}.lun`);
};

const REGISTRY = "must be a host:port pair or multiple pairs separated by commas";
const MAX_TENANT = 64;

const quobyte: Check<NonNullable<Disks["quobyte"]>> = function* ({ registry, tenant = "", volume }, field) {
  if (!registry) yield required(`${field}.registry`, REGISTRY);
  else if (tenant.length > MAX_TENANT)
    yield required(`${field}.tenant`, `must be a UUID and may not exceed a length of ${MAX_TENANT} characters`);
  else
    for (const pair of registry.split(","))
      if (!/^([^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair)) yield invalidValue(`${field}.registry`, registry, REGISTRY);
  if (!volume) yield required(`${field}.volume`);
};

const flocker: Check<NonNullable<Disks["flocker"]>> = function* ({ datasetName, datasetUUID }, field) {
  if (!datasetName && !datasetUUID) yield required(field, "one of datasetName and datasetUUID is required");
  if (datasetName && datasetUUID)
    yield invalidValue(field, "resource", "datasetName and datasetUUID can not be specified simultaneously");
  if (datasetName?.includes("/")) yield invalidValue(`${field}.datasetName`, datasetName, "must not contain '/'");
};

const flexVolume: Check<NonNullable<Disks["flexVolume"]>> = function* (source, field) {
  yield* allRequired(source, field, "driver");
  for (const key of Object.keys(source.options ?? {})) {
    const [namespace = ""] = key.split("/");
    if (/\.(kubernetes|k8s)\.io$/.test(`.${namespace.toLowerCase()}`))
      yield invalidValue(`${field}.options[${key}]`, key, "kubernetes.io and k8s.io namespaces are reserved");
  }
};

const CACHING_MODES = ["None", "ReadOnly", "ReadWrite"];
const DISK_KINDS = ["Dedicated", "Managed", "Shared"];

const azureDisk: Check<NonNullable<Disks["azureDisk"]>> = function* (source, field) {
  const { diskURI = "", cachingMode, kind } = source;
  yield* allRequired(source, field, "diskName", "diskURI");
  if (cachingMode !== undefined && !CACHING_MODES.includes(cachingMode))
    yield notSupported(`${field}.cachingMode`, cachingMode, CACHING_MODES);
  if (kind === undefined) return;
  if (!DISK_KINDS.includes(kind)) yield notSupported(`${field}.kind`, kind, DISK_KINDS);
  const [prefix, form] =
    kind === "Managed"
      ? [
          "/subscriptions/",
          "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
        ]
      : ["https://", "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"];
  if (!diskURI.startsWith(prefix)) yield notSupported(`${field}.diskURI`, diskURI, [form]);
};

const storageos: Check<NonNullable<Disks["storageos"]>> = function* (source, field, { isVolume }) {
  const { volumeName, volumeNamespace, secretRef } = source;
  if (!volumeName) yield required(`${field}.volumeName`);
  else yield* invalidFor(`${field}.volumeName`, volumeName, dnsLabelProblems(volumeName));
  if (volumeNamespace)
    yield* invalidFor(`${field}.volumeNamespace`, volumeNamespace, dnsLabelProblems(volumeNamespace));
  yield* validateSecretRef(secretRef, `${field}.secretRef`, isVolume);
};

type DiskChecks = { [Name in keyof Disks]?: Check<NonNullable<Disks[Name]>> };

const checks: DiskChecks = {
  *hostPath(source, field) {
    const { path, type } = source;
    if (!path) {
      yield required(`${field}.path`);
      return;
    }
    yield* validateNoBacksteps(path, `${field}.path`);
    if (type !== undefined && !HOST_PATH_TYPES.includes(type))
      yield notSupported(`${field}.type`, type, HOST_PATH_TYPES);
  },
  *gitRepo(source, field) {
    yield* allRequired(source, field, "repository");
    yield* validateDescendingPath(source.directory ?? "", `${field}.directory`);
  },
  *gcePersistentDisk(source, field) {
    const at = field.replace(/gcePersistentDisk$/, "persistentDisk");
    yield* allRequired(source, at, "pdName");
    yield* validatePartition(source.partition, `${at}.partition`);
  },
  *awsElasticBlockStore(source, field) {
    yield* allRequired(source, field, "volumeID");
    yield* validatePartition(source.partition, `${field}.partition`);
  },
  *nfs(source, field) {
    yield* allRequired(source, field, "server", "path");
    if (!source.path?.startsWith("/"))
      yield invalidValue(`${field}.path`, source.path ?? "", "must be an absolute path");
  },
  iscsi,
  *glusterfs(source, field) {
    yield* allRequired(source, field, "endpoints", "path");
    const namespace = "endpointsNamespace" in source ? source.endpointsNamespace : undefined;
    const at = `${field}.endpointsNamespace`;
    if (namespace === "")
      yield invalidValue(at, namespace, "if the endpointnamespace is set, it must be a valid namespace name");
    else if (namespace !== undefined) yield* invalidFor(at, namespace, dnsLabelProblems(namespace));
  },
  flocker,
  rbd: requiring("monitors", "image"),
  *cinder(source, field, { isVolume }) {
    yield* allRequired(source, field, "volumeID");
    yield* validateSecretRef(source.secretRef, `${field}.secretRef`, isVolume);
  },
  cephfs: requiring("monitors"),
  quobyte,
  fc,
  flexVolume,
  *azureFile(source, field) {
    yield* allRequired(source, field, "secretName", "shareName");
    if ("secretNamespace" in source && source.secretNamespace === "") yield required(`${field}.secretNamespace`);
  },
  vsphereVolume: requiring("volumePath"),
  photonPersistentDisk: requiring("pdID"),
  portworxVolume: requiring("volumeID"),
  azureDisk,
  storageos,
  scaleIO: requiring("gateway", "system", "volumeName"),
  *local({ path }, field) {
    if (!path) yield required(`${field}.path`);
    else yield* validateNoBacksteps(path, `${field}.path`);
  },
};

/** Of a source that is none of these, nothing. `owner` is the PersistentVolume, or the pod's volume. */
export const validateDisk: Check<Disks & { kind: keyof Disks }> = function* ({ kind, ...sources }, field, owner) {
  const source = sources[kind];
  const check = checks[kind] as unknown as Check<unknown> | undefined;
  if (source && check) yield* check(source, field, owner);
};

/** What a source is called where two are given: a field's name, but for some. */
export const sourceField = (name: string): string => ({ cephfs: "cephFS", downwardAPI: "downwarAPI" })[name] ?? name;

const MAX_DRIVER_NAME = 63;

export function* validateDriverName(name: string | undefined, field: string): Problems {
  if (!name) {
    yield required(field);
    return;
  }
  if (name.length > MAX_DRIVER_NAME)
    yield { field, reason: "FieldValueTooLong", message: `Too long: may not be more than ${MAX_DRIVER_NAME} bytes` };
  yield* invalidFor(field, name, dnsSubdomainProblems(name.toLowerCase()));
}
