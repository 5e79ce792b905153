import { compareQuantities, formatQuantity, parseQuantity } from "../../lib/quantity.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ACCESS_MODES } from "../core/access-modes.ts";
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1PersistentVolumeClaimSpec,
  CoreV1PersistentVolumeSpec,
  StorageV1StorageClass,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { entries, type Problems, validateNoBacksteps } from "./fields.ts";
import { goDiff, goNamed } from "./go-values.ts";
import { validateLabelSelector } from "./label-selector.ts";
import { validateQuantity } from "./resources.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/ */
const VOLUME_MODES = ["Block", "Filesystem"];
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const NOT_POSITIVE = "must be greater than zero";

function* validateAccessModes(modes: readonly string[], field: string): Problems {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) yield notSupported(field, mode, ACCESS_MODES);
  if (modes.includes("ReadWriteOncePod") && modes.length > 1)
    yield forbiddenField(field, "may not use ReadWriteOncePod with other access modes");
}

export function* validateClaim(spec: CoreV1PersistentVolumeClaimSpec | undefined, field: string): Problems {
  const { accessModes = [], selector, resources, volumeMode } = spec ?? {};
  if (!accessModes.length) yield required(`${field}.accessModes`, "at least 1 access mode is required");
  yield* validateLabelSelector(selector, `${field}.selector`);
  yield* validateAccessModes(accessModes, `${field}.accessModes`);
  const storage = resources?.requests?.storage;
  if (storage === undefined) yield required(`${field}.resources[storage]`);
  else yield* validateStorage(storage, `${field}.resources[storage]`);
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    yield notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES);
}

function* validateStorage(amount: string, field: string): Problems {
  yield* validateQuantity("storage", amount, field);
  if (parseQuantity(amount).nano <= 0n) yield invalidValue(field, formatQuantity(parseQuantity(amount)), NOT_POSITIVE);
}

const CLAIM_FIXED =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** A bound claim may grow; a class or volume may be filled in once. */
export function* validateClaimUpdate(claim: CoreV1PersistentVolumeClaim, old: CoreV1PersistentVolumeClaim): Problems {
  const before = old.spec ?? {};
  const spec = structuredClone(claim.spec ?? {});
  if (!before.volumeName) delete spec.volumeName;
  if (before.storageClassName === undefined) delete spec.storageClassName;
  delete spec.volumeAttributesClassName;
  const size = spec.resources?.requests?.storage;
  const was = before.resources?.requests?.storage;
  const grown = old.status?.phase === "Bound" && size !== undefined && was !== undefined;
  if (grown && spec.resources?.requests) {
    spec.resources.requests.storage = was;
    if (compareQuantities(parseQuantity(size), parseQuantity(was)) < 0)
      yield forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity");
  }
  const { volumeAttributesClassName: _, ...fixed } = before;
  if (!same(spec, fixed)) yield forbiddenField("spec", `${CLAIM_FIXED}\n${goDiff(goNamed(fixed), goNamed(spec))}`);
}

const NOT_SOURCES = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

const sourceOf = (spec: CoreV1PersistentVolumeSpec | undefined): [string, unknown][] =>
  Object.entries(spec ?? {}).filter(([name]) => !NOT_SOURCES.has(name));

