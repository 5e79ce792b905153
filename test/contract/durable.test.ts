import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker } from "./miniflare.ts";
import { STORE_CONTRACT } from "./store.ts";

let miniflare: Miniflare;

beforeAll(async () => {
  miniflare = await startWorker({ entryPoints: [join(import.meta.dirname, "durable-worker.ts")] }, { CASES: "Case" });
});

afterAll(() => miniflare.dispose());

describe("a store in a Durable Object", () => {
  test.each(STORE_CONTRACT)("$name", async ({ name }) => {
    const response = await miniflare.dispatchFetch("http://contract", { method: "POST", body: name });
    expect(await response.text()).toBe("passed");
  });
});
