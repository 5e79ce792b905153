/** The registry in the real runtime, with its R2 and its object, behind the Worker; the Cluster object knows tokens alone. */
import { createHash } from "node:crypto";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";

const WORKER = `
  import worker from "../../worker/index.ts";
  import * as registry from "../../worker/registry.ts";
  /** With the clock in reach, which else rings after a day. */
  export class Registry extends registry.Registry {
    constructor(ctx, env) {
      super(ctx, { ...env, CLUSTER });
    }
    async due() {
      return this.ctx.storage.getAlarm();
    }
    async ring() {
      await this.ctx.storage.deleteAlarm();
      await this.alarm();
      return this.due();
    }
  }
  const stub = (name) => ({
    async fetch({ headers }) {
      if (headers.get("x-skerry-internal") === "images") return Response.json({ used: [] });
      const given = headers.get("authorization");
      const ticket = headers.get("skerry-blob-ticket") === "wanted" ? { "skerry-blob-ticket": "given" } : {};
      if (given === "Bearer of-" + name)
        return Response.json({ used: [] }, { headers: { "x-skerry-grant": "1", ...ticket } });
      return Response.json({ message: "no" }, { status: given ? 401 : 403 });
    },
  });
  const CLUSTER = { idFromName: (name) => name, get: stub };
  export default {
    async fetch(request, env) {
      const clock = /^https?:\\/\\/[^/]+\\/clock\\/(due|ring)\\/(.*)/.exec(request.url);
      if (!clock) return worker.fetch(request, { ...env, CLUSTER });
      return Response.json(await env.REGISTRY.get(env.REGISTRY.idFromName(clock[2]))[clock[1]]());
    },
  };`;
const IMAGE = "application/vnd.oci.image.manifest.v1+json";

let miniflare: Miniflare;
beforeAll(async () => {
  const stdin = { contents: WORKER, resolveDir: import.meta.dirname };
  miniflare = await startWorker({ stdin }, { REGISTRY: "Registry" }, ["BUCKET"]);
});
afterAll(() => miniflare.dispose());

