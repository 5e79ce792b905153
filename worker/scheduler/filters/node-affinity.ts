import type { CoreV1NodeSelectorRequirement, CoreV1NodeSelectorTerm } from "../../kinds/generated/types.ts";
import { matchesLabels, matchesRequirement, type Operator } from "../../lib/selectors.ts";
import { type Filter, refuseFinally } from "../framework.ts";
import type { NodeInfo } from "../snapshot.ts";

const operators: Record<string, Operator> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

type Labels = Readonly<Record<string, string>>;

function meets({ key, operator, values = [] }: CoreV1NodeSelectorRequirement, labels: Labels): boolean {
  const known = operators[operator];
  return known !== undefined && matchesRequirement({ key, operator: known, values }, labels);
}

/** All requirements of a term; an empty term matches nothing. */
export function matchesTerm(term: CoreV1NodeSelectorTerm, node: NodeInfo): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": node.name };
  return (
    matchExpressions.every((requirement) => meets(requirement, node.labels)) &&
    matchFields.every((requirement) => meets(requirement, fields))
  );
}

/** nodeSelector and required node affinity; any one of the terms does. */
export function selectsNode(spec: NodeSelecting, node: NodeInfo): boolean {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return matchesLabels(spec.nodeSelector, node.labels) && (!terms || terms.some((term) => matchesTerm(term, node)));
}

type NodeSelecting = {
  nodeSelector?: Record<string, string>;
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: CoreV1NodeSelectorTerm[] };
    };
  };
};

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#affinity-and-anti-affinity */
export const nodeAffinity: Filter = {
  name: "NodeAffinity",
  judge({ pod: { spec } }) {
    if (!spec.nodeSelector && !spec.affinity?.nodeAffinity) return undefined;
    return (node) => selectsNode(spec, node) || refuseFinally("node(s) didn't match Pod's node affinity/selector");
  },
};
