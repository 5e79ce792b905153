import { expect, test } from "vitest";
import { PodNamespaces } from "./pod-namespaces.ts";

test("namespaces asked for together are made by one program, and one that cannot be made fails alone", async () => {
  const made: string[][] = [];
  const namespaces = new PodNamespaces({
    prefix: "test-of-names",
    podCIDR: "10.1.0.0/24",
    gateway: "10.1.0.1",
    mtu: 1500,
    async command(_, [, , , outside = "", ...insides]) {
      made.push(insides.filter((_, i) => i % 2 === 0).map((file) => file.replace("test-of-names-", "")));
      await Promise.resolve();
      if (outside.includes("bad")) throw new Error("bad");
      return "";
    },
  });
  const open = (...names: string[]) => Promise.allSettled(names.map((name) => namespaces.open(name)));
  const [first, ...rest] = await open("a", "b", "bad", "c");
  expect([first, ...rest].map((done) => (done?.status === "fulfilled" ? done.value : done?.reason.message))).toEqual([
    "10.1.0.2",
    "10.1.0.3",
    "bad",
    "10.1.0.5",
  ]);
  expect(made).toEqual([["a", "b", "bad", "c"], ["a"], ["b"], ["bad"], ["c"]]);
  expect(await namespaces.open("d")).toBe("10.1.0.6");
});
