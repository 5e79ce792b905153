import { dnsLabelProblems, dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { compareQuantities, formatQuantity, parseQuantity, ZERO } from "../../lib/quantity.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import { ACCESS_MODES } from "../core/access-modes.ts";
import type {
  CoreV1PersistentVolumeClaim,
  CoreV1PersistentVolumeClaimSpec,
  CoreV1PersistentVolumeClaimTemplate,
  CoreV1TypedObjectReference,
  MetaV1ObjectMeta,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { entries, invalidFor, type Problems, validateAnnotations, validateLabels } from "./fields.ts";
import { goDiff, goValue } from "./go-values.ts";
import { validateLabelSelector } from "./label-selector.ts";
import { validateQuantity } from "./resources.ts";

/** https://kubernetes.io/docs/concepts/storage/persistent-volumes/#persistentvolumeclaims */
export const VOLUME_MODES = ["Block", "Filesystem"];
const NOT_POSITIVE = "must be greater than zero";

export function* validateAccessModes(modes: readonly string[], field: string): Problems {
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) yield notSupported(field, mode, ACCESS_MODES);
  const others = modes.filter((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others.length)
    yield forbiddenField(field, "may not use ReadWriteOncePod with other access modes");
}

export function* validatePositive(amount: string, field: string): Problems {
  if (parseQuantity(amount).nano <= 0n) yield invalidValue(field, formatQuantity(parseQuantity(amount)), NOT_POSITIVE);
}

export function* validateClassName(name: string, field: string): Problems {
  yield* invalidFor(field, name, dnsSubdomainProblems(name));
}

export function* validateClaim(spec: CoreV1PersistentVolumeClaimSpec | undefined, field: string): Problems {
  const { accessModes = [], selector, resources, volumeMode, storageClassName, dataSource } = spec ?? {};
  if (!accessModes.length) yield required(`${field}.accessModes`, "at least 1 access mode is required");
  yield* validateLabelSelector(selector, `${field}.selector`);
  yield* validateAccessModes(accessModes, `${field}.accessModes`);
  const storage = resources?.requests?.storage;
  if (storage === undefined) yield required(`${field}.resources[storage]`);
  else if (parseQuantity(storage).nano <= 0n) yield* validatePositive(storage, `${field}.resources[storage]`);
  else yield* validateQuantity("storage", storage, `${field}.resources[storage]`);
  if (storageClassName) yield* validateClassName(storageClassName, `${field}.storageClassName`);
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    yield notSupported(`${field}.volumeMode`, volumeMode, VOLUME_MODES);
  const reference = spec?.dataSourceRef;
  if (dataSource) yield* validateDataSource(dataSource, `${field}.dataSource`);
  if (reference) yield* validateDataSource(reference, `${field}.dataSourceRef`);
  // The value that these show is a path, which has nothing to show.
  if (dataSource && reference?.namespace)
    yield invalidValue(field, {}, "may not be specified when dataSourceRef.namespace is specified");
  else if (dataSource && reference && !same(dataSource, { ...reference, namespace: undefined }))
    yield invalidValue(field, {}, "must match dataSourceRef");
  const attributes = spec?.volumeAttributesClassName;
  if (attributes) yield* validateClassName(attributes, `${field}.volumeAttributesClassName`);
}

function* validateDataSource(source: CoreV1TypedObjectReference, field: string): Problems {
  const { name, kind = "", apiGroup = "", namespace } = source;
  if (!name) yield required(`${field}.name`);
  if (!kind) yield required(`${field}.kind`);
  if (!apiGroup && kind !== "PersistentVolumeClaim")
    yield invalidValue(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  if (apiGroup) yield* invalidFor(`${field}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup));
  if (namespace) yield* invalidFor(`${field}.namespace`, namespace, dnsLabelProblems(namespace));
}

/** A template of claims gives them labels and annotations, and nothing else. */
export function* validateTemplateMetadata(metadata: MetaV1ObjectMeta | undefined, field: string): Problems {
  const { annotations, labels, ...more } = metadata ?? {};
  yield* validateAnnotations(annotations, `${field}.annotations`);
  yield* validateLabels(labels, `${field}.labels`);
  for (const [name, value] of Object.entries(more))
    if (value !== null && value !== undefined)
      yield forbiddenField(`${field}.${name === "uid" ? "uID" : name}`, "cannot be set");
}

export function* validateClaimTemplate(template: CoreV1PersistentVolumeClaimTemplate, field: string): Problems {
  yield* validateTemplateMetadata(template.metadata, `${field}.metadata`);
  yield* validateClaim(template.spec, `${field}.spec`);
}

const CLAIM_FIXED =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
export const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** A bound claim may grow; a class or volume may be filled in once. */
export function* validateClaimUpdate(claim: CoreV1PersistentVolumeClaim, old: CoreV1PersistentVolumeClaim): Problems {
  const before = structuredClone(old.spec ?? {});
  const spec = structuredClone(claim.spec ?? {});
  const isBound = claim.status?.phase === "Bound";
  if (!before.volumeName && spec.volumeName) before.volumeName = spec.volumeName;
  yield* validateClassChange(claim, old);
  const annotated = old.metadata?.annotations?.[CLASS_ANNOTATION];
  const mayName = annotated === undefined || annotated === spec.storageClassName;
  if (before.storageClassName === undefined && spec.storageClassName !== undefined && mayName)
    delete spec.storageClassName;
  const was = before.resources?.requests?.storage ?? "0";
  const size = spec.resources?.requests?.storage ?? "0";
  if (isBound && spec.resources?.requests) spec.resources.requests.storage = was;
  if (isBound) {
    delete spec.volumeAttributesClassName;
    delete before.volumeAttributesClassName;
  }
  const shown = (value: CoreV1PersistentVolumeClaimSpec) => goValue("core.PersistentVolumeClaimSpec", value);
  if (!same(spec, before)) yield forbiddenField("spec", `${CLAIM_FIXED}\n${goDiff(shown(before), shown(spec))}`);
  const given = old.status?.capacity?.storage;
  const capacity = given === undefined ? ZERO : parseQuantity(given);
  if (compareQuantities(parseQuantity(size), parseQuantity(was)) < 0)
    if (compareQuantities(parseQuantity(size), capacity) <= 0)
      yield forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity");
  if (claim.spec?.volumeMode !== old.spec?.volumeMode)
    yield invalidValue("volumeMode", claim.spec?.volumeMode ?? null, "field is immutable");
  yield* validateAttributesChange(claim, old);
}

function* validateClassChange(claim: CoreV1PersistentVolumeClaim, old: CoreV1PersistentVolumeClaim): Problems {
  const was = old.metadata?.annotations?.[CLASS_ANNOTATION];
  const now = claim.metadata?.annotations?.[CLASS_ANNOTATION];
  const moved = was !== undefined && old.spec?.storageClassName === undefined && claim.spec?.storageClassName === was;
  if (moved && (now === undefined || now === was)) return;
  if ((was ?? "") !== (now ?? ""))
    yield invalidValue(`metadata.annotations[${CLASS_ANNOTATION}]`, now ?? "", "field is immutable");
}

function* validateAttributesChange(claim: CoreV1PersistentVolumeClaim, old: CoreV1PersistentVolumeClaim): Problems {
  const now = claim.spec?.volumeAttributesClassName;
  if (now === old.spec?.volumeAttributesClassName || old.status?.currentVolumeAttributesClassName === undefined) return;
  const what = now === undefined ? "nil" : now === "" ? "empty string" : undefined;
  if (what)
    yield forbiddenField(
      "spec.volumeAttributesClassName",
      `update to ${what} is forbidden when status.currentVolumeAttributesClassName is not nil`,
    );
}

const RESIZE_STATES = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
  "NodeResizePending",
].sort();

function* validateClaimResource(name: string, field: string): Problems {
  const problems = qualifiedNameProblems(name);
  yield* invalidFor(field, name, problems);
  const isNative = !name.includes("/") || name.includes("kubernetes.io/");
  if (!problems.length && isNative && name !== "storage") yield notSupported(field, name, ["storage"]);
}

export function* validateAmount(amount: string, field: string): Problems {
  const { nano } = parseQuantity(amount);
  // A whole number, rounded away from zero, as Go's Quantity.Value gives it.
  if (nano < 0n)
    yield invalidValue(field, Number((nano - 999_999_999n) / 1_000_000_000n), "must be a valid resource quantity");
}

export function* validateClaimStatus({ spec, status }: CoreV1PersistentVolumeClaim): Problems {
  if (!spec?.accessModes?.length) yield required("Spec.accessModes");
  for (const [name, amount] of entries(status?.capacity)) yield* validateAmount(amount, `status.capacity[${name}]`);
  const states = "status.allocatedResourceStatuses";
  for (const [name, state] of entries(status?.allocatedResourceStatuses)) {
    yield* validateClaimResource(name, states);
    if (!RESIZE_STATES.includes(state)) yield notSupported(states, name, RESIZE_STATES);
  }
  const allocated = "status.allocatedResources";
  for (const [name, amount] of entries(status?.allocatedResources)) {
    const wrong = [...validateClaimResource(name, allocated)];
    yield* wrong.length ? wrong : validateAmount(amount, `${allocated}[${name}]`);
  }
}
