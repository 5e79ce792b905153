/**
 * Which lost nodes are given up, and when: https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
 * and the policies of sites.
 */
import type { CoreV1ConfigMap, CoreV1Node } from "../../../worker/kinds/generated/types.ts";
import { describe, type History, type Step } from "./history.ts";
import type { Rule } from "./rule.ts";

type Node = Readonly<CoreV1Node>;

const LOST = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
const ZONE = "topology.kubernetes.io/zone";
const INTERVAL_MS = 10_000;
/** Times in objects are in whole seconds. */
const SECOND_MS = 1_000;
const PATIENCES: Readonly<Record<string, number>> = { Never: Number.POSITIVE_INFINITY, "30s": 30_000, "2m": 120_000 };

const readyOf = ({ status }: Node) => status?.conditions?.find(({ type }) => type === "Ready");
const isLost = (node: Node): boolean => readyOf(node)?.status !== "True";
const zoneOf = ({ metadata }: Node): string => metadata?.labels?.[ZONE] ?? "";
const givenUp = (node: Node | undefined) =>
  node?.spec?.taints?.find(({ key, effect }) => LOST.has(key) && effect === "NoExecute");

/** Why pods are to be left to a node that is lost; undefined where its time may begin. `before` is it before it did. */
function reasonToWait(history: History, node: Node, now: number): string | undefined {
  const nodes = history.objects<CoreV1Node>("nodes");
  if (nodes.every(isLost)) return "all nodes are lost";
  const zone = nodes.filter((other) => zoneOf(other) === zoneOf(node));
  const lost = zone.filter(isLost);
  if (lost.length >= 3 && lost.length < zone.length && lost.length >= 0.55 * zone.length)
    return `${lost.length} of ${zone.length} nodes of its zone are lost`;
  const others = lost.filter(({ metadata }) => metadata?.name !== node.metadata?.name);
  const last = Math.max(...others.map((other) => Date.parse(givenUp(other)?.timeAdded ?? "") || 0));
  if (now - last < INTERVAL_MS - SECOND_MS) return `another of its zone was given up ${now - last} ms before`;
  const left = patienceOf(history, node) - (now - (Date.parse(readyOf(node)?.lastTransitionTime ?? "") || 0));
  return left > SECOND_MS ? `its site is waited for, ${left} ms yet` : undefined;
}

function patienceOf(history: History, node: Node): number {
  const map = history.get<CoreV1ConfigMap>("configmaps", "kube-system", "site-policies");
  const policies = map?.object.data ?? {};
  return PATIENCES[policies[zoneOf(node)] ?? policies.default ?? ""] ?? 0;
}

/** A lost node's pods are left to it while that is how many are lost at once, or its site's policy, has it. */
export const sitesAreWaitedFor: Rule = {
  rule: "sites-are-waited-for",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "nodes" || step.type !== "MODIFIED") return;
      const { object, old, at } = step as Step<CoreV1Node>;
      if (!givenUp(object) || givenUp(old)) return;
      const reason = reasonToWait(history, object, at);
      if (reason) fail(`${describe(step)} is given up, and ${reason}`);
    },
  }),
};

/** For so long, ms, nothing may be in the way of giving it up; nodes of a zone take turns of ten seconds. */
const PATIENCE_MS = 90_000;
const LOOK_EVERY_MS = 10_000;

/** A node that is lost is given up when nothing speaks against it, so that its pods can go elsewhere. */
export const lostNodesGivenUp: Rule = {
  rule: "lost-nodes-are-given-up",
  start({ history, truth, fail }) {
    /** Since when nothing speaks for its pods to wait. */
    const since = new Map<string, number>();
    let disturbedUntil = 0;
    let lookAt = 0;
    function look(): void {
      if (history.at < lookAt) return;
      lookAt = history.at + LOOK_EVERY_MS;
      for (const { name, object } of history.all<CoreV1Node>("nodes")) {
        const isDue =
          readyOf(object) && isLost(object) && !givenUp(object) && !reasonToWait(history, object, history.at);
        if (!isDue || !truth.nodes().has(name)) {
          since.delete(name);
          continue;
        }
        const from = Math.max(since.get(name) ?? history.at, disturbedUntil);
        since.set(name, since.get(name) ?? history.at);
        if (history.at - from > PATIENCE_MS) fail(`node ${name} is lost for ${history.at - from} ms, and not given up`);
      }
    }
    return {
      step: look,
      seen(observation) {
        if (observation.type === "fault") {
          const { ms = 0 } = JSON.parse(observation.fault) as { ms?: number };
          disturbedUntil = Math.max(disturbedUntil, observation.at + ms);
        }
        look();
      },
    };
  },
};
