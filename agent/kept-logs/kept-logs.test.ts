import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { LogWriter } from "../pods/log-writer.ts";
import type { PodMemory } from "../pods/memory.ts";
import { KeptLogs, type KeptPod } from "./kept-logs.ts";

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true });
});

class Killed extends Error {}

/** A node with one pod, and the control plane's side of it. */
class World {
  readonly home = mkdtempSync(join(tmpdir(), "skerry-kept-logs-"));
  readonly #folder = join(this.home, "containers");
  readonly portions = new Map<string, string>();
  readonly told: string[] = [];
  readonly logged: string[] = [];
  grants = 0;
  /** How the next requests end, of those that are sent as they should: one that is lost may have arrived. */
  fates: ("refused" | "lost" | "arrived, lost" | number)[] = [];
  grantCode = 200;
  now = Date.UTC(2026, 10, 27);
  pod: KeptPod | undefined;
  readonly mirrors = new Map<string, KeptPod["pod"]>();
  kept = this.#agent();
  #writer: LogWriter | undefined;

  constructor() {
    homes.push(this.home);
  }

  #agent(): KeptLogs {
    const kept = new KeptLogs({
      home: this.home,
      now: () => this.now,
      timers: { after: () => () => {}, sleep: () => new Promise(() => {}) },
      send: async (method, path, { bytes, token }) => {
        const answer = (code: number, body: Record<string, unknown> = {}) => ({
          code,
          body,
          text: JSON.stringify(body),
        });
        if (method === "POST") {
          this.grants++;
          return answer(this.grantCode, this.grantCode === 200 ? { grant: `grant ${this.grants}` } : { message: "no" });
        }
        const fate = this.fates.shift();
        if (typeof fate === "number") return answer(fate);
        if (fate === "lost") throw new Killed();
        if (fate === "refused" || !token?.startsWith("grant")) return answer(401);
        this.portions.set(path.split("?")[0] ?? "", gunzipSync(bytes ?? new Uint8Array()).toString());
        if (fate === "arrived, lost") throw new Killed();
        return answer(200);
      },
      log: (message) => this.logged.push(message),
    });
    kept.start({
      pods: () => (this.pod ? [this.pod] : []),
      mirrors: () => this.mirrors,
      tell: (_, message) => this.told.push(message),
    });
    return kept;
  }

  /** Killed, and started again: what is on disk is all that it knows. */
  restart(): void {
    this.kept.stop();
    this.kept = this.#agent();
  }

  run(id: string, number = 0, annotations: Record<string, string> = { "skerry.dev/keep-logs": "7d" }): void {
    const logPath = join(this.#folder, id, `${id}-json.log`);
    mkdirSync(join(this.#folder, id), { recursive: true });
    this.#writer = new LogWriter(logPath, { maxBytes: 2000, maxFiles: 3 }, () => this.now);
    const current = { id, number, sandbox: "", image: "", imageID: "", imageName: "", startedAt: 0, logPath };
    const memory = { uid: "uid", namespace: "shop", name: "web", containers: { c: { current } } };
    const metadata = { name: "web", namespace: "shop", annotations };
    this.pod = { pod: { metadata, spec: { containers: [] } }, memory: memory as unknown as PodMemory };
  }

  print(text: string): void {
    this.now += 1;
    this.#writer?.write("stdout", Buffer.from(text));
  }

  async removed(id: string): Promise<void> {
    if (this.pod) await this.kept.removing(this.pod, [id]);
    rmSync(join(this.#folder, id), { recursive: true });
    this.pod = undefined;
  }

  /** All that has arrived, in the order of its numbers. */
  text(): string {
    const number = (path: string) => Number(path.slice(path.lastIndexOf("/") + 1));
    const paths = [...this.portions.keys()].toSorted((a, b) => number(a) - number(b));
    const lines = paths.flatMap((path) => (this.portions.get(path) ?? "").trimEnd().split("\n"));
    return lines.map((line) => (JSON.parse(line) as { log: string }).log).join("");
  }

  get left(): string[] {
    const folder = join(this.home, "kept-logs");
    return existsSync(folder) ? readdirSync(folder) : [];
  }
}

test("a portion goes when it is a minute old, or its container has ended; what is sent stays sent over a restart", async () => {
  const world = new World();
  world.run("a");
  world.print("one\n");
  await world.kept.look();
  expect(world.portions.size).toBe(0);
  expect(world.grants).toBe(1); // asked for at once, while the pod is there
  world.now += 60_000;
  await world.kept.look();
  expect([...world.portions.keys()]).toEqual(["/skerry/logs/shop/web/uid/c/0/0"]);
  world.restart();
  world.print("two\n");
  await world.kept.look();
  expect(world.text()).toBe("one\n");
  await world.removed("a");
  await world.kept.look();
  expect(world.text()).toBe("one\ntwo\n");
  await world.kept.look();
  expect(world.left).toEqual([]);
  expect(world.grants).toBe(1);
});

test("what printed and was removed between two looks is kept too, with the leave that was asked for before it went", async () => {
  const world = new World();
  world.run("a", 3);
  world.print("short\n");
  await world.removed("a");
  world.grantCode = 404;
  world.restart();
  await world.kept.look();
  expect([...world.portions]).toMatchObject([["/skerry/logs/shop/web/uid/c/3/0", expect.stringContaining("short")]]);
});

test.each([401, 429, 503])("an answer of %d is none: it is asked again for what is gone by then", async (code) => {
  const world = new World();
  world.run("a");
  world.print("one\n");
  world.grantCode = code;
  await world.removed("a");
  await world.kept.look();
  world.grantCode = 200;
  world.now += 600_001;
  await world.kept.look();
  expect(world.text()).toBe("one\n");
});

test("a pod that says nothing is let be; where nothing is kept the pod is told why, once in a while", async () => {
  const world = new World();
  world.run("a", 0, {});
  world.print("one\n");
  await world.kept.look();
  await world.removed("a");
  expect([world.grants, world.left]).toEqual([0, []]);
  world.run("b");
  world.print("one\n");
  world.grantCode = 404;
  await world.kept.look();
  await world.kept.look();
  expect([world.grants, world.told]).toEqual([1, ["logs are not kept: no"]]);
  world.now += 600_001;
  world.grantCode = 200;
  await world.kept.look();
  expect(world.text()).toBe("one\n");
});

test("a portion that will never be taken is left out; what is refused otherwise is tried again, and stops no other log", async () => {
  const world = new World();
  world.run("a");
  world.print("too large\n");
  await world.removed("a");
  world.run("b");
  world.print("forbidden\n");
  await world.removed("b");
  world.run("c");
  world.print("well\n");
  await world.removed("c");
  world.fates.push(413, 403);
  await world.kept.look();
  expect(world.text()).toBe("well\n");
  expect(world.logged).toEqual([
    expect.stringMatching(/^some of what a printed is not kept: 413/),
    expect.stringMatching(/^what b prints is not sent: 403/),
  ]);
  expect(world.left.filter((name) => name.endsWith(".json"))).toEqual(["b.json"]);
  await world.kept.look();
  expect(world.left).not.toEqual([]);
  world.now += 600_001;
  await world.kept.look();
  expect(world.left).toEqual([]);
  expect([...world.portions.values()].filter((lines) => lines.includes("forbidden"))).toHaveLength(1);
});

test("where the control plane does not answer, the other logs wait too", async () => {
  const world = new World();
  for (const id of ["a", "b"]) {
    world.run(id);
    world.print(`${id}\n`);
    await world.removed(id);
  }
  world.fates.push(503);
  await world.kept.look();
  expect([world.portions.size, world.logged]).toEqual([0, [expect.stringMatching(/^logs are not sent: 503/)]]);
});

test("however requests end and agents are killed, each line arrives once, in order, unless it turned over before it was sent", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ print: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 3, arbitrary: fc.constant("look" as const) },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
    { weight: 2, arbitrary: fc.constantFrom("refused" as const, "lost" as const, "arrived, lost" as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      world.run("a");
      let printed = 0;
      for (const what of steps) {
        if (typeof what === "object") for (let i = 0; i < what.print; i++) world.print(`line ${printed++}\n`);
        else if (what === "restart") world.restart();
        else if (what !== "look") world.fates.push(what);
        else {
          world.now += 60_000;
          await world.kept.look();
        }
      }
      world.fates = [];
      await world.removed("a");
      for (let tries = 0; tries < 3; tries++) {
        world.now += 700_000;
        await world.kept.look();
      }
      const numbers = [...world.text().matchAll(/line (\d+)\n/g)].map(([, number]) => Number(number));
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      // Three files of 2,000 bytes: so many lines are still there however long nothing could be sent.
      const expected = printed <= 20 ? Array.from({ length: printed }, (_, i) => i) : numbers;
      expect(numbers).toEqual(expected);
      expect(world.left).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test("of a static pod it goes by what stands for it in the API, which says whether it is kept and is another each time", async () => {
  const world = new World();
  const mirror = (uid: string, annotations = {}) => {
    const metadata = { name: "web", namespace: "shop", uid, annotations };
    world.mirrors.set("uid", { metadata, spec: { containers: [] } });
  };
  const runOnce = async (id: string, text: string) => {
    world.run(id, 0, { "kubernetes.io/config.source": "file" });
    world.print(text);
    world.now += 60_000;
    await world.kept.look();
  };
  await runOnce("a", "unheard of\n");
  expect([world.portions.size, world.left]).toEqual([0, []]);
  mirror("first", { "skerry.dev/keep-logs": "7d" });
  await world.kept.look();
  world.print("last\n");
  world.mirrors.clear();
  await world.removed("a");
  await world.kept.look();
  expect(world.text()).toBe("unheard of\nlast\n");
  mirror("second", { "skerry.dev/keep-logs": "7d" });
  await runOnce("b", "again\n");
  mirror("third");
  await runOnce("c", "not kept\n");
  expect([...world.portions.keys()]).toEqual([
    "/skerry/logs/shop/web/first/c/0/0",
    "/skerry/logs/shop/web/first/c/0/1",
    "/skerry/logs/shop/web/second/c/0/0",
  ]);
});
