import { expect, test } from "vitest";
import { at, changed, changesOf, shown } from "./changes.ts";
import { KIND } from "./testing/kind.ts";

const before = {
  metadata: { labels: { a: "1", b: "2" } },
  spec: {
    args: ["x"],
    modes: ["Once"],
    containers: [
      { name: "one", image: "i:1", ports: [{ port: 80, protocol: "TCP" }] },
      { name: "two", image: "i:1" },
    ],
  },
};
const after = {
  metadata: { labels: { a: "9" } },
  spec: {
    args: ["x", "y"],
    modes: ["Once", "Many"],
    containers: [
      { name: "three" },
      { name: "one", image: "i:2", ports: [{ port: 80 }, { port: 80, protocol: "UDP" }] },
    ],
  },
};

test("each field is a change of its own, items are told by their keys, and what is a whole stays one", () => {
  const changes = changesOf(before, after, KIND);
  expect(changes.map(({ path, to }) => [shown(path), to])).toEqual([
    ["metadata.labels.a", "9"],
    ["metadata.labels.b", undefined],
    ["spec.args", ["x", "y"]],
    ['spec.modes[="Many"]', "Many"],
    ['spec.containers[name="one"].image', "i:2"],
    ['spec.containers[name="one"].ports[port=80,protocol="UDP"]', { port: 80, protocol: "UDP" }],
    ['spec.containers[name="two"]', undefined],
    ['spec.containers[name="three"]', { name: "three" }],
  ]);
  const theirs = { ...before, spec: { ...before.spec, replicas: 5 } };
  const merged = changed(theirs, changes);
  expect(merged).toMatchObject({ metadata: { labels: { a: "9" } }, spec: { replicas: 5, args: ["x", "y"] } });
  expect(changesOf(merged, { ...after, spec: { ...after.spec, replicas: 5 } }, KIND)).toEqual([]);
  for (const { path, to } of changes) expect(at(merged, path), shown(path)).toEqual(to);
});

test("without a schema, lists are wholes; so are lists of items that claim to be the same", () => {
  expect(changesOf({ a: [{ name: "x" }] }, { a: [{ name: "y" }] }, undefined)).toEqual([
    { path: ["f:a"], to: [{ name: "y" }] },
  ]);
  const twice = { spec: { containers: [{ name: "one" }, { name: "one" }] } };
  expect(changesOf(before, { ...before, ...twice }, KIND).map(({ path }) => shown(path))).toContain("spec.containers");
});

test("what it lies in is made, with the keys of its item", () => {
  const [image] = changesOf(before, after, KIND).filter(({ to }) => to === "i:2");
  expect(image && changed({}, [image])).toEqual({ spec: { containers: [{ name: "one", image: "i:2" }] } });
  expect(changed({ a: 1 }, [{ path: ["f:b", "f:c"] }])).toEqual({ a: 1 });
});
