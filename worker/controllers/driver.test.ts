import { describe, expect, test, vi } from "vitest";
import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { ApiError } from "../lib/status.ts";
import { alreadyExists, modified, notFound } from "../lib/status.ts";
import type { Controller, Intent, View } from "./controller.ts";
import type { WorkRows } from "./deadlines.ts";
import { Driver, type ObjectChange } from "./driver.ts";
import { ownKey } from "./keys.ts";

const kind = { groupResource: "things" } as Kind;
const subject = { group: "", resource: "things", name: "a" };
const thing = (name: string): KubeObject => ({ metadata: { namespace: "ns", name } });
const added = (name: string): ObjectChange => ({ type: "ADDED", kind, object: thing(name) });
const create: Intent = { do: "create", kind, object: thing("made") };

/** Wants nothing, having done something. */
const having = (effect: () => unknown): Intent[] => {
  effect();
  return [];
};

let drivers = 0;

type Rows = Map<string, { controller: string; key: string; due: number }>;

function setup(
  reconcile: Controller["reconcile"],
  more: Partial<Controller> = {},
  others: Controller[] = [],
  rows: Rows = new Map(),
) {
  const clock = { now: 1000 };
  const work: WorkRows = {
    enqueue: (item) => void rows.set(`${item.controller} ${item.key}`, item),
    due: (now) => [...rows.values()].filter((row) => row.due <= now),
    done: (controller, key) => void rows.delete(`${controller} ${key}`),
  };
  const sight = { looked: 0 };
  const chance = ++drivers / 1000;
  const applied: Intent[] = [];
  const refusals: (ApiError | undefined | Promise<ApiError | undefined>)[] = [];
  const ran: string[] = [];
  const controller: Controller = {
    name: "one",
    watches: [{ kind, keys: ownKey }],
    reconcile(view, key, context) {
      ran.push(key);
      return reconcile(view, key, context);
    },
    ...more,
  };
  const driver = new Driver({
    controllers: [controller, ...others],
    view: { kinds: () => [kind], pages: () => [[thing("a")], [thing("b")]] } as unknown as View,
    apply(intent) {
      applied.push(intent);
      return refusals.shift();
    },
    work,
    effects: { now: () => clock.now, random: () => chance },
    looked: () => sight.looked,
  });
  return { driver, rows, applied, refusals, ran, clock, sight };
}

