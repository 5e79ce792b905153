import { type Labels, matchesLabels, matchesRequirement, type Operator } from "./selectors.ts";

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/ */
export type NodeSelectorRequirement = { key: string; operator: string; values?: string[] };
export type NodeSelectorTerm = {
  matchExpressions?: NodeSelectorRequirement[];
  matchFields?: NodeSelectorRequirement[];
};

/** What a pod's spec says of the nodes it may run on. */
export type NodeSelecting = {
  nodeSelector?: Record<string, string>;
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeSelectorTerm[] };
    };
  };
};

type NodeLike = { name: string; labels: Labels };

const operators: Record<string, Operator> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

function meets({ key, operator, values = [] }: NodeSelectorRequirement, labels: Labels): boolean {
  const known = operators[operator];
  return known !== undefined && matchesRequirement({ key, operator: known, values }, labels);
}

/** All requirements of a term; an empty term matches nothing. */
export function matchesNodeTerm(term: NodeSelectorTerm, { name, labels }: NodeLike): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": name };
  return (
    matchExpressions.every((requirement) => meets(requirement, labels)) &&
    matchFields.every((requirement) => meets(requirement, fields))
  );
}

/** nodeSelector and required node affinity; any one of the terms does. */
export function selectsNode(spec: NodeSelecting, node: NodeLike): boolean {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return matchesLabels(spec.nodeSelector, node.labels) && (!terms || terms.some((term) => matchesNodeTerm(term, node)));
}
