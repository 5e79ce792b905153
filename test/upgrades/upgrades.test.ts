/** Clusters that earlier releases stored, opened by this one: each migration there has been, and the oldest of all. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MIGRATIONS } from "../../migrations/index.ts";
import type { ObjectMeta } from "../../worker/lib/object.ts";
import { PROTOCOL_VERSION } from "../../worker/protocol/link.ts";
import { nodeSql } from "../../worker/storage/node-sql.ts";
import { clusterObject } from "../support/cluster-object.ts";
import { type Recorded, readRecorded } from "./recorded.ts";

const FOLDER = join(import.meta.dirname, "recorded");
const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith(".json") ? [file.replace(".json", "")] : []));

type Item = { metadata: ObjectMeta; data?: Record<string, string> };
type List = { metadata: { resourceVersion: string }; items: Item[] };

function opened({ said, sql: text }: Recorded) {
  const sql = nodeSql(":memory:");
  for (const statement of text) sql.run(statement);
  const object = clusterObject({ sql, secret: said.secret });
  object.state.now = said.now;
  const as = (token: string, path: string, headers: Record<string, string> = {}) =>
    object
      .host()
      .fetch(new Request(`https://cluster${path}`, { headers: { ...headers, authorization: `Bearer ${token}` } }));
  return { object, as };
}

test("every migration but the newest has a recording", () => {
  const recorded = names.map((name) => name.slice(0, 4));
  const released = MIGRATIONS.slice(0, -1).map(({ tag }) => tag.slice(0, 4));
  expect(released.filter((tag) => !recorded.includes(tag))).toEqual([]);
});

describe.each(names)("a cluster as of %s", (name) => {
  const recorded = readRecorded(FOLDER, name);
  const { said } = recorded;

  test("reads as it did, but for defaults that have come since", async () => {
    const { object } = opened(recorded);
    for (const [path, before] of Object.entries(said.objects)) {
      const now = await object.ask<object>("GET", path);
      expect(now).toMatchObject(withoutStatus(before));
    }
  });

  test("revisions go on, and watches go on from where they were", async () => {
    const { object } = opened(recorded);
    const maps = "/api/v1/namespaces/shop/configmaps";
    const { metadata } = await object.ask<Item>("POST", maps, { metadata: { name: "new" } });
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(said.revision);
    const page = `${maps}/page`;
    await object.ask("PUT", page, { ...(await object.ask<Item>("GET", page)), data: { text: "again" } });
    const headers = { "x-skerry-internal": "watch" };
    const query = `watch=true&resourceVersion=${said.revision}&timeoutSeconds=60`;
    expect((await object.fetch("GET", `${maps}?${query}`, undefined, headers)).status).toBe(200);
    const lines = object.sockets.at(-1)?.sent.join("").trim().split("\n") ?? [];
    const told = lines.map((line) => JSON.parse(line) as { type: string; object: Item });
    expect(told.map(({ type, object: { metadata: m } }) => `${type} ${m.name}`)).toEqual([
      "ADDED new",
      "MODIFIED page",
    ]);
  });

  test("its nodes and its accounts are known", async () => {
    const { object, as } = opened(recorded);
    expect((await as(said.accountToken, "/api/v1/namespaces/shop/secrets/password")).status).toBe(200);
    expect((await as(said.nodeToken, "/link/a", { upgrade: "websocket" })).status).toBe(200);
    const socket = object.sockets.at(-1);
    if (!socket) throw new Error("no socket");
    const hello = { type: "hello", version: PROTOCOL_VERSION, agent: "x", node: "a", revision: said.revision };
    await object.host().message(socket, JSON.stringify(hello));
    await object.settled();
    expect(socket.sent.map((text) => (JSON.parse(text) as { type: string }).type).slice(0, 2)).toEqual([
      "welcome",
      "changes",
    ]);
  });

  test("its controllers go on", async () => {
    const { object } = opened(recorded);
    const web = "/apis/apps/v1/namespaces/shop/deployments/web";
    await object.ask("GET", web);
    await object.settled();
    const deployment = await object.ask<Item & { spec: { replicas: number } }>("GET", web);
    await object.ask("PUT", web, { ...deployment, spec: { ...deployment.spec, replicas: 3 } });
    await object.settled();
    const { items } = await object.ask<List>("GET", "/api/v1/namespaces/shop/pods");
    expect(items).toHaveLength(3);
    const { items: namespaces } = await object.ask<List>("GET", "/api/v1/namespaces");
    expect(namespaces.map(({ metadata }) => metadata.name)).toContain("shop");
  });

  test("can be backed up and restored", async () => {
    const { object } = opened(recorded);
    const answer = await object.fetch("GET", "/skerry/backup");
    expect((await answer.text()).trim().split("\n").at(-2)).toMatch(/^\{"end":/);
  });
});

/** What controllers have to say of an object may be said anew. */
function withoutStatus(object: Record<string, unknown>): object {
  const { status: _, metadata, ...rest } = object;
  const { resourceVersion: __, managedFields: ___, generation: ____, ...kept } = metadata as Record<string, unknown>;
  return { ...rest, metadata: kept };
}
