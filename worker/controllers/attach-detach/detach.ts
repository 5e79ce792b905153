import { Node } from "../../kinds/core/node.ts";
import { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import { timestamp } from "../../lib/effects.ts";
import { uniqueName } from "../../lib/volume-attachments.ts";
import { conditionOf } from "../conditions.ts";
import type { Intent, View } from "../controller.ts";
import type { Attached, Subject } from "./subject.ts";

/** A node that does not answer for so long after a volume was to be detached is not waited for. */
const MOST_WAIT_MS = 360_000;
/** On a VolumeAttachment that is to go, once its node does not answer: since when it was both. */
const UNUSED_SINCE = "skerry.dev/unused-since";
/** Said by whoever knows that the machine is off. https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown */
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** What a volume needs to leave a node on which no pod has it. */
export function detach(view: View, subject: Subject, { node, attachment }: Attached, now: number): Intent[] {
  if (attachment.metadata?.deletionTimestamp) return [];
  const found = view.get(Node, "", node);
  const waits = found && waitMs(found, subject, attachment, now);
  if (waits === Infinity) return [];
  if (waits) return unusedSince(attachment) ? [{ do: "again", afterMs: waits }] : [mark(attachment, timestamp(now))];
  const { name = "", uid = "" } = attachment.metadata ?? {};
  return [
    ...(found ? unattached(found, subject) : []),
    { do: "delete", kind: VolumeAttachment, namespace: "", name, uid },
  ];
}

/** A volume that a pod has again is waited for anew. */
export const keep = ({ attachment }: Attached): Intent[] =>
  unusedSince(attachment) && !attachment.metadata?.deletionTimestamp ? [mark(attachment)] : [];

const unusedSince = ({ metadata }: Readonly<VolumeAttachment>) => metadata?.annotations?.[UNUSED_SINCE];

function mark(attachment: Readonly<VolumeAttachment>, since?: string): Intent {
  const { [UNUSED_SINCE]: _, ...others } = attachment.metadata?.annotations ?? {};
  const annotations = since === undefined ? others : { ...others, [UNUSED_SINCE]: since };
  const object = { ...attachment, metadata: { ...attachment.metadata, annotations } };
  return { do: "update", kind: VolumeAttachment, object };
}

/** How long the node is still to be waited for; `Infinity` until it says so. */
function waitMs(node: Readonly<Node>, subject: Subject, attachment: Readonly<VolumeAttachment>, now: number): number {
  const { spec, status } = node;
  if (!status?.volumesInUse?.includes(uniqueName(subject))) return 0;
  if (spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return 0;
  const ready = conditionOf(status.conditions, "Ready");
  if (ready?.status === "True") return Infinity;
  const times = [ready?.lastTransitionTime, unusedSince(attachment)].map((time) => Date.parse(time ?? ""));
  const since = Math.max(...times.map((time) => (Number.isNaN(time) ? now : time)));
  return Math.max(0, since + MOST_WAIT_MS - now);
}

/** Before it is detached, so that nobody takes it for attached. */
function unattached(node: Readonly<Node>, subject: Subject): Intent[] {
  const { volumesAttached = [], ...status } = node.status ?? {};
  const left = volumesAttached.filter(({ name }) => name !== uniqueName(subject));
  if (left.length === volumesAttached.length) return [];
  const object = { ...node, status: { ...status, ...(left.length > 0 && { volumesAttached: left }) } } as Node;
  return [{ do: "updateStatus", kind: Node, object }];
}
