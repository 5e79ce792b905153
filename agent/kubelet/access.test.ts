import { expect, test } from "vitest";
import type { Json } from "../../worker/protocol/link.ts";
import type { Reply } from "../link.ts";
import { Access, subresourcesOf } from "./access.ts";

test.each([
  ["/pods", ["pods", "proxy"]],
  ["/pods/", ["pods", "proxy"]],
  ["/podsandmore", ["proxy"]],
  ["/runningpods/", ["pods", "proxy"]],
  ["/healthz/ping", ["healthz", "proxy"]],
  ["/configz", ["configz", "proxy"]],
  ["/stats/summary", ["stats"]],
  ["/metrics/cadvisor", ["metrics"]],
  ["/metricsandmore", ["proxy"]],
  ["/logs/dpkg.log", ["log"]],
  ["/checkpoint/a/b/c", ["checkpoint"]],
  ["/containerLogs/a/b/c", ["proxy"]],
])("%s takes the right to %j", (path, subresources) => {
  expect(subresourcesOf(path)).toEqual(subresources);
});

/** A cluster in which the token `good` is that of jane, who may do what `allowed` says. */
function prepared(allowed: readonly string[] = []) {
  let now = 0;
  const asked: string[] = [];
  const api = async (_: string, path: string, body?: unknown): Promise<Reply> => {
    const { spec } = body as { spec: { token?: string; user?: string; resourceAttributes?: Record<string, string> } };
    if (path.endsWith("/tokenreviews")) {
      asked.push(`who is ${spec.token}`);
      const user = { username: "jane", uid: "1", groups: ["devs"] };
      const status: Json = spec.token === "good" ? { authenticated: true, user } : { authenticated: false };
      return { code: 201, body: { status } };
    }
    const { verb, subresource, name } = spec.resourceAttributes ?? {};
    asked.push(`may ${spec.user} ${verb} ${name}/${subresource}`);
    return { code: 201, body: { status: { allowed: allowed.includes(subresource ?? "") } } };
  };
  const access = new Access({ node: "n", api, now: () => now });
  return { access, asked, pass: (ms: number) => (now += ms) };
}

const stranger = { authorized: false, getPeerCertificate: () => ({}) } as never;

test("who comes with a token is asked after once in two minutes", async () => {
  const { access, asked, pass } = prepared();
  const jane = { name: "jane", uid: "1", groups: ["devs"] };
  expect(await access.identify(stranger, "Bearer good")).toEqual(jane);
  expect(await access.identify(stranger, "bearer good")).toEqual(jane);
  expect(asked).toEqual(["who is good"]);
  pass(120_000);
  expect(await access.identify(stranger, "Bearer good")).toEqual(jane);
  expect(asked).toHaveLength(2);
});

test("nobody comes without a token, with a bad one, or by a password", async () => {
  const { access, asked } = prepared();
  for (const header of [undefined, "", "Basic good", "Bearer bad", "Bearer"])
    expect(await access.identify(stranger, header)).toBeUndefined();
  expect(asked).toEqual(["who is bad"]);
});

test("a certificate that the cluster signed says who comes, and which groups are theirs", async () => {
  const { access } = prepared();
  const shown = (authorized: boolean, subject: object) =>
    access.identify({ authorized, getPeerCertificate: () => ({ subject }) } as never);
  expect(await shown(true, { CN: "jane", O: ["devs", "ops"] })).toEqual({
    name: "jane",
    groups: ["devs", "ops", "system:authenticated"],
  });
  expect(await shown(false, { CN: "jane", O: "system:masters" })).toBeUndefined();
  expect(await shown(true, { O: "system:masters" })).toBeUndefined();
});

test("one right of several is enough, and what was decided holds a while", async () => {
  const { access, asked, pass } = prepared(["proxy"]);
  const jane = { name: "jane", groups: [] };
  expect(await access.allows(jane, "GET", ["pods", "proxy"])).toBe(true);
  expect(asked).toEqual(["may jane get n/pods", "may jane get n/proxy"]);
  expect(await access.allows(jane, "GET", ["pods", "proxy"])).toBe(true);
  expect(asked).toHaveLength(2);
  pass(30_000);
  expect(await access.allows(jane, "GET", ["pods", "proxy"])).toBe(true);
  expect(asked.slice(2)).toEqual(["may jane get n/pods"]);
  expect(await access.allows(jane, "POST", ["stats"])).toBe(false);
});

test("while the cluster cannot be asked, nobody is let in", async () => {
  const access = new Access({ node: "n", api: () => Promise.reject(new Error("offline")), now: () => 0 });
  await expect(access.identify(stranger, "Bearer good")).rejects.toThrow("offline");
  await expect(access.allows({ name: "jane", groups: [] }, "GET", ["stats"])).rejects.toThrow("offline");
});

test("made-up tokens keep the cluster busy for no more than a part of each minute", async () => {
  const { access, asked, pass } = prepared();
  for (let n = 0; n < 300; n++) expect(await access.identify(stranger, `Bearer bad-${n}`)).toBeUndefined();
  await expect(access.identify(stranger, "Bearer good")).rejects.toThrow("too many");
  expect(asked).toHaveLength(300);
  pass(60_000);
  expect(await access.identify(stranger, "Bearer good")).toMatchObject({ name: "jane" });
});
