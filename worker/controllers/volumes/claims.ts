import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podClaims } from "../../kinds/core/pod-claims.ts";
import { defaultClass } from "../../kinds/default-class.ts";
import { same } from "../../kinds/paths.ts";
import { DEFAULT_CLASS, StorageClass } from "../../kinds/storage/storage-class.ts";
import type { Intent, View } from "../controller.ts";
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  bindsLate,
  type Claim,
  classOf,
  isFor,
  keptFor,
  matchFor,
  mismatchOf,
  SELECTED_NODE,
  type Volume,
} from "./matching.ts";

const PROVISIONERS = [
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/storage-provisioner",
] as const;
const BUILT_IN = "kubernetes.io/";
const NO_PROVISIONER = "kubernetes.io/no-provisioner";

/** What a claim needs next, one write to an object at a time: each one brings it here again. */
export function settleClaim(view: View, claim: Claim): Intent[] {
  if (claim.metadata?.annotations?.[BIND_COMPLETED]) return settleBound(view, claim);
  if (claim.metadata?.deletionTimestamp) return [];
  const named = claim.spec?.volumeName;
  const later = named || claim.spec?.storageClassName !== undefined || classOf(claim) ? undefined : classNow(view);
  if (later) return [annotated(claim, {}, { storageClassName: later })];
  const waits = !named && isDelayed(view, claim);
  const volumes = view.list(PersistentVolume).filter((volume) => !waits || volume.spec?.claimRef);
  const volume = named ? view.get(PersistentVolume, "", named) : matchFor(claim, volumes);
  if (!volume) return named ? pending(claim) : unmatched(view, claim, waits);
  if (volume.spec?.claimRef && !isFor(volume, claim))
    return [
      ...pending(claim),
      said(claim, "FailedBinding", `volume ${JSON.stringify(named)} already bound to a different claim.`),
    ];
  const mismatch = named && !volume.spec?.claimRef ? mismatchOf(volume, claim) : undefined;
  if (mismatch)
    return [
      ...pending(claim),
      said(claim, "VolumeMismatch", `Cannot bind to requested volume ${JSON.stringify(named)}: ${mismatch}`),
    ];
  if (!volume.spec?.claimRef?.uid) return [kept(volume, claim)];
  return [completed(claim, volume)];
}

/** A claim that came before there was a class for all gets it as soon as there is one. */
const classNow = (view: View): string | undefined =>
  defaultClass(view.list(StorageClass), DEFAULT_CLASS)?.metadata?.name;

function settleBound(view: View, claim: Claim): Intent[] {
  const name = claim.spec?.volumeName;
  const volume = name ? view.get(PersistentVolume, "", name) : undefined;
  const lost = (reason: string, message: string) => [
    ...withPhase(claim, { ...claim.status, phase: "Lost" }),
    ...(claim.status?.phase === "Lost" ? [] : [said(claim, reason, message)]),
  ];
  if (!name)
    return lost("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  if (!volume) return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  if (!volume.spec?.claimRef) return [kept(volume, claim)];
  if (volume.spec.claimRef.uid !== claim.metadata?.uid)
    return lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
  const { accessModes, capacity, volumeAttributesClassName } = volume.spec;
  const current = volumeAttributesClassName && { currentVolumeAttributesClassName: volumeAttributesClassName };
  // What comes of them later is told by whoever resizes and modifies volumes.
  const first = claim.status?.phase === "Bound" ? {} : { capacity, ...(current || {}) };
  return withPhase(claim, { ...claim.status, phase: "Bound", accessModes, ...first });
}

const withPhase = (claim: Claim, status: PersistentVolumeClaim["status"]): Intent[] =>
  same(status, claim.status)
    ? []
    : [{ do: "updateStatus", kind: PersistentVolumeClaim, object: { ...claim, status } as PersistentVolumeClaim }];

const pending = (claim: Claim): Intent[] => withPhase(claim, { ...claim.status, phase: "Pending" });

/** No node was chosen yet for the claim of a class that waits for one. */
const isDelayed = (view: View, claim: Claim): boolean =>
  !claim.metadata?.annotations?.[SELECTED_NODE] && bindsLate(view, claim);

const kept = (volume: Volume, claim: Claim): Intent => ({
  do: "update",
  kind: PersistentVolume,
  object: keptFor(volume, claim),
});

/** What has to happen to a pod before the claim is bound. */
function waitsFor(view: View, claim: Claim): Intent {
  const { namespace, name = "" } = claim.metadata ?? {};
  const pods = view
    .onNode(Pod, "")
    .filter((pod) => pod.metadata.namespace === namespace && podClaims(pod).some((used) => used.claim === name))
    .map((pod) => pod.metadata.name);
  if (pods.length === 0)
    return said(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding", "Normal");
  const message = `waiting for pod${pods.length > 1 ? "s" : ""} ${pods.join()} to be scheduled`;
  return said(claim, "WaitForPodScheduled", message, "Normal");
}

/** No volume does: whoever makes volumes of its class is asked for one. */
function unmatched(view: View, claim: Claim, waits: boolean): Intent[] {
  if (waits) return [...pending(claim), waitsFor(view, claim)];
  const name = classOf(claim);
  if (!name)
    return [
      ...pending(claim),
      said(
        claim,
        "FailedBinding",
        "no persistent volumes available for this claim and no storage class is set",
        "Normal",
      ),
    ];
  const provisioner = view.get(StorageClass, "", name)?.provisioner;
  if (!provisioner)
    return [
      ...pending(claim),
      said(claim, "ProvisioningFailed", `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`),
    ];
  if (provisioner === NO_PROVISIONER) return pending(claim);
  const message = provisioner.startsWith(BUILT_IN)
    ? `no volume plugin matched name: ${provisioner}`
    : `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the ` +
      "system administrator. If volume creation is delayed, please verify that the provisioner is running and " +
      "correctly registered.";
  const event = provisioner.startsWith(BUILT_IN)
    ? said(claim, "ProvisioningFailed", message)
    : said(claim, "ExternalProvisioning", message, "Normal");
  const annotations = Object.fromEntries(PROVISIONERS.map((annotation) => [annotation, provisioner]));
  if (PROVISIONERS.some((annotation) => claim.metadata?.annotations?.[annotation] !== provisioner))
    return [event, annotated(claim, annotations)];
  return pending(claim);
}

const said = (about: Claim, reason: string, message: string, type: "Normal" | "Warning" = "Warning"): Intent => ({
  do: "event",
  about,
  type,
  reason,
  message,
});

const annotated = (claim: Claim, annotations: Record<string, string>, spec: object = {}): Intent => ({
  do: "update",
  kind: PersistentVolumeClaim,
  object: {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...claim.metadata?.annotations, ...annotations } },
    spec: { ...claim.spec, ...spec },
  } as PersistentVolumeClaim,
});

function completed(claim: Claim, { metadata }: Volume): Intent {
  const byUser = Boolean(claim.spec?.volumeName);
  const annotations = { [BIND_COMPLETED]: "yes", ...(!byUser && { [BOUND_BY_CONTROLLER]: "yes" }) };
  return annotated(claim, annotations, { volumeName: metadata?.name });
}
