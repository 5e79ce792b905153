import { describe, expect, test } from "vitest";
import { Level, type LevelRules, type Place } from "./api/fairness/queues.ts";
import { TooManyRequests } from "./api/fairness/refusal.ts";
import { Turn } from "./turn.ts";

const RULES: LevelRules = {
  exempt: false,
  shares: 1,
  seats: 1,
  queuing: { queues: 2, handSize: 1, queueLengthLimit: 40 },
};

/** A turn at a time, by a clock that moves only as bodies take time. */
function prepared(rules: Partial<LevelRules> = {}) {
  const deferred: (() => void)[] = [];
  const delays: number[] = [];
  const clock = { now: 0, putsOff: false };
  const settled: boolean[] = [];
  const turn = new Turn({
    defer: (body, ms = 0) => {
      deferred.push(body);
      delays.push(ms);
    },
    settle: (served) => {
      settled.push(served);
      return served && clock.putsOff;
    },
    now: () => clock.now,
  });
  const level = new Level({ ...RULES, ...rules });
  const place = (queue: number, reads = false): Place => ({
    flow: { level, hand: [queue], name: String(queue) },
    reads,
  });
  const ran: string[] = [];
  const body =
    (name: string, ms = 0) =>
    () => {
      ran.push(name);
      clock.now += ms;
      return name;
    };
  const next = async () => {
    deferred.shift()?.();
    await Promise.resolve();
    return ran.splice(0).join(" ");
  };
  return { turn, clock, settled, level, place, body, next, deferred, delays, ran };
}

test("what has no place runs whole in the next turn, whatever waits", async () => {
  const { turn, place, body, next, settled, deferred } = prepared();
  for (let i = 0; i < 3; i++) void turn.run(body(`a${i}`, 4), place(0));
  for (let i = 0; i < 3; i++) void turn.run(body(`own${i}`, 10));
  expect(deferred).toHaveLength(1);
  expect(await next()).toBe("own0 own1 own2 a0 a1");
  expect(await next()).toBe("a2");
  expect(settled).toEqual([true, true]);
  expect(deferred).toEqual([]);
  void turn.run(body("own"));
  await next();
  expect(settled.at(-1)).toBe(false);
});

test("a client that sends one request is served before the rest of another's hundreds", async () => {
  const { turn, place, body, next } = prepared({ seats: 1000 });
  for (let i = 0; i < 100; i++) void turn.run(body("a", 1), place(0));
  expect(await next()).toBe("a a a a a");
  void turn.run(body("b", 1), place(1));
  expect(await next()).toContain("b");
});

describe("while one client has all of what waits, and others were served of late", () => {
  async function flooded() {
    const parts = prepared({ seats: 1000 });
    const { turn, place, body, next } = parts;
    for (let i = 0; i < 100; i++) void turn.run(body("a", 1), place(0));
    await next();
    void turn.run(body("b", 1), place(1));
    expect(await next()).toBe("b a");
    return parts;
  }

  test("turns are shorter, with rests between them", async () => {
    const { clock, next, delays } = await flooded();
    expect(delays.at(-1)).toBe(10);
    clock.now += 10;
    expect(await next()).toBe("a a");
    expect(delays.at(-1)).toBe(10);
  });

  test("the others do not wait for the end of a rest, and it goes on after them", async () => {
    const { turn, clock, place, body, next, deferred, delays } = await flooded();
    clock.now += 4;
    void turn.run(body("b", 1), place(1));
    expect(delays.at(-1)).toBe(0);
    deferred.shift(); // the turn that was to come later
    expect(await next()).toBe("b");
    expect(delays.at(-1)).toBe(5);
  });

  test("nor does what the cluster itself has to do", async () => {
    const { turn, body, next, deferred, delays } = await flooded();
    void turn.own(body("own"));
    expect(delays.at(-1)).toBe(0);
    deferred.shift();
    expect(await next()).toBe("own");
  });

  test("whoever floods goes on at once when nobody else is about any more", async () => {
    const { clock, next, delays } = await flooded();
    clock.now += 1001;
    expect(await next()).toBe("a a a a a");
    expect(delays.at(-1)).toBe(0);
  });
});

test("where controllers are put off for requests, the next turn is for them alone", async () => {
  const { turn, clock, place, body, next, settled } = prepared({ seats: 1000 });
  clock.putsOff = true;
  for (let i = 0; i < 15; i++) void turn.run(body("a", 1), place(0));
  expect([await next(), await next(), await next(), await next()]).toEqual(["a a a a a", "", "a a a a a", ""]);
  expect(settled).toEqual([true, false, true, false]);
});

test("a turn ends by number where the clock stands still", async () => {
  const { turn, place, body, next } = prepared({ seats: 1000 });
  for (let i = 0; i < 120; i++) void turn.run(body("a"), place(0));
  const lengths = [await next(), await next(), await next()].map((text) => text.split(" ").length);
  expect(lengths).toEqual([50, 50, 20]);
});

test("a read waits for no turn, unless someone else waits or reads have taken long", async () => {
  const { turn, place, body, next, ran, deferred } = prepared();
  expect(await turn.run(body("r1", 3), place(0, true))).toBe("r1");
  expect(await turn.run(body("r2", 3), place(0, true))).toBe("r2");
  expect(deferred).toEqual([]);
  ran.length = 0;
  void turn.run(body("r3"), place(0, true));
  expect(ran).toEqual([]);
  expect(await next()).toBe("r3");
  expect(await turn.run(body("r4"), place(0, true))).toBe("r4");
  ran.length = 0;
  void turn.run(body("w"), place(1));
  void turn.run(body("r5"), place(0, true));
  expect(ran).toEqual([]);
  expect(await next()).toBe("w r5");
});

test("a full queue refuses at once, and says when to come back", async () => {
  const { turn, level, place, body, next } = prepared();
  const accepted = Array.from({ length: 40 }, () => turn.run(body("a"), place(0)));
  const refusal = await turn.run(body("a"), place(0)).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(TooManyRequests);
  expect(refusal).toMatchObject({ retryAfter: 1, message: "Too many requests, please try again later." });
  expect(level.rejected).toBe(1);
  await next();
  expect(await Promise.all(accepted)).toHaveLength(40);
});

test("one that has waited too long is refused, and a throw is its own caller's", async () => {
  const { turn, level, place, clock, next, ran, body } = prepared();
  const late = turn.run(body("late"), place(0)).catch((error: unknown) => error);
  clock.now += 15_000;
  const thrown = turn
    .run(() => {
      throw new Error("mine");
    }, place(1))
    .catch((error: unknown) => error);
  const fine = turn.run(body("fine"), place(1));
  await next();
  expect(await late).toBeInstanceOf(TooManyRequests);
  expect(await thrown).toMatchObject({ message: "mine" });
  expect(await fine).toBe("fine");
  expect(ran).toEqual([]);
  expect(level.rejected).toBe(1);
});

test("who is exempt is served however long it has waited", async () => {
  const { turn, place, clock, next, body } = prepared({ exempt: true });
  const late = turn.run(body("late"), place(0));
  clock.now += 15_000;
  await next();
  expect(await late).toBe("late");
});
