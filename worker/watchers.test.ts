import { expect, test } from "vitest";
import type { WatchSpec } from "./api/request.ts";
import type { Change, Reader } from "./storage/store.ts";
import { Watchers, type WatchersDeps, type WatchSocket } from "./watchers.ts";

function socket(spec: () => WatchSpec): WatchSocket & { sent: (string | Uint8Array)[]; closed: number[] } {
  const sent: (string | Uint8Array)[] = [];
  const closed: number[] = [];
  return {
    sent,
    closed,
    send: (data) => void sent.push(data),
    close: (code) => void closed.push(code),
    spec,
    remember: () => undefined,
  };
}

const watcher = (spec: Partial<WatchSpec> = {}) => {
  const own = { deadline: 1000, bookmarks: false, revision: 0, ...spec } as WatchSpec;
  return socket(() => own);
};

const change = (revision: number, json = "{}") => ({ revision, json }) as Change;

/** Watchers who are told the revisions of what was written, a clock, and what waits for it. */
function scene(
  sockets: readonly WatchSocket[],
  lines = (changes: readonly Change[]) => changes.map(({ revision }) => `${revision}\n`).join(""),
) {
  const clock = { now: 0 };
  const errors: unknown[] = [];
  const deferred: { body: () => void; ms: number }[] = [];
  const watches: WatchersDeps["watches"] = {
    *initialEvents() {},
    renderChanges: (_, changes) => lines(changes),
    bookmark: (_, revision) => `bookmark ${revision}\n`,
    tooOld: ({ revision }) => `${revision} is too old\n`,
  };
  const watchers = new Watchers({
    watches,
    store: { oldestRevision: () => 0 } as Reader,
    now: () => clock.now,
    defer: (body, ms) => void deferred.push({ body, ms }),
    sockets: () => sockets,
    report: (error) => void errors.push(error),
  });
  return { watchers, clock, deferred, errors };
}

test("a watcher that cannot be told ends, and all others are told", () => {
  const broken = socket(() => {
    throw new TypeError("no attachment");
  });
  const well = watcher();
  const { watchers, errors } = scene([broken, well]);
  watchers.changed([change(1)]);
  expect(well.sent).toEqual(["1\n"]);
  expect(broken.closed).toEqual([1011]);
  expect(errors).toHaveLength(1);
});

test("who are told the same in protobuf share what it was encoded to", () => {
  const [one, two, plain] = [watcher({ encoding: "protobuf" }), watcher({ encoding: "protobuf" }), watcher()];
  const { watchers } = scene([one, plain, two], () => `{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod"}}\n`);
  watchers.changed([change(1)]);
  expect(one.sent[0]).toBeInstanceOf(Uint8Array);
  expect(two.sent[0]).toBe(one.sent[0]);
  expect(plain.sent[0]).toContain("ADDED");
});

test("many watchers rest after they were told; what is written meanwhile comes in one message", () => {
  const all = Array.from({ length: 20 }, () => watcher());
  const { watchers, clock, deferred } = scene(all);
  watchers.changed([change(1)]);
  watchers.changed([change(2)]);
  clock.now = 5;
  watchers.changed([change(3)]);
  expect(all[0]?.sent).toEqual(["1\n"]);
  expect(deferred.map(({ ms }) => ms)).toEqual([20]);
  clock.now = 20;
  deferred.shift()?.body();
  expect(all.map(({ sent }) => sent)).toEqual(all.map(() => ["1\n", "2\n3\n"]));
  clock.now = 40;
  watchers.changed([change(4)]);
  expect(all[0]?.sent.at(-1)).toBe("4\n");
  expect(deferred).toEqual([]);
  watchers.changed([change(5)]);
  watchers.changed([change(6, "x".repeat(300_000))]);
  expect(all[0]?.sent.at(-1)).toBe("5\n6\n");
  clock.now = 60;
  deferred.shift()?.body();
  expect(all[0]?.sent).toHaveLength(4);
});

test("a watch that ends says how far it has come: what is written in the same turn is not told", () => {
  const over = watcher({ deadline: 10, bookmarks: true, revision: 6 });
  const { watchers, clock } = scene([over]);
  clock.now = 10;
  watchers.changed([change(7)]);
  expect(over.sent).toEqual(["bookmark 6\n"]);
  expect(over.closed).toEqual([1000]);
});

test("a watch that ends after a sleep does not go back to what it knew when it began", () => {
  const over = watcher({ deadline: 10, bookmarks: true, revision: 2 });
  const { watchers, clock } = scene([over]);
  clock.now = 10;
  watchers.changed([change(7), change(8)]);
  expect(over.sent).toEqual(["bookmark 6\n"]);
});

test("watchers rest no longer where the clock was set back", () => {
  const { watchers, clock, deferred } = scene([watcher()]);
  clock.now = 3_600_000;
  watchers.changed([change(1)]);
  clock.now = 0;
  watchers.changed([change(2)]);
  expect(deferred.map(({ ms }) => ms)).toEqual([100]);
});

test("watches of what was replaced end with an error, also beside one that cannot be told", () => {
  const broken = socket(() => {
    throw new TypeError("no attachment");
  });
  const well = watcher({ revision: 7 });
  const { watchers } = scene([broken, well]);
  watchers.expire();
  expect(well).toMatchObject({ sent: ["7 is too old\n"], closed: [1000] });
  expect(broken.closed).toEqual([1011]);
});
