import { Node } from "../../kinds/core/node.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import { VolumeAttachment } from "../../kinds/storage/volume-attachment.ts";
import { attachmentName, uniqueName } from "../../lib/volume-attachments.ts";
import type { Intent, View } from "../controller.ts";
import type { Attached, Subject } from "./subject.ts";

type Wanted = {
  node: string;
  users: readonly Readonly<Pod>[];
  attached: readonly Attached[];
  /** Nodes that have the volume, or are to from now on. */
  taken: readonly string[];
};

/** What a volume needs to be on a node. */
export function attach(view: View, subject: Subject, { node, users, attached, taken }: Wanted): Intent[] {
  const found = view.get(Node, "", node);
  if (!found) return [];
  const here = users.filter(({ spec }) => spec.nodeName === node);
  const own = attached.find((one) => one.node === node)?.attachment;
  if (!own) {
    const problem = exclusion(subject, { node, users, taken });
    if (problem) return here.map((pod) => failed(pod, `Multi-Attach error for volume "${subject.name}" ${problem}`));
    return [{ do: "create", kind: VolumeAttachment, object: attachmentFor(subject, node) }];
  }
  if (own.metadata?.deletionTimestamp) return []; // it comes again when it is gone
  const { attached: isAttached, attachError } = own.status ?? {};
  if (!isAttached && !attachError?.message) return [];
  if (!isAttached)
    return here.map((pod) =>
      failed(pod, `AttachVolume.Attach failed for volume "${subject.name}" : ${attachError?.message}`),
    );
  const { volumesAttached = [] } = found.status ?? {};
  const name = uniqueName(subject);
  if (volumesAttached.some((volume) => volume.name === name)) return [];
  const status = { ...found.status, volumesAttached: [...volumesAttached, { name, devicePath: "" }] };
  return [
    { do: "updateStatus", kind: Node, object: { ...found, status } as Node },
    ...here.map((pod) =>
      said(pod, "Normal", "SuccessfulAttachVolume", `AttachVolume.Attach succeeded for volume "${subject.name}" `),
    ),
  ];
}

/** Why a volume cannot be on a second node, where it cannot. */
function exclusion({ volume }: Subject, { node, users, taken }: Omit<Wanted, "attached">): string | undefined {
  const { accessModes = [] } = volume.spec ?? {};
  const isShared = accessModes.length === 0 || accessModes.some((mode) => /^(ReadWriteMany|ReadOnlyMany)$/.test(mode));
  if (isShared || !taken.some((other) => other !== node)) return undefined;
  const others = users.filter(({ spec }) => spec.nodeName !== node && taken.includes(spec.nodeName ?? ""));
  if (others.length === 0) return "Volume is already exclusively attached to one node and can't be attached to another";
  return `Volume is already used by pod(s) ${others.map(({ metadata }) => metadata.name).join(", ")}`;
}

const attachmentFor = (subject: Subject, node: string) => ({
  metadata: { name: attachmentName(subject, node) },
  spec: { attacher: subject.driver, nodeName: node, source: { persistentVolumeName: subject.name } },
});

const said = (about: Readonly<Pod>, type: "Normal" | "Warning", reason: string, message: string): Intent => ({
  do: "event",
  about,
  type,
  reason,
  message,
});

const failed = (pod: Readonly<Pod>, message: string) => said(pod, "Warning", "FailedAttachVolume", message);
