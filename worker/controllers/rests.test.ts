import { describe, expect, test } from "vitest";
import { Rests } from "./rests.ts";

describe("a key that looked at many objects", () => {
  test("waits in proportion to their number, and is handed out once it was wanted and has rested", () => {
    const rests = new Rests<string>();
    rests.begin("a", "key a", 1000, 5000);
    rests.begin("b", "key b", 10_000, 5000);
    expect([rests.delays("a", 5099), rests.delays("b", 5100)]).toEqual([true, true]);
    expect(rests.next()).toBe(5100);
    expect(rests.over(5099)).toEqual([]);
    expect(rests.over(5100)).toEqual(["key a"]);
    expect(rests.delays("a", 5100)).toBe(false);
    expect(rests.next()).toBe(6000);
  });

  test("that nothing wanted is forgotten", () => {
    const rests = new Rests<string>();
    rests.begin("a", "key a", 1000, 5000);
    expect(rests.next()).toBeUndefined();
    expect(rests.over(6000)).toEqual([]);
  });

  test("rests no longer where the clock was set back", () => {
    const rests = new Rests<string>();
    rests.begin("a", "key a", 1000, 3_600_000);
    expect(rests.delays("a", 3_600_000)).toBe(true);
    expect(rests.over(0)).toEqual(["key a"]);
    rests.begin("b", "key b", 1000, 3_600_000);
    expect(rests.delays("b", 0)).toBe(false);
  });

  test("few objects cost no rest", () => {
    const rests = new Rests<string>();
    rests.begin("a", "key a", 200, 5000);
    expect(rests.delays("a", 5000)).toBe(false);
  });
});
