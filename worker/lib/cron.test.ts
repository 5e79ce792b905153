import { expect, it } from "vitest";
import { isTimeZone, scheduleProblem } from "./cron.ts";

it.each(["*/5 * * * *", "0 0 1 jan sun", "1-5,7/2 ? 1-31/3 * 0-6", "@hourly", "@every 1h30m"])(
  "%j is a schedule",
  (text) => expect(scheduleProblem(text)).toBeUndefined(),
);

it.each([
  ["every day", "expected exactly 5 fields, found 2: [every day]"],
  ["60 * * * *", "end of range (60) above maximum (59): 60"],
  ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
  ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
  ["*/0 * * * *", "step of range should be a positive number: */0"],
  ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ["@soon", "unrecognized descriptor: @soon"],
])("%j is none: %s", (text, problem) => expect(scheduleProblem(text)).toBe(problem));

it("knows time zones by their IANA names", () => {
  expect(isTimeZone("Europe/Berlin")).toBe(true);
  expect(isTimeZone("Europe/Nowhere")).toBe(false);
});
