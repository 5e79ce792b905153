/**
 * What a node's pods need, and so the node: read from the pods that are bound to it when it asks.
 * https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { type PodReferences, podImages, podReferences } from "../../kinds/core/pod-references.ts";
import type { CoreV1PersistentVolume, CoreV1PersistentVolumeClaim, CoreV1Pod } from "../../kinds/generated/types.ts";
import {
  isInBucket,
  isProvisioned,
  LEFT_ON,
  MOVING_TO,
  placeIn,
  receiverOf,
  senderOf,
  TRANSFER,
  VOLUME_NODE,
} from "../../lib/local-volumes.ts";
import type { Reader } from "../../storage/store.ts";
import { claimIn } from "../http/volume-data.ts";

const MIRROR = "kubernetes.io/config.mirror";

const claimsOf = (pod: CoreV1Pod): string[] => podClaims(pod).map(({ claim }) => claim);

/** A pod that the node itself has made gives it nothing. */
const isMirror = ({ metadata }: CoreV1Pod) => metadata?.annotations?.[MIRROR] !== undefined;

/** Pods bound to a node, those of one namespace, whose text says `word`: the others are not parsed. */
function* podsOn(reader: Reader, node: string, namespace: string, word: string): Iterable<CoreV1Pod> {
  const quoted = word && JSON.stringify(word);
  for (const pod of reader.byRef(`node=${node}`, "pods")) {
    if (pod.namespace !== namespace || (quoted && !pod.json.includes(quoted))) continue;
    const parsed = JSON.parse(pod.json) as CoreV1Pod;
    if (!isMirror(parsed)) yield parsed;
  }
}

export type Relation = (reader: Reader, node: string, namespace: string, name: string) => boolean;

const mentions =
  (resource: keyof PodReferences): Relation =>
  (reader, node, namespace, name) => {
    // The default account of a namespace need not be named in every text.
    for (const pod of podsOn(reader, node, namespace, resource === "serviceaccounts" ? "" : name))
      if (podReferences(pod)[resource].has(name)) return true;
    return false;
  };

export const claimed: Relation = (reader, node, namespace, name) => {
  for (const pod of podsOn(reader, node, namespace, "")) if (claimsOf(pod).includes(name)) return true;
  return false;
};

const claimOfVolume = ({ spec }: CoreV1PersistentVolume) => ({
  namespace: spec?.claimRef?.namespace ?? "",
  name: spec?.claimRef?.name ?? "",
});

export const volumeOfClaim: Relation = (reader, node, _, name) => {
  const stored = reader.get({ resource: "persistentvolumes", namespace: "", name });
  if (!stored) return false;
  const claim = claimOfVolume(JSON.parse(stored.json) as CoreV1PersistentVolume);
  return claim.name !== "" && claimed(reader, node, claim.namespace, claim.name);
};

type Ref = { name?: string; namespace?: string; secretName?: string; secretNamespace?: string | null };

/** Secrets by which a volume is mounted; those without a namespace lie in that of its claim. */
function secretsOfVolume({ spec }: CoreV1PersistentVolume, own: string): string[] {
  const csi = spec?.csi;
  const refs = [
    csi?.controllerPublishSecretRef,
    csi?.nodeStageSecretRef,
    csi?.nodePublishSecretRef,
    csi?.controllerExpandSecretRef,
    csi?.nodeExpandSecretRef,
    spec?.cephfs?.secretRef,
    spec?.flexVolume?.secretRef,
    spec?.rbd?.secretRef,
    spec?.scaleIO?.secretRef,
    spec?.iscsi?.secretRef,
    spec?.storageos?.secretRef,
    spec?.azureFile,
  ] as (Ref | undefined)[];
  return refs.flatMap((ref) => {
    const name = ref?.name ?? ref?.secretName;
    return name ? [`${ref?.namespace ?? ref?.secretNamespace ?? own}/${name}`] : [];
  });
}

export const secret: Relation = (reader, node, namespace, name) => {
  if (mentions("secrets")(reader, node, namespace, name)) return true;
  for (const stored of reader.byRef(`node=${node}`, "pods")) {
    const pod = JSON.parse(stored.json) as CoreV1Pod;
    if (isMirror(pod)) continue;
    for (const claim of claimsOf(pod)) {
      const found = reader.get({ resource: "persistentvolumeclaims", namespace: stored.namespace, name: claim });
      const { spec } = found ? (JSON.parse(found.json) as { spec?: { volumeName?: string } }) : {};
      const volume =
        spec?.volumeName && reader.get({ resource: "persistentvolumes", namespace: "", name: spec.volumeName });
      if (!volume) continue;
      const parsed = JSON.parse(volume.json) as CoreV1PersistentVolume;
      if (secretsOfVolume(parsed, claimOfVolume(parsed).namespace).includes(`${namespace}/${name}`)) return true;
    }
  }
  return false;
};

