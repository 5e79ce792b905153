import { Node } from "../../kinds/core/node.ts";
import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import type { Core } from "../engine/core.ts";
import { metaOf } from "../engine/metadata.ts";
import type { Admission } from "./admission.ts";

const COPIED = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/** What a pod is to know of where its node is. */
export function topologyLabels({ view }: Pick<Core, "view">, node: string): Record<string, string> {
  const labels = view.get(Node, "", node)?.metadata?.labels ?? {};
  return Object.fromEntries(COPIED.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
}

/** Pods that have a node when they are written; for others it comes with the binding. */
export const podTopologyLabels: Admission = {
  name: "PodTopologyLabels",
  admits({ kind, subresource, action, object, core }) {
    if (kind.groupResource !== "pods" || subresource || action === "DELETE") return;
    const node = (object as CoreV1Pod).spec?.nodeName;
    const labels = node ? topologyLabels(core, node) : {};
    if (Object.keys(labels).length === 0) return;
    const metadata = metaOf(object);
    metadata.labels = { ...metadata.labels, ...labels };
  },
};
