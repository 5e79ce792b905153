/** What an agent of the oldest release has on its disk, opened by this one's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { State } from "../../agent/state.ts";

function opened(): State {
  const database = new DatabaseSync(":memory:");
  database.exec(readFileSync(join(import.meta.dirname, "recorded/agent-oldest.sql"), "utf8"));
  return new State(database);
}

test("the node knows its pods, its settings and how far it had come", () => {
  const state = opened();
  expect(state.revision()).toBe(212);
  expect(state.welcome()).toMatchObject({
    serviceCIDR: "10.96.0.0/16",
    dnsAddress: "10.96.0.10",
    apiCertificate: "CERTIFICATE",
  });
  expect([...state.of("pods").keys()]).toEqual(["shop/web"]);
  expect(state.of("secrets").size).toBe(0);
  expect(state.of("nodes").get("/a")).toMatchObject({ spec: { podCIDR: "10.244.0.0/24" } });
});

test("the same cluster's next welcome voids nothing, and changes go on", () => {
  const state = opened();
  const welcome = state.welcome();
  if (!welcome) throw new Error("no welcome");
  state.setWelcome({ ...welcome, version: 2 });
  expect(state.of("pods").size).toBe(1);
  state.apply({
    type: "changes",
    revision: 213,
    changes: [{ resource: "pods", namespace: "shop", name: "web", object: null }],
  });
  expect([state.revision(), state.of("pods").size]).toEqual([213, 0]);
});
