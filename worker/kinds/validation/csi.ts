import { dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  StorageV1CSIDriver,
  StorageV1CSINode,
  StorageV1CSIStorageCapacity,
  StorageV1VolumeAttachment,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { goValue } from "./go-values.ts";
import { validateLabelSelector } from "./label-selector.ts";
import { validateVolumeSpec } from "./persistent-volumes.ts";
import { validateQuantity } from "./resources.ts";
import { validateDriverName } from "./volume-disks.ts";

/** https://kubernetes-csi.github.io/docs/ */
const MAX_NODE_ID_BYTES = 256;
const MIN_PERIOD = 10;
const MIN_TOKEN_SECONDS = 600;
const MAX_TOKEN_SECONDS = 2 ** 32;
const IMMUTABLE = "field is immutable";

const GROUP_POLICIES = ["File", "None", "ReadWriteOnceWithFSType"];
const LIFECYCLES = ["Persistent", "Ephemeral"];

export function* validateCsiDriver({ spec }: StorageV1CSIDriver): Problems {
  const { attachRequired, podInfoOnMount, storageCapacity, fsGroupPolicy } = spec ?? {};
  if (attachRequired === undefined) yield required("spec.attachedRequired");
  if (podInfoOnMount === undefined) yield required("spec.podInfoOnMount");
  if (storageCapacity === undefined) yield required("spec.storageCapacity");
  if (fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(fsGroupPolicy))
    yield notSupported("spec.fsGroupPolicy", fsGroupPolicy, GROUP_POLICIES);
  const audiences = new Set<string>();
  for (const [index, { audience, expirationSeconds }] of (spec?.tokenRequests ?? []).entries()) {
    const at = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) {
      yield duplicate(`${at}.audience`, audience);
      continue;
    }
    audiences.add(audience);
    if (expirationSeconds === undefined) continue;
    if (expirationSeconds < MIN_TOKEN_SECONDS)
      yield invalidValue(
        `${at}.expirationSeconds`,
        expirationSeconds,
        "may not specify a duration less than 10 minutes",
      );
    if (expirationSeconds > MAX_TOKEN_SECONDS)
      yield invalidValue(
        `${at}.expirationSeconds`,
        expirationSeconds,
        "may not specify a duration larger than 2^32 seconds",
      );
  }
  for (const mode of spec?.volumeLifecycleModes ?? [])
    if (!LIFECYCLES.includes(mode)) yield notSupported("spec.volumeLifecycleModes", mode, LIFECYCLES);
  const period = spec?.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < MIN_PERIOD)
    yield invalidValue(
      "spec.nodeAllocatableUpdatePeriodSeconds",
      period,
      `must be greater than or equal to ${MIN_PERIOD} seconds`,
    );
  const inSecrets = spec?.serviceAccountTokenInSecrets;
  if (inSecrets !== undefined && !spec?.tokenRequests?.length)
    yield invalidValue(
      "spec.serviceAccountTokenInSecrets",
      inSecrets,
      "serviceAccountTokenInSecrets is set but no tokenRequests are specified",
    );
}

export function* validateCsiDriverUpdate({ spec }: StorageV1CSIDriver, old: StorageV1CSIDriver): Problems {
  const changed = (field: "attachRequired" | "volumeLifecycleModes") => !same(spec?.[field], old.spec?.[field]);
  if (changed("attachRequired")) yield invalidValue("spec.attachedRequired", spec?.attachRequired, IMMUTABLE);
  if (changed("volumeLifecycleModes"))
    yield invalidValue("spec.volumeLifecycleModes", spec?.volumeLifecycleModes, IMMUTABLE);
}

export function* validateCsiNode({ spec }: StorageV1CSINode): Problems {
  const names = new Set<string>();
  for (const [index, { name, nodeID, allocatable, topologyKeys }] of (spec?.drivers ?? []).entries()) {
    const at = `spec.drivers[${index}]`;
    yield* validateDriverName(name, `${at}.name`);
    if (!nodeID) yield required(`${at}.nodeID`);
    else if (nodeID.length > MAX_NODE_ID_BYTES)
      yield invalidValue(`${at}.nodeID`, nodeID, `must be ${MAX_NODE_ID_BYTES} characters or less`);
    const count = allocatable?.count;
    if (count !== undefined && count < 0)
      yield invalidValue(`${at}.allocatable.count`, count, "must be greater than or equal to 0");
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    yield* topologyProblems(topologyKeys ?? [], at);
  }
}

function* topologyProblems(keys: readonly string[], field: string): Problems {
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) < index) yield duplicate(field, key);
    if (key === "") yield required(field);
    yield* invalidFor(field, key, qualifiedNameProblems(key));
  }
}

const ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

export function* validateAttachment({ spec }: StorageV1VolumeAttachment): Problems {
  const { attacher, nodeName = "", source } = spec ?? {};
  if (!attacher) yield required("spec.attacher");
  const { persistentVolumeName, inlineVolumeSpec } = source ?? {};
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) yield required("spec.source", ONE_SOURCE);
  else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined)
    yield forbiddenField("spec.source", ONE_SOURCE);
  else if (persistentVolumeName === "")
    yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName");
  else if (inlineVolumeSpec)
    yield* validateVolumeSpec(inlineVolumeSpec, "spec.source.inlineVolumeSpec", { name: "", isInline: true });
  yield* invalidFor("spec.nodeName", nodeName, dnsSubdomainProblems(nodeName));
  yield* validateDriverName(attacher, "spec.attacher");
}

export function* validateNewAttachment({ spec }: StorageV1VolumeAttachment): Problems {
  const name = spec?.source?.persistentVolumeName;
  if (name !== undefined) yield* invalidFor("spec.source.persistentVolumeName", name, dnsSubdomainProblems(name));
}

export function* validateAttachmentUpdate(
  { spec }: StorageV1VolumeAttachment,
  old: StorageV1VolumeAttachment,
): Problems {
  if (same(spec, old.spec)) return;
  yield invalidValue("spec", goValue("storage.VolumeAttachmentSpec", spec), IMMUTABLE);
}

export function* validateCapacity({ storageClassName, capacity, nodeTopology }: StorageV1CSIStorageCapacity): Problems {
  yield* validateLabelSelector(nodeTopology, "nodeTopology");
  yield* invalidFor("storageClassName", storageClassName ?? "", dnsSubdomainProblems(storageClassName ?? ""));
  if (capacity !== undefined) yield* validateQuantity("storage", String(capacity), "capacity");
}
