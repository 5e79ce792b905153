import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MIGRATIONS } from "../../migrations/index.ts";
import { migrate } from "../../worker/storage/migrate.ts";
import { nodeSql } from "../../worker/storage/node-sql.ts";
import { openStore } from "../../worker/storage/sqlite-store.ts";
import { STORE_CONTRACT } from "./store.ts";

describe("a store on SQLite of Node.js", () => {
  test.each(STORE_CONTRACT)("$name", ({ run }) => {
    const sql = nodeSql(":memory:");
    run(sql);
    sql.close();
  });
});

test("a migration is applied once, and whole or not at all", () => {
  const sql = nodeSql(":memory:");
  const first = { tag: "first", statements: ["CREATE TABLE one (n integer)", "INSERT INTO one VALUES (1)"] };
  migrate(sql, [first]);
  migrate(sql, [first]);
  expect(sql.all("SELECT n FROM one")).toHaveLength(1);
  const broken = { tag: "second", statements: ["INSERT INTO one VALUES (2)", "INSERT INTO absent VALUES (1)"] };
  expect(() => migrate(sql, [first, broken])).toThrow(/absent/);
  expect(sql.all("SELECT n FROM one")).toHaveLength(1);
  migrate(sql, [first, { ...broken, statements: ["INSERT INTO one VALUES (2)"] }]);
  expect(sql.all("SELECT n FROM one")).toHaveLength(2);
});

test("a store that is as it should be is opened without a write, also when none is possible", () => {
  const sql = nodeSql(":memory:");
  openStore(sql);
  const full = {
    ...sql,
    run: (statement: string) => {
      throw new Error(`storage is full: ${statement}`);
    },
  };
  expect(openStore(full).revision()).toBe(0);
});

test("the bundled migrations are the SQL files", () => {
  const folder = new URL("../../migrations/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  expect(MIGRATIONS.map(({ tag }) => `${tag}.sql`)).toEqual(files.sort());
  for (const { tag, statements } of MIGRATIONS) {
    const text = readFileSync(new URL(`${tag}.sql`, folder), "utf8");
    expect(statements).toEqual(text.split("--> statement-breakpoint").map((statement) => statement.trim()));
  }
});

test("pages are found by the index on keys, with no sorting", () => {
  const sql = nodeSql(":memory:");
  migrate(sql);
  const plan = sql.all<{ detail: string }>(
    `EXPLAIN QUERY PLAN SELECT json FROM objects o WHERE o.resource = ? AND (o.namespace, o.name) > (?, ?)
     ORDER BY o.resource, o.namespace, o.name LIMIT ?`,
    "pods",
    "a",
    "b",
    1,
  );
  const text = plan.map(({ detail }) => detail).join("\n");
  expect(text).toMatch(/SEARCH o USING INDEX objects_key \(resource=\? AND \(namespace,name\)>\(\?,\?\)\)/);
  expect(text).not.toMatch(/TEMP B-TREE/);
});
