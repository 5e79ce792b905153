import { expect, test } from "vitest";
import type { NodeTraffic } from "./protocol/link.ts";
import { ClusterTraffic, heardOf } from "./traffic.ts";

const connections = { countedMs: 600_000, services: {} };
const SEEN: NodeTraffic = { countedMs: 600_000, services: {}, ingresses: {}, pods: {}, connections };
const { connections: _, ...OLDER } = SEEN;
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

const connected = (figures: { pending: number; idleMs: number }): NodeTraffic => ({
  ...SEEN,
  connections: { ...connections, services: { "s/web": { perSecond: 0, ...figures } } },
});

test("who says not all that was seen is silent, as who says nothing", async () => {
  const nodes = cluster({ a: SEEN, b: { ...SEEN, countedMs: 0, isPartial: true }, c: undefined });
  expect(await nodes.seen()).toMatchObject({ by: new Set(["a", "b"]), silent: ["b", "c"] });
});

test("what a node tells that is no figure counts for none, and the others' stay", async () => {
  const web = { perSecond: 2, pending: 1, idleMs: 3, failedPerSecond: 1, took: [1] };
  const odd = { perSecond: "9", pending: -1, idleMs: null, failedPerSecond: 1e300, took: ["9", 4] };
  const tables = {
    services: { "s/web": odd, "s/none": null, "s/text": { took: "9" } },
    ingresses: 7,
    connections: "x",
  };
  const told = [tables, { pods: null }, "everything"] as unknown as NodeTraffic[];
  const answers = Object.fromEntries(told.map((each, i) => [`odd-${i}`, each]));
  const { traffic } = await cluster({ a: { ...SEEN, services: { "s/web": web } }, ...answers }).seen();
  const none = { perSecond: 0, pending: 0, idleMs: 0 };
  expect(traffic.services).toEqual({
    "s/web": { perSecond: 2, pending: 1, idleMs: 0, failedPerSecond: 1, took: [1, 4, ...Array(10).fill(0)] },
    "s/text": { ...none, took: Array(12).fill(0) },
  });
  expect([traffic.countedMs, traffic.ingresses, traffic.pods]).toEqual([0, {}, {}]);
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
  ["one has a connection", { a: connected({ pending: 1, idleMs: 0 }), b: undefined }, "pending"],
  ["one had a connection", { a: connected({ pending: 0, idleMs: 5_000 }), b: SEEN }, NOW - 5_000],
  ["one counts connections only lately", { a: { ...SEEN, connections: { countedMs: 7, services: {} } } }, NOW - 7],
  ["one does not count connections", { a: SEEN, b: OLDER }, "unknown"],
  ["there is none", {}, "unknown"],
])("when the last request was, where of the nodes %s", async (_, answers, last) => {
  expect(await heardOf(["s/web"], cluster(answers), () => NOW)).toMatchObject({ last });
});
