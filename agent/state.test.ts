import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Writability, writableCondition } from "./node/writability.ts";
import { State } from "./state.ts";
import { openState } from "./state-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-state-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const change = (revision: number, name: string, object: { a: number } | null) => ({
  type: "changes" as const,
  revision,
  changes: [{ resource: "pods", namespace: "default", name, object }],
});
const path = () => join(folder, "agent.db");
const names = (state: State) => [...state.of("pods").keys()];
const said: string[] = [];
const open = (writability = new Writability()) => openState(path(), writability, (message) => said.push(message));

/** A disk on which nothing more can be written while `full`. */
function limited() {
  const database = new DatabaseSync(path());
  const disk = { full: false };
  const exec = database.exec.bind(database);
  database.exec = (sql) => {
    if (disk.full && sql.startsWith("COMMIT")) throw new Error("database or disk is full");
    exec(sql);
  };
  return { database, disk };
}

test("what a full disk did not take is known all the same, told, and written once there is room", () => {
  const writability = new Writability();
  const changes: (string | undefined)[] = [];
  writability.onChange = () => changes.push(writability.problem());
  const { database, disk } = limited();
  const state = new State(database, writability);
  state.apply(change(1, "a", { a: 1 }));
  disk.full = true;
  state.apply(change(2, "b", { a: 2 }));
  state.apply(change(3, "a", null));
  state.setFact("name", "value");
  expect([state.revision(), names(state), state.fact("name")]).toEqual([3, ["default/b"], "value"]);
  expect(changes).toEqual(["agent.db: database or disk is full"]);
  const elsewhere = new State(new DatabaseSync(path()));
  expect([elsewhere.revision(), names(elsewhere)]).toEqual([1, ["default/a"]]); // whole, as it was
  elsewhere.close();
  disk.full = false;
  state.save();
  expect(state.unsaved).toBe(false);
  state.close();
  expect(changes).toEqual(["agent.db: database or disk is full", undefined]);
  const again = open();
  expect([again.revision(), names(again), again.fact("name")]).toEqual([3, ["default/b"], "value"]);
  again.close();
});

test("a file that is no database any more is set aside, and the state begins anew", () => {
  writeFileSync(path(), "x".repeat(8192));
  const state = open();
  expect([state.revision(), names(state)]).toEqual([0, []]);
  state.apply(change(5, "a", { a: 1 }));
  state.close();
  expect(readFileSync(`${path()}.broken`, "utf8")).toBe("x".repeat(8192));
  expect(said.at(-1)).toContain("set aside");
  const again = open();
  expect(again.revision()).toBe(5);
  again.close();
});

test("a database whose pages were torn is set aside", () => {
  const first = open();
  for (let i = 1; i < 200; i++) first.apply(change(i, `pod-${i}`, { a: i }));
  first.close();
  const bytes = readFileSync(path());
  bytes.fill(0xff, 4096);
  writeFileSync(path(), bytes);
  const state = open();
  expect(state.revision()).toBe(0);
  state.close();
});

test("a place that cannot be opened for writing is read, and written later", () => {
  const first = open();
  first.apply(change(1, "a", { a: 1 }));
  // As with a machine that stops: the last writes are in the log beside the file alone.
  const kept = { main: readFileSync(path()), log: readFileSync(`${path()}-wal`) };
  first.close();
  writeFileSync(path(), kept.main);
  writeFileSync(`${path()}-wal`, kept.log);
  const blocked = join(folder, "gone", "agent.db");
  const writability = new Writability();
  const empty = openState(blocked, writability, () => {});
  expect(writability.problem()).toContain("ENOENT");
  empty.apply(change(2, "b", { a: 2 }));
  expect([empty.revision(), names(empty), empty.unsaved]).toEqual([2, ["default/b"], true]);
  const copied = new State(new DatabaseSync(path()), new Writability(), () => new DatabaseSync(join(folder, "new.db")));
  expect(names(copied)).toEqual(["default/a"]);
  copied.apply(change(3, "c", { a: 3 }));
  copied.close();
  const moved = new State(new DatabaseSync(join(folder, "new.db")));
  expect([moved.revision(), names(moved)]).toEqual([3, ["default/a", "default/c"]]);
  moved.close();
});

test("the condition keeps its time while it stays as it is", () => {
  const fine = writableCondition(undefined, [], 1_000);
  expect(fine).toMatchObject({ status: "True", reason: "StateWritable" });
  expect(writableCondition(undefined, [fine], 9_000).lastTransitionTime).toBe(fine.lastTransitionTime);
  const full = writableCondition("agent.db: ENOSPC: no space left on device", [fine], 9_000);
  expect(full).toMatchObject({ status: "False", reason: "StateNotWritable" });
  expect(full.message).toContain("no space left on device");
  expect(full.lastTransitionTime).not.toBe(fine.lastTransitionTime);
});