/** Whether a path is the data of a volume that is being moved to the node. */
export function isMovingHere(reader: Reader, node: string, path: string): boolean {
  const claim = claimIn(path);
  const stored = claim && reader.get({ resource: "persistentvolumeclaims", ...claim });
  const name = stored && (JSON.parse(stored.json) as CoreV1PersistentVolumeClaim).spec?.volumeName;
  const volume = name && reader.get({ resource: "persistentvolumes", namespace: "", name });
  if (!volume) return false;
  return placeIn((JSON.parse(volume.json) as CoreV1PersistentVolume).metadata?.annotations, MOVING_TO)?.node === node;
}

const TRANSFERS = /^\/skerry\/transfers\/([^/]+)\/([^/]+)(?:\/|$)/;

/** Whether a path is a volume's copy in the bucket that the node has to send, to read or to remove. */
export function mayTransfer(reader: Reader, node: string, verb: string, path: string): boolean {
  const [, name, transfer] = TRANSFERS.exec(path) ?? [];
  const stored = name && reader.get({ resource: "persistentvolumes", namespace: "", name });
  const volume = stored ? (JSON.parse(stored.json) as CoreV1PersistentVolume) : undefined;
  const { annotations } = volume?.metadata ?? {};
  if (!volume || !isProvisioned(volume) || annotations?.[TRANSFER] !== transfer) return false;
  const isSender = senderOf(volume) === node;
  if (verb === "put") return isSender;
  if (verb === "get") return isSender || receiverOf(volume)?.node === node;
  const remover = isInBucket(annotations) ? undefined : placeIn(annotations, LEFT_ON)?.node;
  // Whose sending was called off while it went on removes what it has sent since.
  return verb === "delete" && remover !== undefined && [remover, annotations?.[VOLUME_NODE]].includes(node);
}

/** What is asked of a repository to pull from it. */
const PULLS = /^\/v2\/(.+)\/(?:(?:manifests|blobs|referrers)\/[^/]+|tags\/list)$/;
/** `team/app` of `HOST/team/app:1` and of `HOST/clusters/NAME/team/app@sha256:…`. */
const REPOSITORY = /^(?:[^/]*[.:][^/]*|localhost)\/(?:clusters\/[^/]+\/)?([^:@]+)/;

/** Whether a path is of a repository of the cluster's registry that a pod on the node names, at whatever host. */
export function mayPull(reader: Reader, node: string, path: string): boolean {
  const [, repository] = PULLS.exec(path) ?? [];
  if (repository === undefined) return false;
  return reader.byRef(`node=${node}`, "pods").some(({ json }) => {
    if (!json.includes(`/${repository}`)) return false;
    const pod = JSON.parse(json) as CoreV1Pod;
    return !isMirror(pod) && podImages(pod).some((image) => REPOSITORY.exec(image)?.[1] === repository);
  });
}

export const configMap = mentions("configmaps");
export const serviceAccount = mentions("serviceaccounts");

export const ownPod: Relation = (reader, node, namespace, name) =>
  reader.byRef(`node=${node}`, "pods").some((pod) => pod.namespace === namespace && pod.name === name);

export const deviceClaim: Relation = (reader, node, namespace, name) => {
  for (const { spec, status } of podsOn(reader, node, namespace, name)) {
    const extended = status?.extendedResourceClaimStatus?.resourceClaimName;
    const names = (spec?.resourceClaims ?? []).map(({ name: own, resourceClaimName }) => {
      const made = status?.resourceClaimStatuses?.find((candidate) => candidate.name === own);
      return resourceClaimName ?? made?.resourceClaimName;
    });
    if ([...names, extended].includes(name)) return true;
  }
  return false;
};

/** An object whose spec names the node. */
const onNode =
  (resource: string): Relation =>
  (reader, node, _, name) => {
    const stored = reader.get({ resource, namespace: "", name });
    return (
      stored !== undefined && (JSON.parse(stored.json) as { spec?: { nodeName?: string } }).spec?.nodeName === node
    );
  };

export const attachment = onNode("volumeattachments.storage.k8s.io");
export const resourceSlice = onNode("resourceslices.resource.k8s.io");
