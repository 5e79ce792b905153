import { Node } from "../../kinds/core/node.ts";
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { StorageClass } from "../../kinds/storage/storage-class.ts";
import { PROVISIONED_BY, PROVISIONER, VOLUME_NODE, VOLUMES_PATH } from "../../lib/local-volumes.ts";
import type { Intent, View } from "../controller.ts";
import { type Claim, classOf, SELECTED_NODE } from "../volumes/matching.ts";
import { FINALIZER } from "./reclaim.ts";

const ASKED = "volume.kubernetes.io/storage-provisioner";
const HOSTNAME = "kubernetes.io/hostname";
/** A volume of one node can be no other nodes'. */
const MODES = ["ReadWriteOnce", "ReadWriteOncePod"];

/** Makes the volume that a claim asks this provisioner for. */
export function provision(view: View, claim: Claim): Intent[] {
  const { annotations = {}, uid = "" } = claim.metadata ?? {};
  const storageClass = view.get(StorageClass, "", classOf(claim));
  if (annotations[ASKED] !== PROVISIONER || storageClass?.provisioner !== PROVISIONER) return [];
  if (view.get(PersistentVolume, "", `pvc-${uid}`)) return []; // it is being bound
  const place = annotations[SELECTED_NODE];
  const problem = refusal(claim, place);
  if (problem || !place) return [failed(claim, problem ?? "")];
  const node = view.get(Node, "", place);
  // Another one is chosen then.
  if (!node) return [failed(claim, `node ${JSON.stringify(place)} not found`), unplaced(claim)];
  const folder = node.metadata.annotations?.[VOLUMES_PATH];
  if (!folder) return [failed(claim, `node ${JSON.stringify(place)} makes no volumes`)];
  const volume = volumeFor(claim, storageClass, node, folder);
  const { namespace = "", name = "" } = claim.metadata ?? {};
  return [
    event(claim, "Provisioning", `External provisioner is provisioning volume for claim "${namespace}/${name}"`),
    {
      do: "together",
      intents: [
        { do: "create", kind: PersistentVolume, object: volume },
        event(claim, "ProvisioningSucceeded", `Successfully provisioned volume ${volume.metadata.name}`),
      ],
    },
  ];
}

function refusal({ spec }: Claim, place: string | undefined): string | undefined {
  if (!place) return `no node was chosen: a class of ${PROVISIONER} needs volumeBindingMode WaitForFirstConsumer`;
  const mode = spec?.accessModes?.find((wanted) => !MODES.includes(wanted));
  if (mode) return `access mode ${mode} is not supported: only ${MODES.join(" and ")} are`;
  if (spec?.volumeMode === "Block") return "volumeMode Block is not supported";
  if (spec?.selector) return "claim Selector is not supported";
  return spec?.dataSource || spec?.dataSourceRef ? "volumes are not made from other ones" : undefined;
}

function volumeFor(claim: Claim, storageClass: Readonly<StorageClass>, node: Readonly<Node>, folder: string) {
  const { namespace = "", name = "", uid = "" } = claim.metadata ?? {};
  const volume = `pvc-${uid}`;
  const { name: nodeName = "" } = node.metadata;
  const { reclaimPolicy = "Delete", mountOptions } = storageClass;
  return {
    metadata: {
      name: volume,
      annotations: { [PROVISIONED_BY]: PROVISIONER, [VOLUME_NODE]: nodeName },
      ...(reclaimPolicy === "Delete" && { finalizers: [FINALIZER] }),
    },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.storage ?? "0" },
      accessModes: claim.spec?.accessModes,
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      local: { path: `${folder}/${volume}_${namespace}_${name}` },
      nodeAffinity: affinityTo(node),
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: classOf(claim),
      ...(mountOptions?.length && { mountOptions }),
      volumeMode: "Filesystem",
    },
  };
}

/** Of a volume that lies on the node. */
export function affinityTo({ metadata }: Readonly<Node>) {
  const values = [metadata.labels?.[HOSTNAME] ?? metadata.name ?? ""];
  return { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: "In", values }] }] } };
}

const event = (about: Claim, reason: string, message: string, type: "Normal" | "Warning" = "Normal") =>
  ({ do: "event", about, type, reason, message }) as const;

const failed = (claim: Claim, why: string) =>
  event(
    claim,
    "ProvisioningFailed",
    `failed to provision volume with StorageClass "${classOf(claim)}": ${why}`,
    "Warning",
  );

function unplaced(claim: Claim): Intent {
  const { [SELECTED_NODE]: _, ...annotations } = claim.metadata?.annotations ?? {};
  const object = { ...claim, metadata: { ...claim.metadata, annotations } } as PersistentVolumeClaim;
  return { do: "update", kind: PersistentVolumeClaim, object };
}
