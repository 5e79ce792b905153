import { expect, test } from "vitest";
import { amount, newest, pathOf, plotsOf } from "./plots.ts";

test("a line is interrupted where nothing is known, and what stands alone is a dot", () => {
  expect(pathOf([0, 10, null, 5, null], 10)).toBe("M0.0 80.0L75.0 0.0M225.0 40.0h.01");
  expect(pathOf([0, 0], 0)).toBe("M0.0 80.0L300.0 80.0");
  expect(pathOf([], 0)).toBe("");
});

test("amounts in words", () => {
  expect([amount(12, "cores"), amount(1500, "cores"), amount(null, "bytes")]).toEqual(["12m", "1.50", "not known"]);
  expect([0, 900, 1536, 20 * 1024 ** 2, 3 * 1024 ** 3].map((bytes) => amount(bytes, "bytes"))).toEqual([
    "0 B",
    "900 B",
    "1.5 KiB",
    "20 MiB",
    "3.0 GiB",
  ]);
  expect(amount(2048, "bytes/s")).toBe("2.0 KiB/s");
  expect([0, 0.033, 2.54, 400].map((rate) => amount(rate, "requests/s"))).toEqual([
    "0.0/s",
    "0.03/s",
    "2.5/s",
    "400/s",
  ]);
  expect([amount(7.4, "ms"), amount(2500, "ms")]).toEqual(["7 ms", "2.5 s"]);
});

test("what is known is plotted, up to the newest of it", () => {
  const plots = plotsOf({ memory: [1, 2, null], sent: [null, 4, null] });
  expect(plots.map(({ title, lines }) => [title, lines.map(({ name }) => name)])).toEqual([
    ["Memory", ["in use"]],
    ["Network", ["sent"]],
  ]);
  const asked = plotsOf({ requests: [0, 2], failed: [0, 1], took4: [0, 2] });
  expect(asked.map(({ title, lines }) => [title, lines.map(({ values }) => values)])).toEqual([
    [
      "Requests",
      [
        [0, 2],
        [0, 1],
      ],
    ],
    [
      "Latency",
      [
        [null, 75],
        [null, 99.5],
      ],
    ],
  ]);
  expect(plotsOf({ requests: [0] }).map(({ title }) => title)).toEqual(["Requests"]);
  expect(newest(plots[0]?.lines ?? [])).toBe(1);
});
