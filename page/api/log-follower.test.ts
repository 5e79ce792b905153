import { expect, test } from "vitest";
import { type Client, StatusError } from "./client.ts";
import { LogFollower, type Source } from "./log-follower.ts";

const source = (pod: string): Source => ({ namespace: "default", pod, container: "main" });
const at = (second: number, text: string) => `2026-01-01T00:00:0${second}.5Z ${text}\n`;

type Answer = readonly string[] | Error;

/** Each time a log is asked for, the next answer; then streams that stay open. */
function setup(answers: Answer[], refusal?: StatusError) {
  const asked: string[] = [];
  const lines: string[] = [];
  const told: string[] = [];
  const client = {
    fetch: async () => {
      if (refusal) throw refusal;
    },
    messages: async function* (path: string, signal: AbortSignal) {
      asked.push(path);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      if (answer) return yield* answer;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  } as unknown as Client;
  const follower = new LogFollower({
    client,
    previous: false,
    sleep: async () => {},
    take: ({ pod }, line) => lines.push(`${pod}: ${line}`),
    tell: (_, why) => {
      if (told.at(-1) !== why) told.push(why);
    },
  });
  return { follower, asked, lines, told };
}

const settled = async () => {
  for (let n = 0; n < 200; n++) await Promise.resolve();
};

test("a stream that ends is followed on from its last line, which does not come twice", async () => {
  const { follower, asked, lines } = setup([
    [at(1, "one"), at(2, "two").slice(0, 30), at(2, "two").slice(30)],
    [at(2, "two") + at(3, "three")],
  ]);
  follower.want([source("a")]);
  await settled();
  expect(lines).toEqual(["a: one", "a: two", "a: three"]);
  expect(asked[1]).toContain("sinceTime=2026-01-01T00%3A00%3A02.5Z");
  follower.stop();
});

test("pods that come are followed too, those that stay are not asked for again", async () => {
  const { follower, asked } = setup([]);
  follower.want([source("a")]);
  await settled();
  follower.want([source("a"), source("b")]);
  await settled();
  follower.want([source("b")]);
  await settled();
  expect(asked.map((path) => /pods\/(\w+)/.exec(path)?.[1])).toEqual(["a", "b"]);
  follower.stop();
});

test("what is not there yet is told in the API's words, and asked for again", async () => {
  const refusal = new StatusError(400, "BadRequest", 'container "main" in pod "a" is waiting to start');
  const { follower, lines, told } = setup([new TypeError("refused"), [at(1, "one")]], refusal);
  follower.want([source("a")]);
  await settled();
  expect(told).toEqual([refusal.message, ""]);
  expect(lines).toEqual(["a: one"]);
  follower.stop();
});
