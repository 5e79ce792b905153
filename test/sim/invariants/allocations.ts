/** What is handed out once: addresses and ports of Services, ranges of nodes. */
import type { CoreV1Node, CoreV1Service } from "../../../worker/kinds/generated/types.ts";
import { describe, type Entry } from "./history.ts";
import type { Rule } from "./rule.ts";

/** Each value of a resource's objects belongs to one object at a time. */
function unique(rule: string, resource: string, what: string, held: (object: Entry["object"]) => string[]): Rule {
  return {
    rule,
    start({ history, fail }) {
      const holders = new Map<string, string>();
      for (const { uid, object } of history.all(resource)) for (const value of held(object)) holders.set(value, uid);
      return {
        step(step) {
          if (step.resource !== resource) return;
          if (step.old)
            for (const value of held(step.old)) if (holders.get(value) === step.before?.uid) holders.delete(value);
          if (step.type === "DELETED") return;
          for (const value of held(step.object)) {
            const holder = holders.get(value);
            if (holder !== undefined && holder !== step.uid) {
              const other = history.byUid(holder);
              fail(
                `${describe(step)} was given ${what} ${value} at ${step.revision}, which ${other && describe(other)} has`,
              );
            }
            holders.set(value, step.uid);
          }
        },
      };
    },
  };
}

/** https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/ */
export const clusterAddressesUnique = unique("cluster-addresses-are-unique", "services", "address", (object) => {
  const { clusterIP, clusterIPs = clusterIP ? [clusterIP] : [] } = (object as CoreV1Service).spec ?? {};
  return clusterIPs.filter((address) => address !== "None");
});

export const nodePortsUnique = unique("node-ports-are-unique", "services", "node port", (object) => {
  const { ports = [], healthCheckNodePort } = (object as CoreV1Service).spec ?? {};
  return [...new Set([...ports.map(({ nodePort }) => nodePort), healthCheckNodePort])]
    .filter((port) => port)
    .map(String);
});

export const nodeRangesUnique = unique("node-ranges-are-unique", "nodes", "range", (object) => {
  const { podCIDR } = (object as CoreV1Node).spec ?? {};
  return podCIDR ? [podCIDR] : [];
});

/** A Service keeps its address until it is of a type that has none. */
export const addressesStay: Rule = {
  rule: "cluster-addresses-stay",
  start: ({ fail }) => ({
    step(step) {
      if (step.resource !== "services" || !step.old || step.type === "DELETED") return;
      const before = (step.old as CoreV1Service).spec;
      const after = (step.object as CoreV1Service).spec;
      if (!before?.clusterIP || after?.type === "ExternalName" || before.type === "ExternalName") return;
      if (after?.clusterIP !== before.clusterIP)
        fail(`${describe(step)} had ${before.clusterIP} and has ${after?.clusterIP} at ${step.revision}`);
    },
  }),
};
