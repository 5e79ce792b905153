import { expect, test } from "vitest";
import { Pod } from "../kinds/core/pod.ts";
import { ns, pod, session } from "./testing/session.ts";

const labels = (objects: readonly Readonly<Pod>[]) => objects.map(({ metadata }) => metadata?.labels?.at);

test("a set is seen as it is, also after a write that was rolled back and another that took its revision", () => {
  const { engine, ok, store } = session();
  for (const name of ["a", "b"]) ok("POST", `${ns}/pods`, pod(name));
  const { view } = engine;
  const onNone = () => view.onNode(Pod, "");
  expect(onNone()).toHaveLength(2);
  const [first] = onNone();
  expect(onNone()[0]).toBe(first); // known: not read again

  const patch = (at: string) => ok("PATCH", `${ns}/pods/a`, { metadata: { labels: { at } } });
  expect(() =>
    store.write(() => {
      patch("undone");
      expect(labels(onNone())).toEqual(["undone", undefined]);
      throw new Error("rolled back");
    }),
  ).toThrow("rolled back");
  expect(labels(onNone())).toEqual([undefined, undefined]);
  patch("kept");
  expect(labels(onNone())).toEqual(["kept", undefined]);
});

test("a set of more than are known is read at once", () => {
  const { engine, ok } = session();
  const names = Array.from({ length: 120 }, (_, i) => `p${String(i).padStart(3, "0")}`);
  for (const name of names) ok("POST", `${ns}/pods`, pod(name));
  expect(engine.view.onNode(Pod, "").map(({ metadata }) => metadata?.name)).toEqual(names);
});

test("a large set that was looked at is kept: its members are the same until they are written, come or go", () => {
  const { engine, ok, store } = session();
  const names = Array.from({ length: 120 }, (_, i) => `p${String(i).padStart(3, "0")}`);
  for (const name of names) ok("POST", `${ns}/pods`, pod(name));
  const { view } = engine;
  const onNone = () => view.onNode(Pod, "");
  const patch = (name: string, at: string) => ok("PATCH", `${ns}/pods/${name}`, { metadata: { labels: { at } } });
  const before = onNone();
  expect(onNone()).toEqual(before);
  expect(() =>
    store.write(() => {
      patch("p001", "undone");
      expect(labels(onNone()).slice(0, 3)).toEqual([undefined, "undone", undefined]);
      throw new Error("rolled back");
    }),
  ).toThrow("rolled back");
  expect(labels(onNone()).slice(0, 3)).toEqual([undefined, undefined, undefined]);
  patch("p002", "kept");
  ok("POST", `${ns}/pods`, pod("p0005"));
  ok("DELETE", `${ns}/pods/p001`, { gracePeriodSeconds: 0 });
  ok("POST", `${ns}/pods/p003/binding`, {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name: "p003" },
    target: { kind: "Node", name: "n" },
  });
  const after = onNone();
  expect(after.map(({ metadata }) => metadata?.name)).toEqual(["p000", "p0005", "p002", ...names.slice(4)]);
  expect(labels(after).slice(0, 3)).toEqual([undefined, undefined, "kept"]);
  expect(after.at(-1)).toBe(before.at(-1));
  expect(view.onNode(Pod, "n")).toHaveLength(1);
});

test("a digest of few of many holds those alone, and who asks for it has looked at some", () => {
  const { engine, ok } = session();
  for (let i = 0; i < 40; i++) ok("POST", `${ns}/pods`, pod(`p${i}`));
  const at = { kind: Pod, isSparse: true, of: ({ metadata }: Readonly<Pod>) => metadata?.labels?.at } as const;
  const { view } = engine;
  const patch = (at: string | null) => ok("PATCH", `${ns}/pods/p7`, { metadata: { labels: { at } } });
  expect([...view.digest(at)]).toEqual([]);
  patch("a");
  expect([...view.digest(at)]).toEqual([["default/p7", "a"]]);
  patch(null);
  expect([...view.digest(at)]).toEqual([]);
  const all = { kind: Pod, of: ({ metadata }: Readonly<Pod>) => metadata?.name };
  const before = view.looked;
  view.digest(all);
  view.digest(all);
  expect(view.looked - before).toBe(8);
});

test("a digest follows writes that are kept, and pages show all objects", () => {
  const { engine, ok, store } = session();
  const names = Array.from({ length: 120 }, (_, i) => `p${String(i).padStart(3, "0")}`);
  for (const name of names) ok("POST", `${ns}/pods`, pod(name));
  const at = { kind: Pod, of: ({ metadata }: Readonly<Pod>) => metadata?.labels?.at };
  const { view } = engine;
  expect([...view.digest(at).keys()]).toEqual(names.map((name) => `default/${name}`));
  const patch = (value: string) => ok("PATCH", `${ns}/pods/p000`, { metadata: { labels: { at: value } } });
  patch("kept");
  expect(() =>
    store.write(() => {
      patch("undone");
      throw new Error("rolled back");
    }),
  ).toThrow("rolled back");
  ok("DELETE", `${ns}/pods/p001`, { gracePeriodSeconds: 0 });
  expect(view.digest(at).get("default/p000")).toBe("kept");
  expect(view.digest(at).has("default/p001")).toBe(false);
  const pages = [...view.pages(Pod)].map((page) => page.map(({ metadata }) => metadata?.name));
  expect(pages.length).toBeGreaterThan(1);
  expect(pages.flat()).toEqual(names.filter((name) => name !== "p001"));
});