describe("queueing", () => {
  test("a key that changed many times runs once", () => {
    const { driver, ran } = setup(() => []);
    driver.changed([added("a"), added("b"), added("a")]);
    expect(driver.drain({ reconciles: 10 })).toBe(true);
    expect(ran).toEqual(["ns/a", "ns/b"]);
  });

  test("a key that has looked at many objects rests before it looks again", () => {
    const { driver, rows, ran, clock, sight } = setup(() => having(() => (sight.looked += 1000)));
    for (const _ of [1, 2, 3]) {
      driver.changed([added("a")]);
      expect(driver.drain({ reconciles: 10 })).toBe(true);
    }
    expect(ran).toEqual(["ns/a"]);
    expect(driver.restedAt).toBe(clock.now + 100);
    driver.persist();
    expect(rows.size).toBe(1); // should this memory be lost, what waits is looked for
    clock.now += 100;
    driver.drain({ reconciles: 10 });
    expect(ran).toEqual(["ns/a", "ns/a"]);
    expect(driver.restedAt).toBeUndefined();
  });

  test("a key that has looked at many objects and created one does not rest", () => {
    const { driver, ran, sight } = setup(() => {
      sight.looked += 1000;
      return [create];
    });
    driver.changed([added("a")]);
    driver.drain({ reconciles: 10 });
    driver.changed([added("a")]);
    driver.drain({ reconciles: 10 });
    expect(ran).toEqual(["ns/a", "ns/a"]);
  });

  test("controllers take turns", () => {
    const order: string[] = [];
    const other: Controller = {
      name: "two",
      watches: [{ kind, keys: () => ["x"] }],
      reconcile: () => having(() => order.push("two")),
    };
    const { driver } = setup(() => having(() => order.push("one")), {}, [other]);
    driver.changed([added("a"), added("b"), added("c")]);
    driver.drain({ reconciles: 10 });
    expect(order).toEqual(["one", "two", "one", "one"]);
  });

  test("patient controllers run last, but not never", () => {
    const order: string[] = [];
    const patient: Controller = {
      name: "patient",
      patient: true,
      watches: [{ kind, keys: () => ["sum"] }],
      reconcile: () => having(() => order.push("sum")),
    };
    const { driver } = setup(() => having(() => order.push("one")), {}, [patient]);
    driver.changed(Array.from({ length: 600 }, (_, i) => added(`t${i}`)));
    driver.drain({ reconciles: 1000 });
    expect(order.indexOf("sum")).toBe(500);
    driver.changed([added("a"), added("b")]);
    driver.drain({ reconciles: 1000 });
    expect(order.slice(-3)).toEqual(["one", "one", "sum"]);
  });

  test("a budget stops the drain and the rest runs in a later turn", () => {
    const { driver, ran, rows } = setup(() => []);
    driver.changed([added("a"), added("b"), added("c")]);
    expect(driver.drain({ reconciles: 2 })).toBe(false);
    driver.persist();
    expect(rows.size).toBe(1);
    expect(driver.drain({ reconciles: 2 })).toBe(true);
    driver.persist();
    expect(rows.size).toBe(0);
    expect(ran).toEqual(["ns/a", "ns/b", "ns/c"]);
  });

  test("what waited in a driver that ended is found again by the next", () => {
    const first = setup(() => []);
    first.driver.changed([added("a"), added("b")]);
    first.driver.drain({ reconciles: 1 });
    first.driver.persist();
    const next = setup(() => [], {}, [], first.rows);
    expect(next.driver.due(next.clock.now)).toBe(0);
    expect(next.driver.due(next.clock.now + 10_000)).toBe(1);
    next.driver.drain({ reconciles: 10 });
    next.driver.persist();
    expect(next.ran).toEqual(["ns/a", "ns/b"]);
    expect(next.rows.size).toBe(0);
  });

  test("what waited in a driver that ended is found also when the next has had too much to do meanwhile", () => {
    const first = setup(() => []);
    first.driver.changed([added("a")]);
    first.driver.persist();
    const next = setup(() => [], {}, [], first.rows);
    next.driver.changed([added("c"), added("d")]);
    for (const reconciles of [1, 10]) {
      next.driver.drain({ reconciles });
      next.driver.persist();
    }
    expect(next.driver.due(next.clock.now + 10_000)).toBe(1);
    next.driver.drain({ reconciles: 10 });
    expect(next.ran).toContain("ns/a");
  });

  test("a resync that was cut short is remembered, and looked at page by page", () => {
    const { driver, ran, rows } = setup(() => []);
    driver.resync();
    driver.persist();
    expect(rows.size).toBe(1);
    expect(driver.drain({ reconciles: 1 })).toBe(false);
    driver.persist();
    expect(driver.waiting).toBe(1);
    expect(rows.size).toBe(1);
    expect(driver.drain({ reconciles: 10 })).toBe(true);
    driver.persist();
    expect(ran).toEqual(["ns/a", "ns/b"]);
    expect(rows.size).toBe(0);
  });

  test("a driver that goes on for long renews its mark and looks at nothing twice", () => {
    const { driver, ran, rows, clock } = setup(() => []);
    driver.changed([added("a"), added("b"), added("c")]);
    driver.drain({ reconciles: 1 });
    driver.persist();
    clock.now += 10_000;
    expect(driver.due(clock.now)).toBe(1);
    driver.drain({ reconciles: 1 });
    driver.persist();
    expect([...rows.values()]).toMatchObject([{ due: clock.now + 10_000 }]);
    expect(ran).toEqual(["ns/a", "ns/b"]);
  });

  test("a budget in time is looked at before each reconcile", () => {
    const { driver, ran, clock } = setup(() =>
      having(() => {
        clock.now += 5;
      }),
    );
    driver.changed([added("a"), added("b"), added("c"), added("d")]);
    expect(driver.drain({ reconciles: 10, until: 1010 })).toBe(false);
    expect(ran).toHaveLength(2);
    expect(driver.waiting).toBe(2);
    driver.drain({ reconciles: 10 });
    expect(ran).toEqual(["ns/a", "ns/b", "ns/c", "ns/d"]);
  });

  test("what is due is queued before its row goes, so that nothing is lost where storage fails at some rows", () => {
    const rows: Rows = new Map(["a", "b"].map((key) => [`one ${key}`, { controller: "one", key, due: 0 }]));
    const { driver, ran, clock } = setup(() => [], {}, [], rows);
    const fails = vi.spyOn(rows, "delete").mockImplementationOnce((item) => Map.prototype.delete.call(rows, item));
    fails.mockImplementationOnce(() => {
      throw new Error("the disk is full");
    });
    expect(() => driver.due(clock.now)).toThrow("the disk is full");
    fails.mockRestore();
    expect(driver.due(clock.now)).toBe(1);
    driver.drain({ reconciles: 10 });
    expect(ran).toEqual(["a", "b"]);
    expect(rows.size).toBe(0);
  });

  test("two controllers of one name are a bug", () => {
    const twin: Controller = { name: "one", watches: [], reconcile: () => [] };
    expect(() => setup(() => [], {}, [twin])).toThrow("two controllers named one");
  });
});

