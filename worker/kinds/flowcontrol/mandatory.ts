/**
 * What there always is, so that every request has a place: it counts also where someone has deleted it.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#mandatory-configuration-objects
 */
import type { FlowSchema } from "./flow-schema.ts";
import type { PriorityLevelConfiguration } from "./priority-level-configuration.ts";

const EVERYONE = ["system:unauthenticated", "system:authenticated"];
const rules = (groups: readonly string[]) => [
  {
    subjects: groups.map((name) => ({ kind: "Group", group: { name } })),
    resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  },
];

export const MANDATORY_LEVELS: readonly PriorityLevelConfiguration[] = [
  {
    metadata: { name: "exempt" },
    spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  {
    metadata: { name: "catch-all" },
    spec: {
      type: "Limited",
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
    },
  },
];
export const MANDATORY_SCHEMAS: readonly FlowSchema[] = [
  {
    metadata: { name: "exempt" },
    spec: {
      matchingPrecedence: 1,
      priorityLevelConfiguration: { name: "exempt" },
      rules: rules(["system:masters"]),
    },
  },
  {
    metadata: { name: "catch-all" },
    spec: {
      matchingPrecedence: 10_000,
      distinguisherMethod: { type: "ByUser" },
      priorityLevelConfiguration: { name: "catch-all" },
      rules: rules(EVERYONE),
    },
  },
];
