/** Back to a moment, over a platform that remembers: no local one does, so its part is played here. */
import { expect, test } from "vitest";
import { clusterObject } from "../test/support/cluster-object.ts";
import type { Past } from "./api/backup/rewind.ts";
import { rewind } from "./edge/rewind.ts";
import type { ObjectMeta } from "./lib/object.ts";
import { ApiError } from "./lib/status.ts";
import { type NodeSql, nodeSql } from "./storage/node-sql.ts";

type Item = { metadata: ObjectMeta };
type List = { metadata: { resourceVersion: string }; items: Item[] };
type Moment = { bookmark: string; revision: number; at: string };

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const MINUTE_MS = 60_000;

/** An object whose storage is remembered whenever `remember` says so. */
function rememberingObject() {
  let sql = nodeSql(":memory:");
  const images = new Map<string, Uint8Array>();
  const state = { next: undefined as string | undefined, ended: false };
  const current: Omit<NodeSql, "close" | "serialize"> = {
    all: (...parameters) => sql.all(...parameters),
    run: (...parameters) => sql.run(...parameters),
    transaction: (body) => sql.transaction(body),
  };
  const past: Past = {
    async bookmarkAt(at) {
      const found = [...images.keys()].findLast((bookmark) => Number(bookmark) <= at);
      if (!found) throw new Error("nothing is remembered of then");
      return found;
    },
    async restoreNext(bookmark) {
      state.next = bookmark;
      return "now";
    },
    restart() {
      sql = nodeSql(":memory:", images.get(state.next ?? ""));
      object.sleep();
      state.ended = true;
      throw new ApiError(503, "ServiceUnavailable", "nothing runs on");
    },
  };
  const object = clusterObject({ platform: { sql: current as NodeSql, past } });
  /** Whoever asks an object that ends hears nothing of it. */
  async function fetch(request: Request): Promise<Response> {
    const answer = await object.host().fetch(request);
    if (!state.ended) return answer;
    state.ended = false;
    throw new Error("the object was reset");
  }
  return { object, fetch, remember: () => void images.set(String(object.state.now), sql.serialize()) };
}

async function scene() {
  const { object, fetch, remember } = rememberingObject();
  const create = (name: string) => object.ask<Item>("POST", CONFIG_MAPS, { metadata: { name } });
  await create("before");
  await object.settled();
  remember();
  object.state.now += MINUTE_MS;
  const { metadata } = await create("after");
  await object.settled();
  const moment = () =>
    object.ask<Moment>("GET", `/skerry/moment?at=${new Date(object.state.now - MINUTE_MS / 2).toISOString()}`);
  const names = async () => (await object.ask<List>("GET", CONFIG_MAPS)).items.map((item) => item.metadata.name);
  /** As the Worker does it; `between` happens after the object has ended. */
  async function back({ bookmark, revision }: Moment, between?: () => Promise<unknown>): Promise<Response> {
    const headers = { authorization: await object.authorization() };
    const url = `https://cluster/skerry/rewind?bookmark=${bookmark}&revision=${revision}`;
    let asked = 0;
    const ask = async (sent: Request) => {
      if (asked++ === 1) await between?.();
      return fetch(sent);
    };
    const answer = await rewind(new Request(url, { method: "POST", headers }), () => ({ fetch: ask }));
    await object.settled();
    return answer;
  }
  return { object, create, moment, names, back, revision: Number(metadata.resourceVersion) };
}

test("the cluster is as it was, and its revisions go on above all that there were", async () => {
  const { object, create, moment, names, back, revision } = await scene();
  const there = await moment();
  expect((await back(there)).status).toBe(200);
  expect(await names()).toEqual(["before", "kube-root-ca.crt"]);
  expect(there.revision).toBeGreaterThan(revision);
  expect(Number((await create("later")).metadata.resourceVersion)).toBeGreaterThan(there.revision);
  object.sleep();
  expect(Number((await create("latest")).metadata.resourceVersion)).toBeGreaterThan(there.revision);
});

test("revisions of what came after the moment have expired", async () => {
  const { object, moment, back, revision } = await scene();
  await back(await moment());
  const query = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
  expect((await object.fetch("GET", `${CONFIG_MAPS}?${query}`)).status).toBe(410);
  const watch = await object.fetch("GET", `${CONFIG_MAPS}?watch=true&resourceVersion=${revision}`, undefined, {
    "x-skerry-internal": "watch",
  });
  expect(watch.status).toBe(200);
  expect(object.sockets.at(-1)?.sent.join("")).toContain('"code":410');
});

test("what others wrote before the cluster had heard how far it had come gets a revision above that, and is kept", async () => {
  const { object, moment, names, back } = await scene();
  const there = await moment();
  let early: Item | undefined;
  await back(there, async () => {
    early = await object.ask<Item>("POST", CONFIG_MAPS, { metadata: { name: "early" } });
  });
  expect(Number(early?.metadata.resourceVersion)).toBeLessThan(there.revision);
  expect(await names()).toEqual(["before", "early", "kube-root-ca.crt"]);
  const { metadata } = await object.ask<Item>("GET", `${CONFIG_MAPS}/early`);
  expect(Number(metadata.resourceVersion)).toBeGreaterThan(there.revision);
  const stale = await object.fetch("PUT", `${CONFIG_MAPS}/early`, JSON.stringify({ ...early, data: { a: "b" } }));
  expect(stale.status).toBe(409);
});

test("told twice how far it had come, a cluster hears it once", async () => {
  const { object, moment, names, back } = await scene();
  const there = await moment();
  await back(there);
  const before = (await object.ask<List>("GET", CONFIG_MAPS)).metadata.resourceVersion;
  await object.ask("POST", `/skerry/rewound?revision=${there.revision}`);
  expect((await object.ask<List>("GET", CONFIG_MAPS)).metadata.resourceVersion).toBe(before);
  expect(await names()).toContain("before");
});

test.each([
  ["no time", "at=yesterday", 400, "RFC 3339"],
  ["one that is yet to come", "at=2030-01-01T00:00:00Z", 400, "is yet to come"],
  ["one that is too long ago", "at=2020-01-01T00:00:00Z", 400, "30 days"],
])("of %s there is no moment", async (_, query, code, message) => {
  const { object } = await scene();
  const answer = await object.fetch("GET", `/skerry/moment?${query}`);
  expect({ code: answer.status, text: await answer.text() }).toEqual({ code, text: expect.stringContaining(message) });
});

test("where the platform remembers nothing, that is said, and nothing happens", async () => {
  const object = clusterObject();
  await object.ask("GET", "/api/v1/namespaces");
  const asked = await object.fetch("GET", "/skerry/moment?at=2026-01-02T00:00:00Z");
  expect({ code: asked.status, text: await asked.text() }).toEqual({
    code: 501,
    text: expect.stringContaining("restore a backup"),
  });
  expect((await object.fetch("POST", "/skerry/rewind?bookmark=x&revision=99999999")).status).toBe(501);
});
