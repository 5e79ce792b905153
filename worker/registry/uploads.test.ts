import { beforeEach, expect, test } from "vitest";
import { migrate } from "../storage/migrate.ts";
import { nodeSql } from "../storage/node-sql.ts";
import { Facts } from "./facts.ts";
import { Quotas } from "./quotas.ts";
import { REGISTRY_MIGRATIONS } from "./tables.ts";
import { appendBody, CHUNK_BYTES, type Store } from "./uploads.ts";

let now = 0;
let sizes: number[];
let store: Store;
let facts: Facts;
beforeEach(() => {
  sizes = [];
  now += 3_600_000;
  let uids = 0;
  const uid = () => `${++uids}`;
  const sql = nodeSql(":memory:");
  migrate(sql, REGISTRY_MIGRATIONS);
  const quotas = new Quotas(sql);
  facts = new Facts({ sql, now: () => now, uid, quotas });
  const bucket = { put: async (_: string, bytes: Uint8Array) => void sizes.push(bytes.length) };
  const ask = async (name: "append", ...given: Parameters<Facts["append"]>) =>
    name === "append" ? facts.append(...given) : undefined;
  store = { bucket, folder: "f", ask, now: () => now, uid } as unknown as Store;
});

const append = (body: AsyncIterable<Uint8Array>, length = 0) =>
  appendBody(store, { repository: "app", id: facts.open("app"), upload: { size: 0, hash: "" } }, { body, length });

async function* pieces(...lengths: number[]) {
  for (const length of lengths) yield new Uint8Array(length);
}

/** Sends one byte, and waits then. */
function slow() {
  const { promise, resolve: end } = Promise.withResolvers<void>();
  async function* body() {
    yield new Uint8Array(1);
    await promise;
  }
  return { done: append(body()), end };
}
const turn = () => new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));

test("what comes is put chunk by chunk", async () => {
  expect(await append(pieces(CHUNK_BYTES - 1, 3, CHUNK_BYTES))).toMatchObject({ size: 2 * CHUNK_BYTES + 2 });
  expect(sizes).toEqual([CHUNK_BYTES, CHUNK_BYTES, 2]);
});

test("what is held at once is bounded; what is small, over or silent takes no place", async () => {
  const held: ReturnType<typeof slow>[] = [];
  const refusal = async () => {
    for (;;) {
      const next = slow();
      const refused = await Promise.race([next.done.catch((error) => error.answer() as Response), turn()]);
      if (refused) return refused as Response;
      held.push(next);
    }
  };
  const refused = await refusal();
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  // All layers of a large image may come at once.
  expect(held.length).toBeGreaterThan(20);
  expect(held.length).toBeLessThan(100);

  const [first] = held;
  first?.end();
  await first?.done;
  sizes = [];
  // Said to be small it needs little.
  await Promise.all(Array.from({ length: 50 }, () => append(pieces(9, 1), 10)));
  await append(pieces(CHUNK_BYTES));
  expect(sizes.slice(50).length).toBeGreaterThan(1);

  await refusal();
  now += 61_000;
  sizes = [];
  await append(pieces(CHUNK_BYTES));
  expect(sizes).toEqual([CHUNK_BYTES]);
  for (const { end } of held) end();
  await Promise.all(held.map(({ done }) => done));
});
