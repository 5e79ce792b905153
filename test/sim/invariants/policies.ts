/** https://kubernetes.io/docs/concepts/services-networking/network-policies/#pod-lifecycle */
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import type { NetworkPolicy } from "../../../worker/kinds/networking/network-policy.ts";
import { DEFAULT_CONFIG } from "../../../worker/lib/config.ts";
import type { KubeObject } from "../../../worker/lib/object.ts";
import { matchesSelector } from "../../../worker/lib/selectors.ts";
import { Policies } from "../../../worker/link/policies/policies.ts";
import { clusterDns } from "../../../worker/nodes.ts";
import type { NodeChange } from "../../../worker/protocol/link.ts";
import { POLICY_RULES } from "../../../worker/protocol/policies.ts";
import { describe, type History } from "./history.ts";
import type { Pod } from "./pods.ts";
import type { Rule } from "./rule.ts";

const RESOURCE = "networkpolicies.networking.k8s.io";

/** A pod that was bound when a policy selected it begins with that policy's rules on its node. */
export const startsUnderPolicies: Rule = {
  rule: "pods-start-under-their-policies",
  start: ({ history, fail }) => {
    const bound = new Map<string, number>();
    return {
      step({ resource, uid, object, revision }) {
        if (resource === "pods" && (object as CoreV1Pod).spec?.nodeName && !bound.has(uid)) bound.set(uid, revision);
      },
      seen(observation) {
        if (observation.type !== "container" || !observation.policies) return;
        const { podUid } = observation.container;
        const pod = history.byUid<Pod>(podUid);
        if (!pod) return;
        for (const { namespace, name, object, revision } of history.all<NetworkPolicy & KubeObject>(RESOURCE)) {
          if (namespace !== pod.namespace || revision > (bound.get(podUid) ?? 0)) continue;
          if (!matchesSelector(object.spec?.podSelector as object, pod.object.metadata.labels)) continue;
          const key = `${namespace}/${name}`;
          if (!observation.policies.includes(key))
            fail(`${describe(pod)} begins on ${observation.node} without ${key}, which was there before`);
        }
      },
    };
  },
};

const textOf = ({ resource, namespace, name, object }: NodeChange) =>
  `${resource === POLICY_RULES ? "rules" : "peers"} ${namespace}/${name} ${JSON.stringify(object)}`;

/** Every node that is up has what one would have that came anew, and nothing else. */
export const nodesHavePolicies: Rule = {
  rule: "rest-nodes-have-policies",
  start: ({ history, truth, fail }) => ({
    rested() {
      const policies = new Policies(readsOf(history), [clusterDns(DEFAULT_CONFIG)]);
      for (const [node, { running, policies: held }] of truth.nodes()) {
        if (!running || !held) continue;
        const wanted = new Set(policies.snapshotFor(node).map(textOf));
        for (const text of held) if (!wanted.delete(text)) fail(`${node} has ${text}`);
        for (const text of wanted) fail(`${node} does not have ${text}`);
      }
    },
  }),
};

function readsOf(history: History): ConstructorParameters<typeof Policies>[0] {
  const list = (resource: string) => [...history.all<KubeObject>(resource)].map(({ object }) => object);
  const pods = list("pods") as CoreV1Pod[];
  return {
    list,
    podsOnNode: (node) => pods.filter(({ spec }) => spec?.nodeName === node),
    podsIn: (namespace) => [pods.filter(({ metadata }) => metadata?.namespace === namespace)],
  };
}
