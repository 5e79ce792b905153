import { expect, test } from "vitest";
import type { NodeTraffic } from "./protocol/link.ts";
import { ClusterTraffic, heardOf } from "./traffic.ts";

const SEEN: NodeTraffic = { countedMs: 600_000, services: {}, ingresses: {}, pods: {} };
const NOW = 1_000_000;

/** Nodes answer at once; those without an answer do not know the question. */
function cluster(answers: Record<string, NodeTraffic | undefined>): ClusterTraffic {
  const traffic: ClusterTraffic = new ClusterTraffic({
    ask(node, id) {
      const answer = answers[node];
      if (answer) queueMicrotask(() => traffic.answered(node, id, { at: NOW, traffic: answer }));
      return answer !== undefined;
    },
    nodes: () => Object.keys(answers),
    held: () => [],
    deadline: () => ({ signal: new AbortController().signal, end: () => {} }),
    now: () => NOW,
  });
  return traffic;
}

test("who says not all that was seen is silent, as who says nothing", async () => {
  const nodes = cluster({ a: SEEN, b: { ...SEEN, countedMs: 0, isPartial: true }, c: undefined });
  expect(await nodes.seen()).toMatchObject({ by: new Set(["a", "b"]), silent: ["b", "c"] });
});

test.each<[string, Record<string, NodeTraffic | undefined>, number | string]>([
  ["all say", { a: SEEN, b: { ...SEEN, countedMs: 60_000 } }, NOW - 60_000],
  ["one does not", { a: SEEN, b: undefined }, "unknown"],
  ["one says not all", { a: SEEN, b: { ...SEEN, isPartial: true } }, "unknown"],
  [
    "one has a request",
    { a: { ...SEEN, services: { "s/web": { perSecond: 0, pending: 1, idleMs: 0 } } }, b: undefined },
    "pending",
  ],
  ["there is none", {}, "unknown"],
])("when the last request was, where of the nodes %s", async (_, answers, last) => {
  expect(await heardOf(["s/web"], cluster(answers), () => NOW)).toMatchObject({ last });
});