export function* validateVolume({ spec }: CoreV1PersistentVolume): Problems {
  const { accessModes = [], capacity, hostPath, local, nodeAffinity } = spec ?? {};
  if (!accessModes.length) yield required("spec.accessModes");
  yield* validateAccessModes(accessModes, "spec.accessModes");
  if (!Object.keys(capacity ?? {}).length) yield required("spec.capacity");
  if (capacity?.storage === undefined || Object.keys(capacity).length > 1)
    yield notSupported("spec.capacity", capacity ?? null, ["storage"]);
  for (const [name, amount] of entries(capacity)) yield* validateStorage(amount, `spec.capacity[${name}]`);
  const policy = spec?.persistentVolumeReclaimPolicy;
  if (policy && !RECLAIM_POLICIES.includes(policy))
    yield notSupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES);
  const [first, ...more] = sourceOf(spec);
  if (!first) yield required("spec", "must specify a volume type");
  for (const [name] of more) yield forbiddenField(`spec.${name}`, "may not specify more than 1 volume type");
  if (hostPath && !hostPath.path) yield required("spec.hostPath.path");
  if (hostPath?.path) yield* validateNoBacksteps(hostPath.path, "spec.hostPath.path");
  if (local && !local.path) yield required("spec.local.path");
  if (local && !nodeAffinity?.required) yield required("spec.nodeAffinity", "Local volume requires node affinity");
  if (hostPath?.path === "/" && policy === "Recycle")
    yield forbiddenField("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
  if (spec?.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode))
    yield notSupported("spec.volumeMode", spec.volumeMode, VOLUME_MODES);
}

/** The struct's sources, all of which a message's diff shows. */
const SOURCE_NAMES = [
  "GCEPersistentDisk",
  "AWSElasticBlockStore",
  "HostPath",
  "Glusterfs",
  "NFS",
  "RBD",
  "Quobyte",
  "ISCSI",
  "FlexVolume",
  "Cinder",
  "CephFS",
  "FC",
  "Flocker",
  "AzureFile",
  "VsphereVolume",
  "AzureDisk",
  "PhotonPersistentDisk",
  "PortworxVolume",
  "ScaleIO",
  "Local",
  "StorageOS",
  "CSI",
];

function goSource(spec: CoreV1PersistentVolumeSpec | undefined): Record<string, unknown> {
  const given = new Map(sourceOf(spec).map(([name, value]) => [name.toLowerCase(), goNamed(value)]));
  return Object.fromEntries(SOURCE_NAMES.map((name) => [name, given.get(name.toLowerCase()) ?? null]));
}

export function* validateVolumeUpdate(volume: CoreV1PersistentVolume, old: CoreV1PersistentVolume): Problems {
  if (!same(Object.fromEntries(sourceOf(volume.spec)), Object.fromEntries(sourceOf(old.spec))))
    yield forbiddenField(
      "spec.persistentvolumesource",
      `spec.persistentvolumesource is immutable after creation\n${goDiff(goSource(old.spec), goSource(volume.spec))}`,
    );
  if (volume.spec?.volumeMode !== old.spec?.volumeMode)
    yield invalidValue("spec.volumeMode", volume.spec?.volumeMode ?? null, "field is immutable");
}

const BINDING_MODES = ["Immediate", "WaitForFirstConsumer"];

export function* validateStorageClass(storage: StorageV1StorageClass): Problems {
  if (!storage.provisioner) yield required("provisioner");
  const { reclaimPolicy, volumeBindingMode } = storage;
  if (reclaimPolicy && !["Delete", "Retain"].includes(reclaimPolicy))
    yield notSupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]);
  if (!volumeBindingMode) yield required("volumeBindingMode");
  else if (!BINDING_MODES.includes(volumeBindingMode))
    yield notSupported("volumeBindingMode", volumeBindingMode, BINDING_MODES);
}

export function* validateStorageClassUpdate(storage: StorageV1StorageClass, old: StorageV1StorageClass): Problems {
  if (!same(storage.parameters ?? {}, old.parameters ?? {}))
    yield forbiddenField("parameters", "updates to parameters are forbidden.");
  if (storage.provisioner !== old.provisioner)
    yield forbiddenField("provisioner", "updates to provisioner are forbidden.");
  if (storage.reclaimPolicy !== old.reclaimPolicy)
    yield forbiddenField("reclaimPolicy", "updates to reclaimPolicy are forbidden.");
  if (storage.volumeBindingMode !== old.volumeBindingMode)
    yield invalidValue("volumeBindingMode", storage.volumeBindingMode, "field is immutable");
}
