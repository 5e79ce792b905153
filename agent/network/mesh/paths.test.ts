import { expect, test } from "vitest";
import type { Path } from "./path-state.ts";
import { Paths } from "./paths.ts";

const KEY = { "skerry.dev/wireguard-public-key": "k", "skerry.dev/wireguard-port": "20000" };

function made() {
  let waiting: { ms: number; body: () => void }[] = [];
  const after = (ms: number, body: () => void) => {
    const timer = { ms, body };
    waiting.push(timer);
    return () => {
      waiting = waiting.filter((other) => other !== timer);
    };
  };
  const paths = new Paths({ after, sleep: () => Promise.resolve() });
  let told = 0;
  paths.onChange = () => {
    told++;
  };
  /** Lets time pass, and says how often something was told until then. */
  const pass = (ms = 1_000) => {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const timer of waiting) timer.ms -= 1_000;
      const due = waiting.filter((timer) => timer.ms <= 0);
      waiting = waiting.filter((timer) => timer.ms > 0);
      for (const { body } of due) body();
    }
    return told;
  };
  const are = (ways: Record<string, Path>) => paths.are(new Map(Object.entries(ways)));
  return { paths, are, pass };
}

test("nothing is told of a node without a tunnel, and of nodes on the same network", () => {
  const { paths, are, pass } = made();
  are({ b: "lan" });
  expect(pass()).toBe(0);
  expect(paths.annotations()).toEqual({});
  paths.reachedBy("k", 20_000);
  expect(pass()).toBe(1);
  expect(paths.annotations()).toEqual(KEY);
});

test("ways are told once they have changed, many changes at a time, and not when they rest", () => {
  const { paths, are, pass } = made();
  paths.reachedBy("k", 20_000);
  are({ c: "direct", b: "direct", d: "lan", e: "idle" });
  are({ c: "direct", b: "direct", d: "lan", e: "idle" });
  expect(pass()).toBe(1);
  expect(paths.annotations()).toEqual({ ...KEY, "skerry.dev/paths": "b=direct,c=direct" });
  are({ c: "idle", b: "idle", d: "lan" });
  expect(pass()).toBe(1);
  expect(paths.annotations()["skerry.dev/paths"]).toBe("b=direct,c=direct");
  are({ b: "lan" });
  expect(pass()).toBe(2);
  expect(paths.annotations({ "skerry.dev/paths": "b=direct" })).toEqual({ ...KEY, "skerry.dev/paths": "" });
  expect(paths.annotations()).toEqual(KEY);
});

test("a relay is told of once it has lasted, and not of each burst that begins with it", () => {
  const { paths, are, pass } = made();
  const told = () => paths.annotations()["skerry.dev/paths"];
  are({ b: "relay", c: "relay" });
  expect(pass(20_000)).toBe(0);
  are({ b: "direct", c: "relay" });
  expect([pass(), told()]).toEqual([1, "b=direct"]);
  expect([pass(10_000), told()]).toEqual([2, "b=direct,c=relay"]);
  for (let bursts = 0; bursts < 3; bursts++)
    for (const path of ["idle", "relay", "direct"] as const) {
      are({ b: path, c: path === "direct" ? "relay" : path });
      pass(20_000);
    }
  are({ b: "relay", c: "idle" });
  expect([pass(20_000), told()]).toEqual([2, "b=direct,c=relay"]);
  expect([pass(11_000), told()]).toEqual([3, "b=relay,c=relay"]);
  are({ b: "relay" });
  expect([pass(), told()]).toEqual([4, "b=relay"]);
});

test("a node that is gone is not told of", () => {
  const { paths, are, pass } = made();
  are({ b: "relay" });
  are({});
  expect([pass(60_000), paths.annotations()]).toEqual([0, {}]);
});
