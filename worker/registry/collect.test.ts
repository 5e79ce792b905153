import { expect, test } from "vitest";
import { GRANT_HEADER } from "../lib/internal-headers.ts";
import type { Ask } from "./ask.ts";
import { openCollect } from "./collect.ts";
import { Garbage } from "./garbage.ts";
import { factsInMemory } from "./testing/facts.ts";

test("one request looks after a bounded number of folders, of its own object's, and says whether there are more", async () => {
  const now = () => 0;
  const { sql, facts } = factsInMemory(now);
  const parts = { facts, garbage: new Garbage({ sql, now }) };
  const ask = (async (name: keyof Garbage, ...given: never[]) =>
    (parts.garbage[name] as (...given: never[]) => unknown)(...given)) as Ask;
  const files = new Set(["c/registry/another/1/0"]);
  for (let count = 0; count < 350; count++) {
    const id = parts.facts.open("app");
    parts.facts.append("app", id, { chunk: { start: 0, size: 5, name: "0" }, hash: "" });
    for (const name of ["0", "stray"]) files.add(`c/registry/own/${id}/${name}`);
    // Some are whole, the others are left.
    if (count % 2) parts.facts.complete("app", id, { digest: `sha256:${count}`, size: 5 });
  }
  const bucket = {
    async list(folder: string) {
      const below = [...files].flatMap((key) => (key.startsWith(`${folder}/`) ? key.slice(folder.length + 1) : []));
      const names = (isFolder: boolean) => [
        ...new Set(below.flatMap((key) => (key.includes("/") === isFolder ? (key.split("/")[0] ?? []) : []))),
      ];
      return { files: names(false), folders: names(true) };
    },
    async remove(keys: readonly string[]) {
      for (const key of keys) files.delete(key);
    },
  };
  const cluster = { fetch: async () => Response.json({ used: [] }, { headers: { [GRANT_HEADER]: "1" } }) };
  const given = { clusterName: "c", cluster, bucket, folder: "c/registry/own", ask, now } as never;
  const collect = async (grace: number) => (await openCollect(new Request(`https://c/?grace=${grace}`), given)).json();

  // Nothing is old enough, but for what lies in folders that are whole and was never told.
  expect(await collect(3600)).toEqual({ manifests: 0, blobs: 0, uploads: 0, bytes: 0, more: false });
  expect(files.size).toBe(1 + 2 * 350 - 175);
  expect(await collect(0)).toEqual({ manifests: 0, blobs: 175, uploads: 175, bytes: 1750, more: true });
  expect((await bucket.list("c/registry/own")).folders).toHaveLength(50);
  expect(await collect(0)).toEqual({ manifests: 0, blobs: 0, uploads: 0, bytes: 0, more: false });
  expect([...files]).toEqual(["c/registry/another/1/0"]);
});
