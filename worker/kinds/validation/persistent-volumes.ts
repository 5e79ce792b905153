import { dnsLabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  CoreV1CSIPersistentVolumeSource,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeSpec,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { VOLUME_MODES, validateAccessModes, validateAmount, validateClassName, validatePositive } from "./claims.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { goDiff, goValue } from "./go-values.ts";
import { nodeTermWarnings } from "./pod-warnings.ts";
import { validateNodeSelector } from "./scheduling.ts";
import { sourceField, validateDisk, validateDriverName } from "./volume-disks.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/ */
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const INLINE = "in the context of inline volumes";

/** The sources in the order in which the second of two is refused. */
const SOURCES = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
] as const satisfies readonly (keyof CoreV1PersistentVolumeSpec)[];

export function* validateVolume({ metadata, spec }: CoreV1PersistentVolume): Problems {
  yield* validateVolumeSpec(spec ?? {}, "spec", { name: metadata?.name ?? "", isInline: false });
}

type Owner = { name: string; isInline: boolean };

/** `isInline` for what a VolumeAttachment holds: only what attaching needs. */
export function* validateVolumeSpec(spec: CoreV1PersistentVolumeSpec, field: string, owner: Owner): Problems {
  const { accessModes = [], capacity, hostPath } = spec;
  if (owner.isInline) {
    for (const name of ["claimRef", "capacity"] as const)
      if (Object.keys(spec[name] ?? {}).length)
        yield forbiddenField(`${field}.${name}`, `may not be specified ${INLINE}`);
    if (!spec.csi) yield required(`${field}.csi`, `has to be specified ${INLINE}`);
  }
  if (!accessModes.length) yield required(`${field}.accessModes`);
  yield* validateAccessModes(accessModes, `${field}.accessModes`);
  if (!owner.isInline) yield* validateCapacity(capacity, `${field}.capacity`);
  const policy = spec.persistentVolumeReclaimPolicy;
  yield* validateReclaimPolicy(policy, `${field}.persistentVolumeReclaimPolicy`, owner);
  const affinity = spec.nodeAffinity;
  if (affinity && owner.isInline) yield forbiddenField(`${field}.nodeAffinity`, `may not be specified ${INLINE}`);
  else if (affinity?.required) yield* validateNodeSelector(affinity.required, `${field}.nodeAffinity.required`);
  else if (affinity) yield required(`${field}.nodeAffinity.required`, "must specify required node constraints");
  yield* validateSources(spec, field, owner);
  if (hostPath && /^\/+$/.test(hostPath.path ?? "") && policy === "Recycle")
    yield forbiddenField(`${field}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'");
  yield* validateClasses(spec, field, owner);
}

function* validateCapacity(capacity: CoreV1PersistentVolumeSpec["capacity"], field: string): Problems {
  if (!Object.keys(capacity ?? {}).length) yield required(field);
  if (capacity?.storage === undefined || Object.keys(capacity).length > 1)
    yield notSupported(field, capacity ? Object.fromEntries(entries(capacity)) : null, ["storage"]);
  for (const [name, amount] of entries(capacity)) {
    yield* validateAmount(amount, `${field}[${name}]`);
    yield* validatePositive(amount, `${field}[${name}]`);
  }
}

function* validateReclaimPolicy(policy: string | undefined, field: string, { isInline }: Owner): Problems {
  if (!policy) return;
  if (isInline && policy !== "Retain") yield forbiddenField(field, `may only be Retain ${INLINE}`);
  if (!isInline && !RECLAIM_POLICIES.includes(policy)) yield notSupported(field, policy, RECLAIM_POLICIES);
}

function* validateSources(spec: CoreV1PersistentVolumeSpec, field: string, { name }: Owner): Problems {
  let found = false;
  for (const kind of SOURCES) {
    if (!spec[kind]) continue;
    const at = `${field}.${kind}`;
    if (found && kind !== "flexVolume")
      yield forbiddenField(`${field}.${sourceField(kind)}`, "may not specify more than 1 volume type");
    else {
      yield* validateDisk({ ...spec, kind } as Parameters<typeof validateDisk>[0], at, { name, isVolume: true });
      if (spec.csi && kind === "csi") yield* validateCsi(spec.csi, at);
      if (kind === "local" && !spec.nodeAffinity)
        yield required(`${field}.nodeAffinity`, "Local volume requires node affinity");
    }
    found = true;
  }
  if (!found) yield required(field, "must specify a volume type");
}

const SECRETS = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function* validateCsi(csi: CoreV1CSIPersistentVolumeSource, field: string): Problems {
  yield* validateDriverName(csi.driver, `${field}.driver`);
  if (!csi.volumeHandle) yield required(`${field}.volumeHandle`);
  for (const name of SECRETS) {
    const secret = csi[name];
    if (!secret) continue;
    const at = `${field}.${name}`;
    if (!secret.name) yield required(`${at}.name`);
    else yield* invalidFor(`${at}.name`, secret.name, dnsSubdomainProblems(secret.name));
    if (!secret.namespace) yield required(`${at}.namespace`);
    else yield* invalidFor(`${at}.namespace`, secret.namespace, dnsLabelProblems(secret.namespace));
  }
}

function* validateClasses(spec: CoreV1PersistentVolumeSpec, field: string, { isInline }: Owner): Problems {
  const { storageClassName, volumeMode, volumeAttributesClassName: attributes } = spec;
  if (storageClassName && isInline) yield forbiddenField(`${field}.storageClassName`, `may not be specified ${INLINE}`);
  else if (storageClassName) yield* validateClassName(storageClassName, `${field}.storageClassName`);
  const at = `${field}.volumeMode`;
  if (isInline && volumeMode !== undefined && volumeMode !== "Filesystem")
    yield forbiddenField(at, `may not specify volumeMode other than Filesystem ${INLINE}`);
  if (!isInline && volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    yield notSupported(at, volumeMode, VOLUME_MODES);
  if (attributes === undefined) return;
  if (!attributes) yield required(`${field}.volumeAttributesClassName`, "an empty string is disallowed");
  else yield* validateClassName(attributes, `${field}.volumeAttributesClassName`);
  if (!spec.csi) yield required(`${field}.csi`, "has to be specified when using volumeAttributesClassName");
}

const sourceOf = (spec: CoreV1PersistentVolumeSpec | undefined): Record<string, unknown> =>
  Object.fromEntries(SOURCES.flatMap((name) => (spec?.[name] ? [[name, spec[name]]] : [])));

export function* validateVolumeUpdate(volume: CoreV1PersistentVolume, before: CoreV1PersistentVolume): Problems {
  const [spec, old] = [volume.spec, before.spec];
  const now = sourceOf(spec);
  const was = sourceOf(old);
  if (old?.csi && spec?.csi?.controllerExpandSecretRef && !old.csi.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = spec.csi;
    now.csi = csi;
  }
  const shown = (value: unknown) => goValue("core.PersistentVolumeSource", value);
  if (!same(now, was))
    yield forbiddenField(
      "spec.persistentvolumesource",
      `spec.persistentvolumesource is immutable after creation\n${goDiff(shown(was), shown(now))}`,
    );
  if (spec?.volumeMode !== old?.volumeMode)
    yield invalidValue("volumeMode", spec?.volumeMode ?? null, "field is immutable");
  if (old?.nodeAffinity && !same(spec?.nodeAffinity, old.nodeAffinity))
    yield invalidValue(
      "nodeAffinity",
      spec?.nodeAffinity ? goValue("core.VolumeNodeAffinity", spec.nodeAffinity) : null,
      "field is immutable, except for updating from beta label to GA",
    );
  if (old?.volumeAttributesClassName !== undefined && spec?.volumeAttributesClassName === undefined)
    yield forbiddenField("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden");
}

const RENAMED: Readonly<Record<string, string>> = {
  "volume.beta.kubernetes.io/storage-class": 'deprecated since v1.8; use "storageClassName" attribute instead',
  "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
};
const RETIRED: readonly [keyof CoreV1PersistentVolumeSpec, name: string, why: string][] = [
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

export function* persistentVolumeWarnings(
  metadata: CoreV1PersistentVolume["metadata"],
  spec: CoreV1PersistentVolumeSpec | undefined,
): Iterable<string> {
  for (const [key, why] of Object.entries(RENAMED))
    if (metadata?.annotations?.[key] !== undefined) yield `metadata.annotations[${key}]: ${why}`;
  if (spec?.persistentVolumeReclaimPolicy === "Recycle")
    yield "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.";
  for (const [index, term] of (spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    yield* nodeTermWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`);
  for (const [source, name, why] of RETIRED) if (spec?.[source]) yield `spec.${name}: ${why}`;
}
