import { beforeEach, expect, test } from "vitest";
import { migrate } from "../storage/migrate.ts";
import { nodeSql } from "../storage/node-sql.ts";
import { Garbage } from "./garbage.ts";
import { Quotas } from "./quotas.ts";
import { REGISTRY_MIGRATIONS } from "./tables.ts";
import { digest, factsInMemory } from "./testing/facts.ts";

let parts: ReturnType<typeof factsInMemory>;
beforeEach(() => {
  parts = factsInMemory(() => 0);
});

const [LAYER, OTHER] = ["a", "b"].map(digest) as [string, string];

/** What the chunk of an upload is answered. */
function send(repository: string, size: number, at = 0, id = parts.facts.open(repository)) {
  const answer = parts.facts.append(repository, id, { chunk: { start: at, size, name: "0" }, hash: "" });
  return { id, answer };
}
function push(repository: string, name: string, size: number) {
  const { id, answer } = send(repository, size);
  if (answer === "kept") parts.facts.complete(repository, id, { digest: name, size });
  return answer;
}
/** All that nobody has is gone, from the bucket too. */
function collect() {
  const garbage = new Garbage({ sql: parts.sql, now: () => 0 });
  garbage.collect([], 1);
  garbage.swept(garbage.folders(99));
}
const used = () => Object.fromEntries(parts.quotas.usages().map(({ prefix, used: bytes }) => [prefix, bytes]));

test("what a prefix holds is bounded, and others are not", () => {
  parts.quotas.setQuota("team", 10);
  expect(push("team/app", LAYER, 6)).toBe("kept");
  expect(parts.quotas.exceeded("team/app", 4)).toBeUndefined();
  expect(parts.quotas.exceeded("team", 5)).toEqual({ prefix: "team", bytes: 10 });
  expect(push("team/b", OTHER, 5)).toEqual({ prefix: "team", bytes: 10 });
  for (const repository of ["team2", "teams/app", "tea", "team-b"]) expect(push(repository, OTHER, 50)).toBe("kept");
  expect(push("team", digest("c"), 4)).toBe("kept");
  expect(used()).toEqual({ "": 210, team: 10 }); // three of fifty were replaced
  collect();
  expect(used()).toEqual({ "": 60, team: 10 });
});

test("uploads count as they come, and until they are gone when they are called off", () => {
  parts.quotas.setQuota("", 10);
  const { id } = send("app", 6);
  expect(send("other", 5).answer).toEqual({ prefix: "", bytes: 10 });
  expect(send("app", 4, 6, id).answer).toBe("kept");
  parts.facts.cancel("app", id);
  expect(used()).toEqual({ "": 10 });
  expect(send("other", 1).answer).toEqual({ prefix: "", bytes: 10 });
  collect();
  expect(send("other", 10).answer).toBe("kept");
});

test("a content counts once below a prefix, and once for each", () => {
  parts.quotas.setQuota("team", 10);
  parts.quotas.setQuota("shop", 5);
  expect(push("team/a", LAYER, 6)).toBe("kept");
  expect(parts.facts.mount("team/a", "team/b", LAYER)).toBe("kept");
  expect(parts.facts.mount("team/a", "shop", LAYER)).toEqual({ prefix: "shop", bytes: 5 });
  expect(parts.facts.blob("shop", LAYER, false)).toBeUndefined();
  parts.quotas.setQuota("shop", 6);
  expect(parts.facts.mount("team/a", "shop", LAYER)).toBe("kept");
  expect(used()).toEqual({ "": 6, team: 6, shop: 6 });
});

test("what is removed makes room when it is collected, and a lower quota takes nothing away", () => {
  parts.quotas.setQuota("team", 10);
  push("team/a", LAYER, 10);
  parts.quotas.setQuota("team", 5);
  expect(parts.facts.blob("team/a", LAYER, false)).toBeDefined();
  expect(push("team/a", OTHER, 1)).toEqual({ prefix: "team", bytes: 5 });
  parts.facts.removeBlob("team/a", LAYER);
  expect(used()).toEqual({ "": 10, team: 10 });
  expect(push("team/a", OTHER, 5)).toEqual({ prefix: "team", bytes: 5 });
  collect();
  expect(push("team/a", OTHER, 5)).toBe("kept");
  expect(parts.quotas.removeQuota("team")).toBe(true);
  expect(parts.quotas.removeQuota("team")).toBe(false);
  expect(push("team/a", LAYER, 500)).toBe("kept");
  expect(new Garbage({ sql: parts.sql, now: () => 1 }).mayRemain()).toBe(true);
});

test("who pushes to one prefix fills no other's, whatever they send again, remove or call off", () => {
  for (const prefix of ["team", "shop"]) parts.quotas.setQuota(prefix, 20);
  expect(push("shop/a", LAYER, 6)).toBe("kept");
  expect(push("team/a", LAYER, 6)).toBe("kept");
  expect(used()).toEqual({ "": 12, shop: 6, team: 6 });
  expect(push("team/b", LAYER, 6)).toBe("kept");
  parts.facts.removeBlob("team/a", LAYER);
  parts.facts.removeBlob("team/b", LAYER);
  expect(used()).toEqual({ "": 18, shop: 6, team: 12 });
  expect(parts.facts.mount("shop/a", "team/c", LAYER)).toBe("kept");
  expect(push("team/a", LAYER, 6)).toBe("kept");
  expect(push("team/a", LAYER, 6)).toEqual({ prefix: "team", bytes: 20 });
  expect(used()).toEqual({ "": 24, shop: 6, team: 18 });
  for (const repository of ["team/a", "team/c"]) parts.facts.removeBlob(repository, LAYER);
  collect();
  expect(used()).toEqual({ "": 6, shop: 6, team: 0 });
});

test("what was stored before its bringer was kept counts for who has it", () => {
  const sql = nodeSql(":memory:");
  migrate(sql, REGISTRY_MIGRATIONS.slice(0, 2));
  sql.run("INSERT INTO contents VALUES (?, 'u', 6, 0)", LAYER);
  sql.run("INSERT INTO blobs VALUES ('team/a', ?, 0)", LAYER);
  sql.run("INSERT INTO garbage VALUES ('v')");
  migrate(sql, REGISTRY_MIGRATIONS);
  const quotas = new Quotas(sql);
  quotas.setQuota("team", 9);
  expect(quotas.usages().map(({ used }) => used)).toEqual([6, 6]);
  expect(sql.all("SELECT repository FROM contents")).toEqual([{ repository: "team/a" }]);
});
