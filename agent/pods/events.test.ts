import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { CoreV1Event, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { outboxOf } from "../outbox.ts";
import { State } from "../state.ts";
import { EventRecorder } from "./events.ts";

const pod = (name: string): CoreV1Pod => ({
  metadata: { name, namespace: "default", uid: name },
  spec: { containers: [] },
});

/** A cluster that can be out of reach, and what it was told, in order. */
function cluster() {
  const told: { method: string; body: Partial<CoreV1Event> }[] = [];
  const there = new Set<string>();
  const state = { online: true, code: 201 };
  const api = async (method: string, path: string, body?: unknown) => {
    if (!state.online) throw new Error("offline");
    const event = body as CoreV1Event;
    if (state.code >= 400) return { code: state.code, body: {} };
    const name = method === "POST" ? event.metadata.name : path.split("/").at(-1);
    if (method === "POST" && there.has(name ?? "")) return { code: 409, body: {} };
    if (method === "PATCH" && !there.has(name ?? "")) return { code: 404, body: {} };
    there.add(name ?? "");
    told.push({ method, body: event });
    return { code: 200, body: {} };
  };
  return { told, state, api };
}

const settle = async () => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

function recorder(database: DatabaseSync, api: ReturnType<typeof cluster>["api"]) {
  let now = Date.UTC(2026, 0, 1);
  let uid = 0;
  const effects = {
    now: () => {
      now += 1000;
      return now;
    },
    random: () => 0.5,
    uid: () => `${String(uid++).padStart(8, "0")}-${now}`,
    after: () => () => {},
    sleep: async () => {},
  };
  const state = new State(database);
  const events = new EventRecorder({ nodeName: "n", api, effects, outbox: outboxOf(state) });
  return { events, state };
}

const reasons = (told: ReturnType<typeof cluster>["told"]) =>
  told.map(({ method, body }) => (method === "POST" ? body.reason : `${body.count} times`));

test("what happens without an uplink is told in its order when that is back, and outlives the agent", async () => {
  const database = new DatabaseSync(":memory:");
  const { told, state, api } = cluster();
  const first = recorder(database, api);
  first.events.record(pod("a"), "Normal", "Started", "told at once");
  await settle();
  state.online = false;
  first.events.record(pod("a"), "Warning", "BackOff", "again");
  first.events.record(pod("b"), "Normal", "Killing", "x");
  await settle();
  first.events.record(pod("a"), "Warning", "BackOff", "again");
  first.events.recordNode("Warning", "StateNotWritable", "full");
  await settle();
  expect(reasons(told)).toEqual(["Started"]);
  const second = recorder(database, api); // the agent was killed
  second.events.record(pod("c"), "Normal", "Pulled", "y");
  await settle();
  state.online = true;
  second.events.flush();
  await settle();
  expect(reasons(told).slice(1)).toEqual(["Killing", "BackOff", "StateNotWritable", "Pulled"]);
  expect(told.find(({ body }) => body.reason === "BackOff")?.body.count).toBe(2);
  expect(told.find(({ body }) => body.reason === "StateNotWritable")?.body).toMatchObject({
    metadata: { namespace: "default" },
    involvedObject: { kind: "Node", name: "n", uid: "n" },
  });
  expect(outboxOf(second.state).events()).toEqual([]);
});

test("of too many the oldest are dropped, and their number is told", async () => {
  const database = new DatabaseSync(":memory:");
  const { told, state, api } = cluster();
  const { events } = recorder(database, api);
  state.online = false;
  for (let i = 0; i < 1300; i++) events.record(pod(`p${i}`), "Normal", "Started", "x");
  await settle();
  const again = recorder(database, api);
  expect(outboxOf(again.state).events()).toHaveLength(1000);
  state.online = true;
  again.events.flush();
  for (let i = 0; i < 40; i++) await settle();
  expect(told).toHaveLength(1001);
  expect(told[0]?.body.involvedObject?.name).toBe("p300");
  expect(told.find(({ body }) => body.reason === "EventsDropped")?.body.message).toContain("300 events");
});

test("what a busy cluster does not take is told later; what an earlier agent had written is counted up", async () => {
  const database = new DatabaseSync(":memory:");
  const { told, state, api } = cluster();
  const { events } = recorder(database, api);
  state.code = 503;
  events.record(pod("a"), "Normal", "Started", "x");
  await settle();
  expect(told).toEqual([]);
  state.code = 201;
  events.flush();
  await settle();
  expect(reasons(told)).toEqual(["Started"]);
  state.online = false;
  events.record(pod("a"), "Normal", "Started", "x");
  await settle();
  const again = recorder(database, api);
  state.online = true;
  again.events.flush();
  await settle();
  expect(reasons(told)).toEqual(["Started", "2 times"]);
});

test("what differs only in its words is one event from the tenth on, and more than a burst is only counted", async () => {
  const { told, api } = cluster();
  const { events } = recorder(new DatabaseSync(":memory:"), api);
  for (let i = 0; i < 12; i++) events.record(pod("web"), "Warning", "Unhealthy", `failed ${i}`);
  await settle();
  const posted = told.filter(({ method }) => method === "POST").map(({ body }) => body.message);
  expect(posted).toHaveLength(10);
  expect(posted.at(-1)).toMatch(/^\(combined from similar events\): failed (9|11)$/);
  for (let i = 0; i < 30; i++) events.record(pod("web"), "Normal", `Reason${i}`, "happened");
  await settle();
  expect(told.filter(({ body }) => body.type === "Normal")).toHaveLength(25);
  events.record(pod("web"), "Warning", "Unhealthy", "failed again");
  await settle();
  expect(told.at(-1)?.body.message).toBe("(combined from similar events): failed again");
});

test("what is said anew replaces what was said, in the same event", async () => {
  const { told, api } = cluster();
  const { events } = recorder(new DatabaseSync(":memory:"), api);
  const say = (was: string, message: string) => events.renew(pod("a"), "Normal", "Pulling", { was, message });
  events.record(pod("a"), "Normal", "Pulling", "Pulling");
  await settle();
  say("Pulling", "1 of 2");
  await settle();
  say("1 of 2", "2 of 2");
  say("never said", "nothing");
  await settle();
  expect(told.map(({ method, body }) => `${method} ${body.message} ${body.count}`)).toEqual([
    "POST Pulling 1",
    "PATCH 1 of 2 1",
    "PATCH 2 of 2 1",
  ]);
  events.record(pod("a"), "Normal", "Pulling", "Pulling");
  await settle();
  expect(told.at(-1)).toMatchObject({ method: "POST", body: { message: "Pulling", count: 1 } });
});
