import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pair, type World } from "./testing.ts";

const apart: World = { udp: [true, true], near: false, relays: true, talks: true };
const MINUTE_MS = 60_000;

describe("two nodes at different places", () => {
  test("rest until somebody speaks, and speak directly a moment later", () => {
    const pair = new Pair({ ...apart, talks: false }, false);
    pair.pass(10 * MINUTE_MS);
    expect([pair.paths, pair.rests]).toEqual(["idle,idle", true]);
    pair.world = apart;
    pair.pass(1_000);
    expect(pair.paths).toBe("direct,direct");
    expect(pair.lost).toEqual([]);
  });

  test("speak by relay where no UDP gets through, and directly once it does", () => {
    const pair = new Pair({ ...apart, udp: [false, false] }, false);
    pair.pass(10 * MINUTE_MS);
    expect(pair.paths).toBe("relay,relay");
    expect(pair.lost).toEqual([]);
    pair.world = apart;
    pair.pass(70_000);
    expect(pair.paths).toBe("direct,direct");
  });

  test.each([
    ["both ways", [false, false]],
    ["one way", [false, true]],
    ["the other way", [true, false]],
  ] as const)("a direct path that is cut %s is left within seconds, and taken up again", (_, udp) => {
    const pair = new Pair(apart, false);
    pair.pass(5_000);
    pair.world = { ...apart, udp: [...udp] };
    pair.pass(8_000);
    expect(pair.paths).toBe("relay,relay");
    const lost = pair.lost.length;
    pair.pass(MINUTE_MS);
    expect([pair.paths, pair.lost.length - lost]).toEqual(["relay,relay", 0]);
    pair.world = apart;
    pair.pass(70_000);
    expect(pair.paths).toBe("direct,direct");
  });

  test("go on directly while the control plane is away, and find each other again where they last were", () => {
    const pair = new Pair(apart, false);
    pair.pass(5_000);
    pair.world = { ...apart, relays: false, talks: false };
    pair.pass(10 * MINUTE_MS);
    expect([pair.paths, pair.rests]).toEqual(["idle,idle", true]);
    pair.world = { ...apart, relays: false };
    pair.pass(5_000);
    expect(pair.paths).toBe("direct,direct");
  });

  test("rest again once nobody speaks any more, directly or by relay", () => {
    for (const udp of [
      [true, true],
      [false, false],
    ] as World["udp"][]) {
      const pair = new Pair({ ...apart, udp }, false);
      pair.pass(MINUTE_MS);
      pair.world = { ...apart, udp, talks: false };
      pair.pass(6 * MINUTE_MS);
      expect([pair.paths, pair.rests]).toEqual(["idle,idle", true]);
    }
  });
});

describe("two nodes whose addresses are of one network", () => {
  const together: World = { ...apart, near: true };

  test("have a plain route, and rest once they have seen each other", () => {
    const pair = new Pair(together, true);
    pair.pass(1_000);
    expect([pair.paths, pair.rests]).toEqual(["lan,lan", true]);
  });

  test("are found to be apart after all", () => {
    const pair = new Pair(apart, true);
    pair.pass(5_000);
    expect(pair.paths).toBe("direct,direct");
  });

  test("are held to be together while one does not answer by any way", () => {
    const pair = new Pair({ ...apart, udp: [false, false], relays: false, talks: false }, true);
    pair.pass(10 * MINUTE_MS);
    expect([pair.paths, pair.rests]).toEqual(["lan,lan", true]);
    pair.world = together;
    pair.step(0, { type: "moved" });
    pair.pass(1_000);
    expect([pair.paths, pair.states.map(({ confirmed }) => confirmed).join()]).toEqual(["lan,lan", "true,true"]);
  });

  test("that lose each other there find another way, once the kernel has noticed", () => {
    const pair = new Pair(together, true);
    pair.pass(5_000);
    pair.world = apart;
    pair.pass(5_000);
    expect(pair.paths).toBe("lan,lan");
    pair.step(0, { type: "silent" });
    pair.pass(10_000);
    expect(pair.paths).toBe("direct,direct");
  });

  test("are together again", () => {
    const pair = new Pair(apart, true);
    pair.pass(20_000);
    pair.world = { ...together, udp: [false, false] };
    pair.pass(20_000);
    expect([pair.paths, pair.rests]).toEqual(["lan,lan", true]);
  });
});

test("whatever comes between them, they end at the best way that is left, and rest when nobody speaks", () => {
  const world = fc.record({
    udp: fc.tuple(fc.boolean(), fc.boolean()),
    near: fc.constant(false),
    relays: fc.boolean(),
    talks: fc.boolean(),
  });
  const steps = fc.array(fc.tuple(world, fc.integer({ min: 1, max: 90_000 })), { maxLength: 12 });
  fc.assert(
    fc.property(steps, fc.boolean(), (changes, isNear) => {
      const pair = new Pair({ ...apart, talks: false }, isNear);
      for (const [next, ms] of changes) {
        pair.world = next as World;
        pair.pass(ms);
      }
      pair.world = apart;
      // A node that was held to be near is asked for again when it is heard of: here, as if its Node had changed.
      for (const side of [0, 1] as const) pair.step(side, { type: "moved" });
      pair.pass(2 * MINUTE_MS);
      expect(pair.paths).toBe("direct,direct");
      const lost = pair.lost.length;
      pair.pass(MINUTE_MS);
      expect(pair.lost.length).toBe(lost);
      pair.world = { ...apart, udp: [false, false] };
      pair.pass(10_000);
      expect(pair.paths).toBe("relay,relay");
      pair.world = { ...apart, talks: false };
      pair.pass(10 * MINUTE_MS);
      expect([pair.paths, pair.rests]).toEqual(["idle,idle", true]);
    }),
    { numRuns: 300 },
  );
});
