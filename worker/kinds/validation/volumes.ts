import { dnsLabelProblems, dnsSubdomainProblems } from "../../lib/names.ts";
import { parseQuantity } from "../../lib/quantity.ts";
import { duplicate, type FieldError, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Volume } from "../generated/types.ts";
import { validateClaimTemplate } from "./claims.ts";
import { invalidFor, type Problems } from "./fields.ts";
import type { KnownVolumes } from "./mounts.ts";
import { validateDownwardItem, validateItems, validateMode, validateProjections } from "./projections.ts";
import { sourceField, validateDisk, validateDriverName } from "./volume-disks.ts";

/** Whose volumes these are: a pod's own, or, without a name, those of a template. */
export type VolumesOwner = { isPod: boolean; name?: string };

/** https://kubernetes.io/docs/concepts/storage/volumes/ */
export function validateVolumes(
  volumes: readonly CoreV1Volume[] | undefined,
  field: string,
  owner: VolumesOwner,
): { known: KnownVolumes; problems: FieldError[] } {
  const known = new Map<string, CoreV1Volume>();
  const problems: FieldError[] = [];
  const claims = new Set(
    owner.name ? (volumes ?? []).filter((one) => one.ephemeral).map((one) => `${owner.name}-${one.name}`) : [],
  );
  for (const [index, volume] of (volumes ?? []).entries()) {
    const found = [...validateVolume(volume, known, `${field}[${index}]`, owner)];
    if (found.length === 0) known.set(volume.name, volume);
    problems.push(...found);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim && claims.has(claim))
      problems.push(
        invalidValue(
          `${field}[${index}].persistentVolumeClaim.claimName`,
          claim,
          "must not reference a PVC that gets created for an ephemeral volume",
        ),
      );
  }
  return { known, problems };
}

function* validateVolume(volume: CoreV1Volume, known: KnownVolumes, field: string, owner: VolumesOwner): Problems {
  yield* validateSource(volume, field, owner);
  if (!volume.name) yield required(`${field}.name`);
  else yield* invalidFor(`${field}.name`, volume.name, dnsLabelProblems(volume.name));
  if (known.has(volume.name)) yield duplicate(`${field}.name`, volume.name);
}

type Source = Exclude<keyof CoreV1Volume, "name">;
type Check = (volume: CoreV1Volume, field: string, owner: VolumesOwner) => Problems;

const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];

/** Checks of the sources that only pods have. */
const checks: Readonly<Partial<Record<Source, Check>>> = {
  *secret({ secret }, field) {
    if (!secret?.secretName) yield required(`${field}.secretName`);
    yield* validateMode(secret?.defaultMode, `${field}.defaultMode`);
    yield* validateItems(secret?.items, `${field}.items`);
  },
  *persistentVolumeClaim({ persistentVolumeClaim }, field) {
    if (!persistentVolumeClaim?.claimName) yield required(`${field}.claimName`);
  },
  *downwardAPI({ downwardAPI }, field) {
    yield* validateMode(downwardAPI?.defaultMode, `${field}.defaultMode`);
    for (const item of downwardAPI?.items ?? []) yield* validateDownwardItem(item, field);
  },
  *configMap({ configMap }, field) {
    if (!configMap?.name) yield required(`${field}.name`);
    yield* validateMode(configMap?.defaultMode, `${field}.defaultMode`);
    yield* validateItems(configMap?.items, `${field}.items`);
  },
  *projected({ projected }, field) {
    yield* validateMode(projected?.defaultMode, `${field}.defaultMode`);
    yield* validateProjections(projected?.sources ?? [], field);
  },
  *csi({ csi }, field) {
    yield* validateDriverName(csi?.driver, `${field}.driver`);
    const secret = csi?.nodePublishSecretRef;
    if (secret && !secret.name) yield required(`${field}.nodePublishSecretRef.name`);
    else if (secret?.name) yield* invalidFor(`${field}.name`, secret.name, dnsSubdomainProblems(secret.name));
  },
  *ephemeral({ name, ephemeral }, field, owner) {
    const template = ephemeral?.volumeClaimTemplate;
    if (!template) yield required(`${field}.volumeClaimTemplate`);
    else yield* validateClaimTemplate(template, `${field}.volumeClaimTemplate`);
    if (!owner.name || !name) return;
    const claim = `${owner.name}-${name}`;
    for (const why of dnsSubdomainProblems(claim))
      yield invalidValue(`${field}.name`, name, `PVC name ${JSON.stringify(claim)}: ${why}`);
  },
  *image({ image }, field, { isPod }) {
    if (isPod && !image?.reference) yield required(`${field}.reference`);
    const policy = image?.pullPolicy;
    if (!policy) yield required(`${field}.pullPolicy`);
    else if (!PULL_POLICIES.includes(policy)) yield notSupported(`${field}.pullPolicy`, policy, PULL_POLICIES);
  },
};

/** The sources in the order in which the second of two is refused. */
const ORDER: readonly Source[] = [
  "emptyDir",
  "hostPath",
  "gitRepo",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "secret",
  "nfs",
  "iscsi",
  "glusterfs",
  "flocker",
  "persistentVolumeClaim",
  "rbd",
  "cinder",
  "cephfs",
  "quobyte",
  "downwardAPI",
  "fc",
  "flexVolume",
  "configMap",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "storageos",
  "projected",
  "scaleIO",
  "csi",
  "ephemeral",
  "image",
];

function* validateSource(volume: CoreV1Volume, field: string, owner: VolumesOwner): Problems {
  let found = false;
  for (const name of ORDER) {
    if (!volume[name]) continue;
    const at = `${field}.${name}`;
    if (found) yield forbiddenField(`${field}.${sourceField(name)}`, "may not specify more than 1 volume type");
    else {
      yield* checks[name]?.(volume, at, owner) ?? [];
      const { csi: _, ...disks } = volume;
      yield* validateDisk({ ...disks, kind: name }, at, { name: volume.name, isVolume: false });
    }
    found = true;
  }
  const limit = volume.emptyDir?.sizeLimit;
  if (limit !== undefined && parseQuantity(limit).nano < 0n)
    yield forbiddenField(`${field}.emptyDir.sizeLimit`, "SizeLimit field must be a valid resource quantity");
  if (!found) yield required(field, "must specify a volume type");
}
