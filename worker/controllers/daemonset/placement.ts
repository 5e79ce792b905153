import type { DaemonSet } from "../../kinds/apps/daemon-set.ts";
import type { Node } from "../../kinds/core/node.ts";
import type { Pod } from "../../kinds/core/pod.ts";
import type { CoreV1PodSpec, CoreV1PodTemplateSpec } from "../../kinds/generated/types.ts";
import { selectsNode } from "../../lib/node-selectors.ts";
import { type Toleration, untolerated } from "../../lib/taints.ts";

const PREFIX = "node.kubernetes.io";

/**
 * Troubles of a node that its daemons live through.
 * https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
 */
function ownTolerations(spec: CoreV1PodSpec): Toleration[] {
  const taints = [
    ["not-ready", "NoExecute"],
    ["unreachable", "NoExecute"],
    ["disk-pressure", "NoSchedule"],
    ["memory-pressure", "NoSchedule"],
    ["pid-pressure", "NoSchedule"],
    ["unschedulable", "NoSchedule"],
    ...(spec.hostNetwork ? [["network-unavailable", "NoSchedule"]] : []),
  ];
  return taints.map(([name, effect]) => ({ key: `${PREFIX}/${name}`, operator: "Exists", effect }));
}

function tolerationsOf(spec: CoreV1PodSpec): Toleration[] {
  const own = ownTolerations(spec);
  const same = (a: Toleration, b: Toleration) => a.key === b.key && a.effect === b.effect;
  return [...(spec.tolerations ?? []).filter((given) => !own.some((t) => same(t, given))), ...own];
}

/** Whether a set's pod should be on a node, and whether one that is there may stay. */
export function placement(
  set: Readonly<DaemonSet>,
  node: Pick<Node, "metadata" | "spec">,
): { wanted: boolean; stays: boolean } {
  const spec = set.spec.template.spec ?? { containers: [] };
  const { name = "", labels = {} } = node.metadata;
  if ((spec.nodeName && spec.nodeName !== name) || !selectsNode(spec, { name, labels }))
    return { wanted: false, stays: false };
  const tolerations = tolerationsOf(spec);
  return {
    wanted: !untolerated(node.spec?.taints, tolerations, ["NoSchedule", "NoExecute"]),
    stays: !untolerated(node.spec?.taints, tolerations, ["NoExecute"]),
  };
}

type Fields = { key: string; operator: string; values?: string[] };

/** The node a daemon's pod is meant for, before and after the scheduler has bound it. */
export function targetOf({ spec }: Readonly<Pod>): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.find((field: Fields) => field.key === "metadata.name")?.values?.[0];
}

/** The template's pod for one node: it names the node, and leaves the binding to the scheduler. */
export function podFor(template: CoreV1PodTemplateSpec, node: string): Pick<Pod, "metadata" | "spec"> {
  const spec = structuredClone(template.spec ?? { containers: [] });
  const onlyThis = { key: "metadata.name", operator: "In", values: [node] };
  const nodeAffinity = { ...spec.affinity?.nodeAffinity };
  nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms: [{ matchFields: [onlyThis] }] };
  spec.affinity = { ...spec.affinity, nodeAffinity };
  spec.tolerations = tolerationsOf(spec);
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: { labels: { ...labels }, ...(annotations && { annotations }), ...(finalizers && { finalizers }) },
    spec,
  };
}
