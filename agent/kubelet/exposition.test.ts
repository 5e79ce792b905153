import { expect, test } from "vitest";
import { Exposition } from "./exposition.ts";
import { Counter, exponentialBounds, Histogram } from "./tallies.ts";

test("families come by name, each with its samples together and its labels in order", () => {
  const to = new Exposition();
  to.add("b_total", "counter", "B.", 1, { z: "1", a: 'say "hi"\\\n' });
  to.add("a", "gauge", "A.", 0.5, {}, 1700.4);
  to.add("b_total", "counter", "B.", Number.POSITIVE_INFINITY);
  expect(to.text()).toBe(
    [
      "# HELP a A.",
      "# TYPE a gauge",
      "a 0.5 1700",
      "# HELP b_total B.",
      "# TYPE b_total counter",
      'b_total{a="say \\"hi\\"\\\\\\n",z="1"} 1',
      "b_total +Inf",
      "",
    ].join("\n"),
  );
});

test("a histogram counts in each bucket what is no more than its bound", () => {
  const histogram = new Histogram("h", "H.", [1, 2]);
  for (const value of [0.5, 1, 2, 3]) histogram.observe(value, { of: "x" });
  const to = new Exposition();
  histogram.tell(to);
  expect(to.text().split("\n").slice(2, -1)).toEqual([
    'h_bucket{le="1",of="x"} 2',
    'h_bucket{le="2",of="x"} 3',
    'h_bucket{le="+Inf",of="x"} 4',
    'h_sum{of="x"} 6.5',
    'h_count{of="x"} 4',
  ]);
  expect(exponentialBounds(0.005, 2.5, 3)).toEqual([0.005, 0.0125, 0.03125]);
});

test("a counter forgets what is not kept", () => {
  const counter = new Counter("c", "C.", [{ pod: "b" }]);
  counter.add({ pod: "a" });
  counter.add({ pod: "a" }, 2);
  counter.keep(({ pod }) => pod === "a");
  const to = new Exposition();
  counter.tell(to);
  expect(to.text()).toBe('# HELP c C.\n# TYPE c counter\nc{pod="a"} 3\n');
});
