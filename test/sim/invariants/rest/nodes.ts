/** When everything has come to rest: nodes are as ready as they say. */
import type { CoreV1Node } from "../../../../worker/kinds/generated/types.ts";
import { describe } from "../history.ts";
import type { Rule } from "../rule.ts";

const LOST = new Set(["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);

export const nodesTellTrue: Rule = {
  rule: "rest-nodes-tell-the-truth",
  start: ({ history, truth, fail }) => ({
    rested() {
      const machines = truth.nodes();
      for (const entry of history.all<CoreV1Node>("nodes")) {
        const { spec, status } = entry.object;
        const told = status?.conditions?.find(({ type }) => type === "Ready")?.status;
        const isUp = machines.get(entry.name)?.running ?? false;
        if ((told === "True") !== isUp) fail(`${describe(entry)} says Ready ${told}, and is ${isUp ? "up" : "down"}`);
        const isTainted = spec?.taints?.some(({ key }) => LOST.has(key)) ?? false;
        if (isTainted === isUp)
          fail(`${describe(entry)} is ${isUp ? "up" : "down"} and has ${isTainted ? "a" : "no"} taint of it`);
      }
    },
  }),
};