type Given = { headers?: Record<string, string>; body?: string; as?: string };
const login = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`;
/** As whom the path's cluster knows. */
async function ask(method: string, path: string, { headers, body, as }: Given = {}) {
  const [, cluster = "default"] = /^\/(?:v2\/)?clusters\/([^/]+)/.exec(path) ?? [];
  const authorization = as ?? login("anybody", `of-${cluster}`);
  const answer = await miniflare.dispatchFetch(`http://c${path}`, {
    method,
    headers: { authorization, ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
async function pushBlob(repository: string, text: string) {
  const { headers } = await ask("POST", `/v2/${repository}/blobs/uploads/`);
  return ask("PUT", `${headers.get("location")}?digest=${digestOf(text)}`, { body: text });
}
const pushManifest = (repository: string, reference: string, type = IMAGE) =>
  ask("PUT", `/v2/${repository}/manifests/${reference}`, {
    body: JSON.stringify({ schemaVersion: 2, annotations: { "<script>": "" } }),
    headers: { "content-type": type },
  });
const bucket = () => miniflare.getR2Bucket("BUCKET");

test("a browser shows nothing of what was pushed", async () => {
  expect((await pushBlob("web", "<script>alert(1)</script>")).status).toBe(201);
  expect((await pushManifest("web", "1", "text/html")).status).toBe(400);
  expect((await pushManifest("web", "1")).status).toBe(201);
  const paths = ["", "web/manifests/1", `web/blobs/${digestOf("<script>alert(1)</script>")}`, "web/tags/list", "no/no"];
  for (const path of paths)
    for (const method of ["GET", "HEAD"]) {
      const { headers } = await ask(method, `/v2/${path}`);
      expect([headers.get("content-security-policy"), headers.get("x-content-type-options")]).toEqual([
        "default-src 'none'; sandbox",
        "nosniff",
      ]);
    }
});

test("a login is of the cluster that its user names", async () => {
  const status = async (user: string, password: string) =>
    (await ask("GET", "/v2/", { as: login(user, password) })).status;
  expect(await status("clusters/shore/jane", "of-shore")).toBe(200);
  expect(await status("clusters/shore/jane", "of-default")).toBe(401);
  expect(await status("jane", "of-default")).toBe(200);
  for (const password of ["", "of-\ndefault"]) expect(await status("jane", password)).toBe(401);
});

test("a cluster's repositories have the same names in everything that clients say and hear", async () => {
  expect((await pushBlob("clusters/shore/team/base", "layer")).status).toBe(201);
  for (const name of ["one", "two"]) expect((await pushManifest(`clusters/shore/team/${name}`, "1")).status).toBe(201);
  const mount = `mount=${digestOf("layer")}&from=clusters/shore/team/base`;
  const mounted = await ask("POST", `/v2/clusters/shore/team/app/blobs/uploads/?${mount}`);
  expect([mounted.status, mounted.headers.get("location")]).toEqual([
    201,
    `/v2/clusters/shore/team/app/blobs/${digestOf("layer")}`,
  ]);
  const tags = await ask("GET", "/v2/clusters/shore/team/one/tags/list");
  expect(JSON.parse(tags.text)).toEqual({ name: "clusters/shore/team/one", tags: ["1"] });
  const first = await ask("GET", "/v2/clusters/shore/_catalog?n=1");
  expect(JSON.parse(first.text)).toEqual({ repositories: ["clusters/shore/team/one"] });
  const [, next = ""] = /^<(.*)>/.exec(first.headers.get("link") ?? "") ?? [];
  expect(JSON.parse((await ask("GET", next)).text)).toEqual({ repositories: ["clusters/shore/team/two"] });
});

test("with a blob there is a ticket for it where one is wanted", async () => {
  await pushBlob("ticket", "a layer for nodes");
  const ticket = async (text: string, headers: Record<string, string> = { "skerry-blob-ticket": "wanted" }) =>
    (await ask("HEAD", `/v2/ticket/blobs/${digestOf(text)}`, { headers })).headers.get("skerry-blob-ticket");
  expect(await ticket("a layer for nodes")).toBe("given");
  expect(await ticket("a layer for nodes", {})).toBeNull();
  expect(await ticket("a layer that is elsewhere")).toBeNull();
});

test("what the bucket has lost is mended by pushing it again", async () => {
  await pushBlob("mended", "a layer that is lost");
  const place = `/v2/mended/blobs/${digestOf("a layer that is lost")}`;
  expect((await ask("GET", place)).text).toBe("a layer that is lost");
  const { objects } = await (await bucket()).list({ prefix: "default/registry/" });
  await (await bucket()).delete(objects.map(({ key }) => key));
  expect((await pushBlob("mended", "a layer that is lost")).status).toBe(201);
  expect((await ask("GET", place)).text).toBe("a layer that is lost");
});

test("garbage is looked for where the object's own bytes lie, and nowhere else", async () => {
  const other = `default/registry/${"0".repeat(64)}/upload/chunk`;
  await (await bucket()).put(other, "another deployment's");
  await pushBlob("unneeded", "nobody needs it");
  const collected = await ask("POST", "/skerry/registry/collect?grace=0", { as: "Bearer of-default" });
  expect(JSON.parse(collected.text)).toMatchObject({ more: false });
  const { objects } = await (await bucket()).list({ prefix: "default/registry/" });
  expect(objects.map(({ key }) => key)).toContain(other);
  expect((await ask("GET", `/v2/unneeded/blobs/${digestOf("nobody needs it")}`)).status).toBe(404);
});

test("garbage is looked for a day after a push, as long as there may be some, and never where there is none", async () => {
  const clock = async (what: string) => JSON.parse((await ask("GET", `/clock/${what}/daily`)).text) as number | null;
  const hours = (at: number | null) => at && Math.round((at - Date.now()) / 3_600_000);
  expect(await clock("due")).toBeNull();
  await pushBlob("clusters/daily/app", "layer");
  expect(hours(await clock("due"))).toBe(25);
  // It is too young to be taken, and nobody needs it yet.
  expect(hours(await clock("ring"))).toBe(24);
  expect((await ask("GET", `/v2/clusters/daily/app/blobs/${digestOf("layer")}`)).text).toBe("layer");
  await ask("DELETE", `/v2/clusters/daily/app/blobs/${digestOf("layer")}`);
  await pushManifest("clusters/daily/app", "1");
  expect(await clock("ring")).toBeNull();
  expect((await ask("GET", "/v2/clusters/daily/app/manifests/1")).status).toBe(200);
});

test("garbage is left where it was told to be, and looked at again when it was told that", async () => {
  const as = "Bearer of-still";
  const told = async (method: string, query = "") =>
    ask(method, `/clusters/still/skerry/registry/clock${query}`, { as });
  const clock = async (name: string) => (await miniflare.dispatchFetch(`http://c/clock/${name}/still`)).json();
  expect((await ask("PUT", "/clusters/still/skerry/registry/clock?to=off", { as: "Bearer other" })).status).toBe(401);
  expect((await told("PUT", "?to=never")).status).toBe(400);
  expect((await told("GET")).text).toBe('{"byClock":"on"}');
  expect((await told("PUT", "?to=off")).text).toBe('{"byClock":"off"}');
  expect((await pushBlob("clusters/still/app", "layer")).status).toBe(201);
  expect([await clock("due"), await clock("ring")]).toEqual([null, null]);
  expect((await told("PUT", "?to=on")).status).toBe(200);
  expect(await clock("due")).toBeGreaterThan(Date.now());
});

test("a quota is set, told, kept and removed", async () => {
  const as = "Bearer of-default";
  const quotas = (method: string, query = "") => ask(method, `/skerry/registry/quotas${query}`, { as });
  expect((await ask("GET", "/skerry/registry/quotas", { as: "Bearer other" })).status).toBe(401);
  for (const query of ["?prefix=Bad&bytes=1", "?prefix=small", "?prefix=small&bytes=-1"])
    expect((await quotas("PUT", query)).status).toBe(400);
  const { text } = await quotas("PUT", "?prefix=small&bytes=10");
  expect(JSON.parse(text).items[1]).toEqual({ prefix: "small", bytes: 10, used: 0 });
  expect((await pushBlob("small/app", "123456")).status).toBe(201);
  const refused = await pushBlob("small/app", "78901");
  expect([refused.status, JSON.parse(refused.text).errors]).toEqual([
    403,
    [{ code: "DENIED", message: "quota exceeded: small is limited to 10 bytes" }],
  ]);
  expect((await pushBlob("smaller/app", "78901")).status).toBe(201);
  expect(JSON.parse((await quotas("GET")).text).items[1]).toEqual({ prefix: "small", bytes: 10, used: 6 });
  // What is called off leaves the bucket at once, what is removed when it is collected.
  const objects = async () => (await (await bucket()).list({ prefix: "default/registry/" })).objects.length;
  const before = await objects();
  for (const text of ["1234", "5678"]) {
    const location = (await ask("POST", "/v2/small/app/blobs/uploads/")).headers.get("location") ?? "";
    expect((await ask("PATCH", location, { body: text })).status).toBe(202);
    expect((await ask("DELETE", location)).status).toBe(204);
  }
  expect(await objects()).toBe(before);
  expect((await ask("DELETE", `/v2/small/app/blobs/${digestOf("123456")}`)).status).toBe(202);
  const used = async () => JSON.parse((await quotas("GET")).text).items[1].used;
  expect(await used()).toBe(6);
  expect((await ask("POST", "/skerry/registry/collect", { as })).status).toBe(200);
  expect(await used()).toBe(0);
  expect((await quotas("DELETE", "?prefix=small")).status).toBe(200);
  expect((await quotas("DELETE", "?prefix=small")).status).toBe(404);
  expect((await pushBlob("small/app", "78901")).status).toBe(201);
});
