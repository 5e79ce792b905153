import { expect, test } from "vitest";
import { testCluster } from "../testing/cluster.ts";
import { durationProblem } from "./timeout.ts";

test.each(["0", "1s", "-1.5h", "+1h2m3.5s", ".5s", "1.s", "3us"])("%j is a duration", (text) => {
  expect(durationProblem(text)).toBeUndefined();
});

test.each([
  ["x", 'time: invalid duration "x"'],
  ["5", 'time: missing unit in duration "5"'],
  ["5x", 'time: unknown unit "x" in duration "5x"'],
  ["1s.", 'time: invalid duration "1s."'],
  ["-", 'time: invalid duration "-"'],
])("%j is none", (text, problem) => {
  expect(durationProblem(text)).toBe(problem);
});

test("it is looked at wherever one asks", async () => {
  const { ask } = await testCluster();
  for (const path of ["/version", "/readyz", "/apis", "/api/v1/nodes"]) {
    expect((await ask("GET", `${path}?timeout=3m`)).code).toBe(200);
    const { code, body } = await ask("GET", `${path}?timeout=invalid`);
    expect([code, body.message]).toEqual([
      400,
      'invalid timeout specified in the request URL - time: invalid duration "invalid"',
    ]);
  }
});
