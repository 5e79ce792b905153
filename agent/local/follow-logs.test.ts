import { expect, test } from "vitest";
import type { Pod } from "../../worker/lib/facts/objects.ts";
import { type From, followLogs, type LogSource, type PodEvent } from "./follow-logs.ts";
import { HttpError } from "./http.ts";

type State = "waiting" | "running" | "terminated";

const podIn = (state: State, restartCount = 0): Pod =>
  ({
    metadata: { name: "web", uid: "1" },
    spec: { containers: [{ name: "c", image: "" }] },
    status: { containerStatuses: [{ name: "c", restartCount, state: { [state]: {} } }] },
  }) as unknown as Pod;

const refusal = (code: number) => new HttpError("GET", "/x", { code, body: { message: `code ${code}` }, text: "" });
const at = (second: number, line: string) => `2026-01-01T00:00:0${second}Z ${line}\n`;

/** What is told until it ends, or breaks. */
class Feed<T> {
  readonly #told: T[] = [];
  #end?: { error?: Error };
  #wake = () => {};

  tell(...told: T[]): void {
    this.#told.push(...told);
    this.#wake();
  }
  end(error?: Error): void {
    this.#end = { error };
    this.#wake();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#told.length > 0) yield this.#told.shift() as T;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A server: each connection is a feed, or is refused; sleeping takes until it is woken. */
function setup(pods: Pod[], answers: Error[] = []) {
  const watches: Feed<PodEvent>[] = [];
  const reads: { from: From; feed: Feed<Uint8Array> }[] = [];
  const [lines, failed, sleepers]: [string[], string[], (() => void)[]] = [[], [], []];
  const slept: number[] = [];
  const over = followLogs(pods, {
    watched: () => {
      const feed = new Feed<PodEvent>();
      watches.push(feed);
      return feed;
    },
    sourcesOf: (): LogSource[] => [{ pod: "web", container: "c", name: "web" }],
    open: async (_, from) => {
      const answer = answers.shift();
      if (answer) throw answer;
      const feed = new Feed<Uint8Array>();
      reads.push({ from, feed });
      return feed;
    },
    take: (_, __, line) => lines.push(line),
    failed: (words) => failed.push(words),
    sleep: (ms) => {
      slept.push(ms);
      return new Promise((resolve) => sleepers.push(resolve));
    },
  });
  return {
    over,
    lines,
    failed,
    reads,
    watches,
    slept,
    async is(state: State, restartCount = 0) {
      watches.at(-1)?.tell({ type: "MODIFIED", object: podIn(state, restartCount) });
      await settled();
    },
    async prints(...texts: string[]) {
      reads.at(-1)?.feed.tell(...texts.map((text) => Buffer.from(text)));
      await settled();
    },
    async breaks(error?: Error) {
      reads.at(-1)?.feed.end(error);
      await settled();
    },
    async wakes() {
      for (const wake of sleepers.splice(0)) wake();
      await settled();
    },
  };
}

const settled = async () => {
  for (let n = 0; n < 100; n++) await Promise.resolve();
};

test("a connection that ends while the container runs is opened again from its last line, each line once", async () => {
  const server = setup([podIn("running")]);
  await server.is("running");
  await server.prints(at(1, "one"), at(2, "two"), at(2, "three"));
  await server.breaks();
  await server.wakes();
  await server.prints(at(2, "two"), at(2, "three"), at(2, "four"), at(3, "five"));
  await server.breaks(new Error("aborted"));
  await server.wakes();
  await server.prints(at(3, "five"), at(4, "six"));
  expect(server.lines).toEqual(["one", "two", "three", "four", "five", "six"]);
  const times = [{ time: "2026-01-01T00:00:02Z" }, { time: "2026-01-01T00:00:03Z" }];
  expect(server.reads.map(({ from }) => from)).toEqual(["as asked", ...times]);
  expect(server.failed).toEqual(["web: aborted"]);
});

test("of a container that has ended all is read, once; started again, it goes on", async () => {
  const server = setup([podIn("running")]);
  await server.is("running");
  await server.prints(at(1, "one"));
  await server.breaks();
  await server.is("terminated");
  await server.wakes();
  await server.prints(at(1, "one"), at(2, "last words"));
  await server.breaks();
  await server.wakes();
  await server.is("terminated");
  expect(server.reads).toHaveLength(2);
  await server.is("running", 1);
  await server.prints(at(3, "again"));
  expect(server.lines).toEqual(["one", "last words", "again"]);
});

test("what starts after the beginning is read whole, also while the first watch is open", async () => {
  const server = setup([podIn("waiting")]);
  await server.is("waiting");
  expect(server.reads).toEqual([]);
  await server.is("running");
  expect(server.reads.map(({ from }) => from)).toEqual(["the beginning"]);
  const restarted = setup([podIn("running", 3)]);
  await restarted.is("running", 3);
  await restarted.breaks();
  await restarted.is("running", 4);
  await restarted.wakes();
  expect(restarted.reads.map(({ from }) => from)).toEqual(["as asked", "the beginning"]);
});

test("a watch that fails is opened again, later and later; one that is refused ends it", async () => {
  const server = setup([]);
  await settled();
  for (const words of ["no answer", "no answer", "other words"]) {
    server.watches.at(-1)?.end(new Error(words));
    await settled();
    await server.wakes();
  }
  expect([server.slept, server.failed]).toEqual([
    [1_000, 2_000, 4_000],
    ["no answer: trying again", "other words: trying again"],
  ]);
  await server.is("running");
  expect(server.reads).toHaveLength(1);
  server.watches.at(-1)?.end(refusal(403));
  await expect(server.over).rejects.toThrow("code 403");
});

test("a log that may not be read is told once, that of a pod that is gone not at all", async () => {
  const refused = setup([podIn("running")], [refusal(403)]);
  await refused.is("running");
  await refused.is("running");
  expect([refused.failed, refused.slept]).toEqual([["web: GET /x: 403 code 403"], []]);
  const gone = setup([podIn("running")], [refusal(404)]);
  await gone.is("running");
  expect([gone.failed, gone.slept]).toEqual([[], []]);
  const away = setup([podIn("running")], [refusal(503), refusal(503)]);
  await away.is("running");
  await away.wakes();
  await away.wakes();
  expect([away.failed, away.slept, away.reads.length]).toEqual([["web: GET /x: 503 code 503"], [1_000, 2_000], 1]);
});
