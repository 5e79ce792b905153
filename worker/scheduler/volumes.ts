/**
 * Volumes as the scheduler sees them: which claims of a pod stand in its way, and what a node has to offer them.
 * https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode
 */
import type { Intent, View } from "../controllers/controller.ts";
import {
  bindsLate,
  type Claim,
  classOf,
  isBound,
  keptFor,
  matchFor,
  SELECTED_NODE,
  type Volume,
} from "../controllers/volumes/matching.ts";
import { PersistentVolume } from "../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../kinds/core/persistent-volume-claim.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { podClaims } from "../kinds/core/pod-claims.ts";
import { StorageClass } from "../kinds/storage/storage-class.ts";
import { isProvisioned, MOVE_TO } from "../lib/local-volumes.ts";
import { matchesNodeTerm } from "../lib/node-selectors.ts";

const NO_PROVISIONER = "kubernetes.io/no-provisioner";

type NodeLike = { name: string; labels: Readonly<Record<string, string>> };

/** Claims that a pod names, those of its generic ephemeral volumes included. */
export const claimNames = (pod: Readonly<Pod>): string[] => podClaims(pod).map(({ claim }) => claim);

/** `isSettling`: one is bound, and its phase does not say so yet. */
export type Claims = { bound: readonly Claim[]; late: readonly Claim[]; isSettling: boolean };

/** The pod's claims, or why no node will do for now. */
export function claimsOf(view: View, pod: Readonly<Pod>): Claims | { problem: string } {
  const bound: Claim[] = [];
  const late: Claim[] = [];
  for (const name of claimNames(pod)) {
    const claim = view.get(PersistentVolumeClaim, pod.metadata.namespace ?? "", name);
    if (!claim) return { problem: `persistentvolumeclaim ${JSON.stringify(name)} not found` };
    if (claim.metadata?.deletionTimestamp)
      return { problem: `persistentvolumeclaim ${JSON.stringify(name)} is being deleted` };
    if (claim.status?.phase === "Lost") {
      const volume = JSON.stringify(claim.spec?.volumeName ?? "");
      return {
        problem: `persistentvolumeclaim ${JSON.stringify(name)} bound to non-existent persistentvolume ${volume}`,
      };
    }
    if (isBound(claim)) bound.push(claim);
    else if (!claim.spec?.volumeName && bindsLate(view, claim)) late.push(claim);
    else return { problem: "pod has unbound immediate PersistentVolumeClaims" };
  }
  return { bound, late, isSettling: bound.some(({ status }) => status?.phase !== "Bound") };
}

/** A volume without affinity can be used from any node. One that is to move awaits its pods where it will be. */
export function isReachable(volume: Volume, node: NodeLike): boolean {
  const { metadata, spec } = volume;
  const next = isProvisioned(volume) ? metadata?.annotations?.[MOVE_TO] : undefined;
  if (next) return next === node.name;
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || terms.some((term) => matchesNodeTerm(term, node));
}

/** What late claims would get on the node: a volume that is there, or one that will be made; undefined when neither. */
export function offers(view: View, late: readonly Claim[], node: NodeLike): Map<Claim, Volume | "made"> | undefined {
  const free = new Set(view.list(PersistentVolume).filter((volume) => isReachable(volume, node)));
  const found = new Map<Claim, Volume | "made">();
  for (const claim of late) {
    const chosen = claim.metadata?.annotations?.[SELECTED_NODE];
    // Its volume is being made for another node.
    if (chosen && chosen !== node.name) return undefined;
    const volume = matchFor(claim, free);
    if (volume) free.delete(volume);
    if (!volume && !canBeMade(view.get(StorageClass, "", classOf(claim)), node)) return undefined;
    found.set(claim, volume ?? "made");
  }
  return found;
}

/** https://kubernetes.io/docs/concepts/storage/storage-classes/#allowed-topologies */
function canBeMade(storageClass: Readonly<StorageClass> | undefined, { labels }: NodeLike): boolean {
  const { provisioner = NO_PROVISIONER, allowedTopologies: topologies } = storageClass ?? {};
  if (provisioner === NO_PROVISIONER) return false;
  const matches = ({ key, values }: { key: string; values: readonly string[] }) => values.includes(labels[key] ?? "");
  return (
    !topologies?.length || topologies.some(({ matchLabelExpressions = [] }) => matchLabelExpressions.every(matches))
  );
}

/** Keeps volumes on the node for the claims, and asks for those that have to be made. The pod waits for both. */
export function bindLate(view: View, late: readonly Claim[], node: NodeLike): Intent[] {
  return [...(offers(view, late, node) ?? [])].flatMap(([claim, offer]): Intent[] => {
    if (offer !== "made") return [{ do: "update", kind: PersistentVolume, object: keptFor(offer, claim) }];
    if (claim.metadata?.annotations?.[SELECTED_NODE] === node.name) return [];
    const annotations = { ...claim.metadata?.annotations, [SELECTED_NODE]: node.name };
    const object = { ...claim, metadata: { ...claim.metadata, annotations } } as PersistentVolumeClaim;
    return [{ do: "update", kind: PersistentVolumeClaim, object }];
  });
}
