import { expect, test } from "vitest";
import type { NodeUsage } from "./protocol/link.ts";
import { NodeUsages } from "./usages.ts";

/** Nodes that are there, and what they have been asked; `answer` gives what one says. */
function prepared(there: readonly string[]) {
  let now = 0;
  const asked: { node: string; id: number; pods: boolean }[] = [];
  const deadlines: { abort(): void; ended: boolean }[] = [];
  const usages = new NodeUsages({
    ask(node, id, pods) {
      if (there.includes(node)) asked.push({ node, id, pods });
      return there.includes(node);
    },
    deadline() {
      const controller = new AbortController();
      const deadline = { abort: () => controller.abort(), ended: false };
      deadlines.push(deadline);
      const end = () => {
        deadline.ended = true;
      };
      return { signal: controller.signal, end };
    },
    now: () => now,
  });
  const usage = (cpu: number, pods = false): NodeUsage => ({
    at: now,
    node: { cpu, memory: 1, windowMs: 10 },
    ...(pods && { pods: [] }),
  });
  const answer = (node: string, cpu = 1) => {
    const { id = 0, pods = false } = asked.findLast((question) => question.node === node) ?? {};
    usages.answered(node, id, usage(cpu, pods));
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { usages, asked, answer, pass, deadlines, usage };
}

test("nodes are asked at once, and those that are away are left out", async () => {
  const { usages, asked, answer, deadlines } = prepared(["a", "b"]);
  const found = usages.of(["a", "away", "b"], false);
  expect(asked.map(({ node }) => node)).toEqual(["a", "b"]);
  answer("b", 2);
  answer("a", 1);
  expect([...(await found)].map(([node, { node: used }]) => [node, used?.cpu])).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
  expect(deadlines.map(({ ended }) => ended)).toEqual([true]);
});

test("an answer is good for ten seconds, and for all who ask meanwhile", async () => {
  const { usages, asked, answer, pass } = prepared(["a"]);
  const both = [usages.of(["a"], false), usages.of(["a"], false)];
  expect(asked).toHaveLength(1);
  answer("a");
  for (const found of both) expect((await found).size).toBe(1);
  pass(9_999);
  expect((await usages.of(["a"], false)).size).toBe(1);
  expect(asked).toHaveLength(1);
  pass(1);
  const again = usages.of(["a"], false);
  expect(asked).toHaveLength(2);
  answer("a", 5);
  expect((await again).get("a")?.node?.cpu).toBe(5);
});

test("who wants pods too asks for them, and answers those who do not", async () => {
  const { usages, asked, answer } = prepared(["a"]);
  const without = usages.of(["a"], false);
  const withPods = usages.of(["a"], true);
  expect(asked.map(({ pods }) => pods)).toEqual([false, true]);
  answer("a", 7);
  expect((await withPods).get("a")?.pods).toEqual([]);
  expect((await without).get("a")?.node?.cpu).toBe(7);
});

test("a node that does not answer in time is left out", async () => {
  const { usages, answer, deadlines } = prepared(["a", "silent"]);
  const found = usages.of(["a", "silent"], false);
  answer("a");
  deadlines[0]?.abort();
  expect([...(await found).keys()]).toEqual(["a"]);
});

test("a node that goes is not waited for", async () => {
  const { usages, answer } = prepared(["a", "lost"]);
  const found = usages.of(["a", "lost"], false);
  usages.gone("lost");
  answer("a");
  expect([...(await found).keys()]).toEqual(["a"]);
});

test("an answer to nothing that was asked is not taken", async () => {
  const { usages, asked, usage } = prepared(["a"]);
  usages.answered("a", 1, usage(9));
  const found = usages.of(["a"], false);
  usages.answered("a", (asked[0]?.id ?? 0) + 1, usage(9));
  usages.answered("a", asked[0]?.id ?? 0, usage(1));
  expect((await found).get("a")?.node?.cpu).toBe(1);
});

test("of a large cluster no more than a part is kept", async () => {
  const nodes = Array.from({ length: 60 }, (_, index) => `n${index}`);
  const { usages, asked } = prepared(nodes);
  const containers = Array.from({ length: 1_000 }, () => ({ name: "c", cpu: 1, memory: 1, windowMs: 1 }));
  const ask = async () => {
    const found = usages.of(nodes, true);
    for (const { node, id } of asked.splice(0)) usages.answered(node, id, { at: 0, pods: [{ uid: "u", containers }] });
    return (await found).size;
  };
  expect(await ask()).toBe(60);
  const again = usages.of(nodes, true);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.length).toBeLessThan(20);
  for (const { node, id } of asked) usages.answered(node, id, { at: 0, pods: [] });
  expect((await again).size).toBe(60);
});
