import { expect, test } from "vitest";
import { StatusError } from "../api/client.ts";
import { apply, type Edit, leaveTheirs } from "./apply.ts";

type Asked = { method: string; query: string; body?: unknown };

/** A cluster that has the object, and whose apply is refused by `causes`. */
function clusterWith(object: object, causes: { field: string; message: string }[] = []) {
  const asked: Asked[] = [];
  const client = {
    async json<T>(path: string, ask: { method?: string; body?: unknown } = {}): Promise<T> {
      const { method = "GET", body } = ask;
      const query = path.split("?")[1] ?? "";
      asked.push({ method, query, body });
      if (method === "PATCH" && causes.length > 0 && !query.includes("force"))
        throw new StatusError(409, "Conflict", "Apply failed", causes);
      return (method === "GET" ? object : body) as T;
    },
  };
  return { client, asked };
}

const meta = { name: "words", namespace: "default", uid: "u", creationTimestamp: "", resourceVersion: "7" };
const managed = (manager: string, operation: string, ...names: string[]) => ({
  manager,
  operation,
  fieldsV1: { "f:data": Object.fromEntries(names.map((name) => [`f:${name}`, {}])) },
});
const words = (data: object, ...managedFields: object[]) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...meta, managedFields },
  data,
});
const plain = (data: object) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "words", namespace: "default" },
  data,
});
const edit = (before: object, after: object): Edit => ({
  path: "/p",
  before: plain(before),
  after: plain(after),
  kind: undefined,
});
const NOW = { dryRun: false, accepted: [] };

test("what is changed is applied with what the page applied before, and nothing else is claimed", async () => {
  const live = words({ a: "1", b: "2", c: "3" }, managed("skerry-page", "Apply", "b"), managed("else", "Update", "c"));
  const { client, asked } = clusterWith(live);
  expect((await apply(client, edit({ a: "1", b: "2" }, { a: "9", b: "2" }), NOW)).conflicts).toEqual([]);
  expect(asked.map(({ method, query }) => `${method} ${query}`)).toEqual([
    "GET ",
    "PATCH fieldManager=skerry-page&dryRun=All",
    "PATCH fieldManager=skerry-page&force=true",
  ]);
  expect(asked.at(-1)?.body).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "words", namespace: "default", resourceVersion: "7" },
    data: { a: "9", b: "2" },
  });
});

test("conflicts are told by field and owner, and nothing is written", async () => {
  const causes = [
    { field: ".data.a", message: 'conflict with "kubectl-create" using v1' },
    { field: ".data.b", message: 'conflict with "skerry-page" using v1' },
  ];
  const live = words({ a: "1", b: "1", c: "2", d: "1" }, managed("helm", "Update", "d"), managed("x", "Update", "c"));
  const { client, asked } = clusterWith(live, causes);
  const wanted = edit({ a: "1", b: "1", c: "1", d: "1" }, { a: "9", b: "9", c: "9" });
  const { conflicts } = await apply(client, wanted, NOW);
  expect(conflicts).toEqual([
    { field: "data.c", why: "was changed meanwhile", is: "2" },
    { field: "data.d", why: "is kept by helm, and you removed it" },
    { field: "data.a", why: "is set by kubectl-create" },
  ]);
  expect(asked.slice(1).every(({ query }) => query.includes("dryRun"))).toBe(true);

  const left = await leaveTheirs(client, wanted, conflicts);
  expect([left.before.data, left.after.data]).toEqual([
    { a: "1", b: "1", c: "2", d: "1" },
    { a: "1", b: "9", c: "2", d: "1" },
  ]);
});

test("what is another's is removed by an update that knows what it removes, once it is to be taken over", async () => {
  const { client, asked } = clusterWith(words({ a: "1", old: "1" }, managed("helm", "Update", "old")));
  const wanted = edit({ a: "1", old: "1" }, { a: "1" });
  const { conflicts: accepted } = await apply(client, wanted, NOW);
  expect(accepted).toEqual([{ field: "data.old", why: "is kept by helm, and you removed it" }]);
  expect((await apply(client, wanted, { dryRun: false, accepted })).conflicts).toEqual([]);
  expect(asked.at(-1)).toMatchObject({
    method: "PUT",
    query: "fieldManager=skerry-page",
    body: { metadata: { resourceVersion: "7" }, data: { a: "1" } },
  });
});

test("what nobody was shown is not taken over", async () => {
  const by = (...owners: string[]) => owners.map((who) => ({ field: ".data.a", message: `conflict with "${who}"` }));
  const wanted = edit({ a: "1" }, { a: "9" });
  const { conflicts: accepted } = await apply(clusterWith(words({ a: "2" }), by("kubectl")).client, wanted, NOW);
  for (const { client, asked } of [
    clusterWith(words({ a: "3" }), by("kubectl")), // changed once more
    clusterWith(words({ a: "2" }), by("kubectl", "helm")),
  ]) {
    expect((await apply(client, wanted, { dryRun: false, accepted })).conflicts).not.toEqual([]);
    expect(asked.slice(1).every(({ query }) => query.includes("dryRun"))).toBe(true);
  }
  const { client, asked } = clusterWith(words({ a: "2" }), by("kubectl"));
  expect((await apply(client, wanted, { dryRun: false, accepted })).conflicts).toEqual([]);
  expect(asked.at(-1)?.query).toBe("fieldManager=skerry-page&force=true");
});

test("what only the page applied goes with its next apply", async () => {
  const { client, asked } = clusterWith(words({ a: "1", old: "1" }, managed("skerry-page", "Apply", "a", "old")));
  await apply(client, edit({ a: "1", old: "1" }, { a: "1" }), NOW);
  expect(asked.at(-1)).toMatchObject({ method: "PATCH", body: { data: { a: "1" } } });
  expect(asked.at(-1)?.body).not.toHaveProperty("data.old");
});

test("an object that others write meanwhile is read again, so often and no more", async () => {
  let tries = 0;
  const client = {
    async json<T>(_: string, { method = "GET" } = {}): Promise<T> {
      if (method === "GET") return words({ a: "1" }) as T;
      tries++;
      throw new StatusError(409, "Conflict", "the object has been modified");
    },
  };
  await expect(apply(client, edit({ a: "1" }, { a: "2" }), NOW)).rejects.toThrow("modified");
  expect(tries).toBe(5);
});
