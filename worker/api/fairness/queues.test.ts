import { describe, expect, test } from "vitest";
import { FairQueues, type Flow, Level, type LevelRules } from "./queues.ts";

const QUEUING = { queues: 8, handSize: 1, queueLengthLimit: 3 };
const rules = (more: Partial<LevelRules> = {}): LevelRules => ({
  exempt: false,
  shares: 10,
  seats: 0,
  queuing: QUEUING,
  ...more,
});
const flow = (level: Level, ...hand: number[]): Flow => ({ level, hand, name: String(hand) });

/** Names of those who are served, in order; each costs what `costs` says, else 1. */
function served(
  queues: FairQueues<string>,
  most = Number.POSITIVE_INFINITY,
  costs: Record<string, number> = {},
): string {
  const names: string[] = [];
  const serve = (name: string) => {
    names.push(name);
    return costs[name] ?? 1;
  };
  while (names.length < most && queues.next(serve));
  return names.join("");
}

function waiting(entries: readonly [Flow, string][]): FairQueues<string> {
  const queues = new FairQueues<string>();
  for (const [where, names] of entries) for (const name of names) expect(queues.add(where, name)).toBe(true);
  return queues;
}

describe("within a level", () => {
  test("queues take turns, and each is served in order of arrival", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([
      [flow(level, 0), "aaaaaa"],
      [flow(level, 1), "xyz"],
    ]);
    expect(queues.size).toBe(9);
    expect(served(queues)).toBe("axayazaaa");
    expect(queues.size).toBe(0);
  });

  test("one who comes late is served next, however many wait in another queue", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([[flow(level, 0), "aaaaaaaa"]]);
    served(queues, 4);
    queues.add(flow(level, 1), "x");
    expect(served(queues, 2)).toContain("x");
  });

  test("what costs ten times as much is served a tenth as often", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([
      [flow(level, 0), "aaaa"],
      [flow(level, 1), "x".repeat(30)],
    ]);
    expect(served(queues, 24, { a: 10 }).replaceAll("x", "")).toBe("aaa");
  });

  test("a queue that was away does not get back the time that it did not use", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([[flow(level, 0), "a".repeat(20)]]);
    served(queues, 15);
    for (const name of "xxxx") queues.add(flow(level, 1), name);
    expect(served(queues, 6).replaceAll("a", "")).toHaveLength(3);
  });

  test("a flow waits in the shortest queue of its hand", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([
      [flow(level, 0, 1), "aaaa"],
      [flow(level, 1, 2), "b"],
    ]);
    expect(level.queues.get(2)?.waiting).toEqual(["b"]);
    expect(queues.size).toBe(5);
  });
});

describe("among levels", () => {
  test("time goes by shares while both have someone waiting", () => {
    const small = new Level(rules({ seats: 99, shares: 1 }));
    const large = new Level(rules({ seats: 99, shares: 4 }));
    const queues = waiting([
      [flow(small, 0), "s".repeat(20)],
      [flow(large, 0), "l".repeat(20)],
    ]);
    expect(served(queues, 20).replaceAll("l", "")).toHaveLength(4);
  });

  test("a level without shares is served where no other waits", () => {
    const none = new Level(rules({ seats: 99, shares: 0 }));
    const other = new Level(rules({ seats: 99 }));
    const queues = waiting([
      [flow(none, 0), "nn"],
      [flow(other, 0), "oooo"],
    ]);
    expect(served(queues)).toBe("noooon");
  });

  test("exempt ones come first and are never refused, and do not starve the others", () => {
    const exempt = new Level(rules({ exempt: true, seats: 0 }));
    const other = new Level(rules({ seats: 99 }));
    const queues = waiting([
      [flow(other, 0), "ooo"],
      [flow(exempt, 0), "e".repeat(50)],
    ]);
    const order = served(queues);
    expect(order.slice(0, 20)).toBe("e".repeat(20));
    expect(order.slice(0, 42).replaceAll("e", "")).toBe("oo");
  });
});

describe("limits", () => {
  test("a full queue refuses once the seats are taken; another queue of the level does not", () => {
    const level = new Level(rules({ seats: 2 }));
    const queues = new FairQueues<string>();
    expect([1, 2, 3, 4].map((n) => queues.add(flow(level, 0), `a${n}`))).toEqual([true, true, true, false]);
    expect(queues.add(flow(level, 1), "b")).toBe(true);
    queues.next(() => 1);
    expect(queues.add(flow(level, 0), "a5")).toBe(true);
  });

  test("seats count beside queues: more than a queue holds may wait while they are free", () => {
    const level = new Level(rules({ seats: 5 }));
    const queues = new FairQueues<string>();
    expect("abcdef".split("").map((name) => queues.add(flow(level, 0), name))).toEqual([...Array(5).fill(true), false]);
  });

  test("a level without queues refuses what finds no seat", () => {
    const { queuing: _, ...rejecting } = rules({ seats: 2 });
    const level = new Level(rejecting);
    const queues = new FairQueues<string>();
    expect([1, 2, 3].map((n) => queues.add(flow(level, 0), `${n}`))).toEqual([true, true, false]);
  });

  test("what waits stays when the rules change", () => {
    const level = new Level(rules({ seats: 99 }));
    const queues = waiting([[flow(level, 7), "abc"]]);
    level.rules = rules({ seats: 0, queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } });
    expect(queues.add(flow(level, 0), "d")).toBe(true);
    expect(queues.add(flow(level, 0), "e")).toBe(false);
    expect(served(queues).length).toBe(4);
  });
});
