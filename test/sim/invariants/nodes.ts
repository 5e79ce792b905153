/** What becomes of machines that are not there. */
import type { CoreV1Node } from "../../../worker/kinds/generated/types.ts";
import { describe } from "./history.ts";
import type { Rule } from "./rule.ts";

/** Silence, the grace time, late alarms and slow storage together are less. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 10_000;
/** Who has been away for so long is found by the next request, if nothing else looks. */
const FOUND_AFTER_MS = 60_000;
/** While these last the object may not be able to look, or to write down what it sees. */
const BLINDING = new Set(["refuse", "writes-fail", "alarms", "slow-storage", "weather", "die", "die-within"]);

type Fault = { do: string; ms?: number; node?: number; nodes?: number[]; place?: string };

/** By their numbers, the nodes that stand still or reach nobody while it lasts. */
function blinded({ do: what, node, nodes, place }: Fault): number[] {
  if (what === "freeze") return [node ?? 0];
  if (what === "cut-site") return nodes ?? [];
  const name = what === "cut" ? /^node-(\d+)$/.exec(place ?? "") : null;
  return name ? [Number(name[1])] : [];
}

/**
 * A node that is down is not called Ready for long. Other nodes' agents make the cluster look; where none is up, requests
 * do. https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
 */
export const lostNodesNoticed: Rule = {
  rule: "lost-nodes-are-noticed",
  start({ history, truth, fail }) {
    const downSince = new Map<string, number>();
    /** When clients were first answered after that. */
    const foundAt = new Map<string, number>();
    let lookAt = 0;
    let blindUntil = 0;
    /** Since when a node is up that could look. */
    let accompaniedSince: number | undefined;
    /** A node that stands still, or reaches nobody, looks after nobody: by its number. */
    const awayUntil = new Map<number, number>();
    const looks = ({ running }: { running: boolean }, number: number) =>
      running && history.at - (awayUntil.get(number) ?? 0) > LOOK_EVERY_MS;
    function look(): void {
      lookAt = history.at + LOOK_EVERY_MS;
      const isAlone = ![...truth.nodes().values()].some(looks);
      accompaniedSince = isAlone ? undefined : (accompaniedSince ?? history.at);
      for (const [name, { running }] of truth.nodes()) {
        if (running) {
          downSince.delete(name);
          foundAt.delete(name);
        } else if (!downSince.has(name)) downSince.set(name, history.at);
        const entry = history.get<CoreV1Node>("nodes", "", name);
        const ready = entry?.object.status?.conditions?.find(({ type }) => type === "Ready")?.status;
        const found = (isAlone ? foundAt : downSince).get(name) ?? Number.POSITIVE_INFINITY;
        const since = Math.max(found, blindUntil, accompaniedSince ?? 0);
        if (entry && ready === "True" && history.at - since > PATIENCE_MS)
          fail(`${describe(entry)} is down for ${Math.round((history.at - since) / 1000)} s and called Ready`);
      }
    }
    return {
      step() {
        if (history.at >= lookAt) look();
      },
      seen(observation) {
        if (observation.type === "fault") {
          const fault = JSON.parse(observation.fault) as Fault;
          const { do: what, ms = 0 } = fault;
          for (const node of blinded(fault)) awayUntil.set(node, Math.max(awayUntil.get(node) ?? 0, history.at + ms));
          if (BLINDING.has(what)) blindUntil = Math.max(blindUntil, history.at + ms);
        }
        if (history.at >= lookAt) look();
      },
      answered() {
        for (const [name, since] of downSince)
          if (history.at - since > FOUND_AFTER_MS && !foundAt.has(name)) foundAt.set(name, history.at);
      },
    };
  },
};
