import { expect, test } from "vitest";
import type { Path } from "./path-state.ts";
import { Paths } from "./paths.ts";

const KEY = { "skerry.dev/wireguard-public-key": "k", "skerry.dev/wireguard-port": "20000" };

function made() {
  const waiting: (() => void)[] = [];
  const after = (_ms: number, body: () => void) => {
    waiting.push(body);
    return () => {};
  };
  const paths = new Paths({ after, sleep: () => Promise.resolve() });
  let told = 0;
  paths.onChange = () => {
    told++;
  };
  const pass = () => {
    for (const body of waiting.splice(0)) body();
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
  are({ c: "relay", b: "relay", d: "lan", e: "idle" });
  are({ c: "direct", b: "relay", d: "lan", e: "idle" });
  expect(pass()).toBe(1);
  expect(paths.annotations()).toEqual({ ...KEY, "skerry.dev/paths": "b=relay,c=direct" });
  are({ c: "idle", b: "idle", d: "lan" });
  expect(pass()).toBe(1);
  expect(paths.annotations()["skerry.dev/paths"]).toBe("b=relay,c=direct");
  are({ b: "lan" });
  expect(pass()).toBe(2);
  expect(paths.annotations({ "skerry.dev/paths": "b=relay" })).toEqual({ ...KEY, "skerry.dev/paths": "" });
  expect(paths.annotations()).toEqual(KEY);
});
