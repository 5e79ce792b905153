import { beforeEach, describe, expect, test } from "vitest";
import type { Runtime } from "../runtime.ts";
import type { Credential } from "./keyring.ts";
import { Pulls } from "./pulls.ts";
import { settle, TestClock, TestRuntime } from "./testing/model.ts";

const credential = (username: string): Credential => ({ username, password: "p", hash: username });
const nothing = { onProgress: () => {} };

let clock: TestClock;
let runtime: TestRuntime;
let pulls: Pulls;

const make = (parallel: number) => {
  clock = new TestClock();
  runtime = new TestRuntime();
  const limits = { parallel, progressDeadlineMs: 300_000 };
  pulls = new Pulls({ runtime: runtime as unknown as Runtime, effects: clock, limits });
};
beforeEach(() => make(1));

const under = () => runtime.pulls.map(({ image }) => image);

describe("pulls", () => {
  test("are shared by those who want the same image with the same credentials", async () => {
    const both = [pulls.pull("a:1", [], nothing), pulls.pull("a:1", [], nothing)];
    await settle();
    expect(under()).toEqual(["a:1"]);
    runtime.pulls[0]?.finish();
    expect(await Promise.all(both)).toEqual([{ tookMs: 0 }, { tookMs: 0 }]);
    expect(runtime.pulled).toBe(1);
  });

  test("are not shared with those who have other credentials", async () => {
    make(2);
    const both = [pulls.pull("a:1", [credential("u")], nothing), pulls.pull("a:1", [], nothing)];
    await settle();
    expect(runtime.pulls.map(({ user }) => user)).toEqual(["u", undefined]);
    for (const pull of [...runtime.pulls]) pull.finish();
    expect((await Promise.all(both))[0]?.credential?.username).toBe("u");
  });

  test("go one after the other, and each is timed from its turn", async () => {
    const a = pulls.pull("a:1", [], nothing);
    const b = pulls.pull("b:1", [], nothing);
    await clock.advance(5_000);
    expect(under()).toEqual(["a:1"]);
    runtime.pulls[0]?.finish();
    expect((await a).tookMs).toBe(5_000);
    await clock.advance(2_000);
    runtime.pulls[0]?.finish();
    expect((await b).tookMs).toBe(2_000);
  });

  test("go in parallel up to a number", async () => {
    make(2);
    const all = ["a:1", "b:1", "c:1"].map((image) => pulls.pull(image, [], nothing));
    await settle();
    expect(under()).toEqual(["a:1", "b:1"]);
    runtime.pulls[0]?.finish();
    await settle();
    expect(under()).toEqual(["b:1", "c:1"]);
    for (const pull of [...runtime.pulls]) pull.finish();
    await Promise.all(all);
  });

  test("try credentials in turn", async () => {
    const pulled = pulls.pull("a:1", [credential("u"), credential("v")], nothing);
    await settle();
    runtime.pulls[0]?.fail("authorization failed");
    await settle();
    runtime.pulls[0]?.finish();
    expect((await pulled).credential?.username).toBe("v");
  });

  test("tell each credential's failure, and the same words once", async () => {
    const wrapped = (cause: string) => `failed to pull and unpack image "docker.io/library/a:1": ${cause}`;
    for (const [second, message] of [
      ["denied", wrapped("denied")],
      ["other", `[${wrapped("denied")}, ${wrapped("other")}]`],
    ] as const) {
      const pulled = pulls.pull("a:1", [credential("u"), credential("v")], nothing);
      await settle();
      runtime.pulls[0]?.fail("denied");
      await settle();
      runtime.pulls[0]?.fail(second);
      await expect(pulled).rejects.toThrow(message);
    }
  });
});

describe("a pull that nobody waits for any more", () => {
  test("is given up, and leaves its turn to the next", async () => {
    const leaving = new AbortController();
    const a = pulls.pull("a:1", [], nothing, leaving.signal);
    const b = pulls.pull("b:1", [], nothing);
    await settle();
    leaving.abort(new Error("gone"));
    await expect(a).rejects.toThrow("gone");
    await settle();
    expect(under()).toEqual(["b:1"]);
    runtime.pulls[0]?.finish();
    await b;
  });

  test("goes on for the others", async () => {
    const leaving = new AbortController();
    const a = pulls.pull("a:1", [], nothing, leaving.signal);
    const b = pulls.pull("a:1", [], nothing);
    await settle();
    leaving.abort(new Error("gone"));
    await expect(a).rejects.toThrow("gone");
    runtime.pulls[0]?.finish();
    await b;
  });

  test("never begins when it had no turn yet", async () => {
    const leaving = new AbortController();
    const a = pulls.pull("a:1", [], nothing);
    const b = pulls.pull("b:1", [], nothing, leaving.signal);
    await settle();
    leaving.abort(new Error("gone"));
    await expect(b).rejects.toThrow("gone");
    runtime.pulls[0]?.finish();
    await a;
    await settle();
    expect(under()).toEqual([]);
  });

  test("is begun anew for who comes later", async () => {
    const leaving = new AbortController();
    const a = pulls.pull("a:1", [], nothing, leaving.signal);
    await settle();
    leaving.abort(new Error("gone"));
    await expect(a).rejects.toThrow("gone");
    const again = pulls.pull("a:1", [], nothing);
    await settle();
    runtime.pulls[0]?.finish();
    await again;
  });
});

describe("a pull is watched", () => {
  const come = (bytes: number, totalBytes = 100) => {
    runtime.progress = { bytes, totalBytes, mark: `${bytes}` };
  };

  test("and tells how far it has come, every ten seconds", async () => {
    const told: number[] = [];
    const pulled = pulls.pull("a:1", [], { onProgress: ({ bytes }) => told.push(bytes) });
    for (const bytes of [10, 20]) {
      come(bytes);
      await clock.advance(10_000);
    }
    runtime.pulls[0]?.finish();
    await pulled;
    await clock.advance(60_000);
    expect(told).toEqual([10, 20]);
  });

  test("and lets others have its turn while nothing comes", async () => {
    come(0, 0);
    const a = pulls.pull("a:1", [], nothing);
    const b = pulls.pull("b:1", [], nothing);
    await clock.advance(40_000);
    expect(under()).toEqual(["a:1", "b:1"]);
    for (const pull of [...runtime.pulls]) pull.finish();
    await Promise.all([a, b]);
  });

  test("and given up when nothing has come for long", async () => {
    come(10);
    const pulled = pulls.pull("a:1", [], nothing);
    const failed = expect(pulled).rejects.toThrow(
      'rpc error: code = Canceled desc = failed to pull and unpack image "docker.io/library/a:1": no progress in 5m0s: context canceled',
    );
    await clock.advance(290_000);
    expect(under()).toEqual(["a:1"]);
    await clock.advance(30_000);
    await failed;
    expect(under()).toEqual([]);
  });

  test("but not while what has come is unpacked", async () => {
    come(100);
    const pulled = pulls.pull("a:1", [], nothing);
    await clock.advance(3_600_000);
    runtime.pulls[0]?.finish();
    await pulled;
  });
});