describe("intents", () => {
  test("again becomes a row that runs the key at its time", () => {
    const { driver, rows, ran, clock } = setup(() => (ran.length > 1 ? [] : [{ do: "again", afterMs: 500 }]));
    driver.changed([added("a")]);
    driver.drain({ reconciles: 10 });
    driver.persist();
    expect([...rows.values()]).toEqual([{ controller: "one", key: "ns/a", due: 1500 }]);
    expect(driver.due(1499)).toBe(0);
    clock.now = 1500;
    expect(driver.due(clock.now)).toBe(1);
    driver.drain({ reconciles: 10 });
    expect(ran).toEqual(["ns/a", "ns/a"]);
  });

  test("the first refusal ends the list, is told to the controller, and backs off twofold", () => {
    const told: string[] = [];
    const { driver, applied, refusals, rows, clock } = setup(() => [create, create], {
      refused: (_view, _key, { error }) => having(() => told.push(error.reason)),
    });
    driver.changed([added("a")]);
    for (const delay of [5, 10, 20]) {
      refusals.push(alreadyExists(subject));
      driver.drain({ reconciles: 10 });
      driver.persist();
      const [row] = rows.values();
      expect(row?.due).toBe(clock.now + delay);
      clock.now = row?.due ?? 0;
      driver.due(clock.now);
    }
    expect(applied).toHaveLength(3);
    expect(told).toEqual(["AlreadyExists", "AlreadyExists", "AlreadyExists"]);
  });

  test("of what others are asked about is told when it is done, and of nothing else", async () => {
    const event: Intent = { do: "event", about: thing("a"), type: "Normal", reason: "Made", message: "" };
    const other: Intent = { ...event, reason: "MadeAnother" };
    for (const [answer, expected] of [
      [undefined, [create, event]],
      [alreadyExists(subject), [create]],
    ] as const) {
      const wanted = [[create, event, create, other]];
      const { driver, applied, refusals } = setup(() => wanted.shift() ?? []);
      refusals.push(Promise.resolve(answer));
      driver.changed([added("a")]);
      driver.drain({ reconciles: 10 });
      expect(applied).toEqual([create]);
      await new Promise((resolve) => setImmediate(resolve));
      driver.drain({ reconciles: 10 });
      expect(applied).toEqual(expected);
    }
  });

  test("a conflict runs the key again at once", () => {
    const { driver, ran, refusals } = setup(() => [create]);
    refusals.push(modified(subject));
    driver.changed([added("a")]);
    expect(driver.drain({ reconciles: 10 })).toBe(true);
    expect(ran).toHaveLength(2);
  });

  test("deleting what is gone is done, not failed", () => {
    const gone: Intent = { do: "delete", kind, namespace: "ns", name: "a", uid: "u" };
    const { driver, applied, refusals, rows } = setup(() => [gone, create]);
    refusals.push(notFound(subject));
    driver.changed([added("a")]);
    driver.drain({ reconciles: 10 });
    driver.persist();
    expect(applied).toHaveLength(2);
    expect(rows.size).toBe(0);
  });

  test("a controller that throws hurts only its own key", () => {
    const { driver, ran, rows } = setup((_view, key) => {
      if (key === "ns/a") throw new Error("bug");
      return [];
    });
    driver.changed([added("a"), added("b")]);
    expect(driver.drain({ reconciles: 10 })).toBe(true);
    driver.persist();
    expect(ran).toEqual(["ns/a", "ns/b"]);
    expect([...rows.keys()]).toEqual(["one ns/a"]);
  });
});
