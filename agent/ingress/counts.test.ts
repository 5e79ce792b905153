import { expect, test } from "vitest";
import { addTraffic } from "../../worker/protocol/traffic.ts";
import { Counts } from "./counts.ts";

const WEB = { service: "default/web", ingress: "default/shop" };

function counting() {
  let now = 1_000_000;
  const counts = new Counts(() => now);
  const pass = (ms: number) => {
    now += ms;
  };
  return { counts, pass };
}

test("requests count by second, over half a minute", () => {
  const { counts, pass } = counting();
  for (let second = 0; second < 15; second++) {
    for (let one = 0; one < 4; one++) counts.begin(WEB).end();
    pass(1000);
  }
  expect(counts.figures().services["default/web"]).toEqual({ perSecond: 2, pending: 0, idleMs: 1000 });
  expect(counts.figures().ingresses["default/shop"]?.perSecond).toBe(2);
  pass(22_000);
  expect(counts.figures().services["default/web"]).toEqual({ perSecond: (7 * 4) / 30, pending: 0, idleMs: 23_000 });
  pass(100_000);
  expect(counts.figures().services["default/web"]).toEqual({ perSecond: 0, pending: 0, idleMs: 123_000 });
});

test("what has no answer is pending, and idle begins with the answer", () => {
  const { counts, pass } = counting();
  const [first, second] = [counts.begin(WEB), counts.begin(WEB)];
  first.to("10.0.0.1");
  pass(5_000);
  first.to("10.0.0.2"); // which the first could not be reached for
  expect(counts.figures().services["default/web"]).toMatchObject({ pending: 2, idleMs: 5_000 });
  expect(counts.figures().pods["10.0.0.1"]?.pending).toBe(0);
  expect(counts.figures().pods["10.0.0.2"]?.pending).toBe(1);
  first.end();
  first.end();
  second.end();
  pass(200);
  expect(counts.figures().services["default/web"]).toMatchObject({ pending: 0, idleMs: 200 });
});

test("of addresses that nobody asks for any more nothing is kept", () => {
  const { counts, pass } = counting();
  const count = counts.begin(WEB);
  count.to("10.0.0.1");
  count.end();
  pass(31_000);
  counts.figures();
  expect(counts.figures().pods).toEqual({});
});

test("two who count are added up", () => {
  const [a, b] = [counting(), counting()];
  a.counts.begin(WEB);
  b.pass(700);
  b.counts.begin(WEB).end();
  b.counts.begin({ service: "default/api" }).end();
  a.pass(3_000);
  const sum = addTraffic(a.counts.figures(), b.counts.figures());
  expect(sum.countedMs).toBe(700);
  expect(sum.services["default/web"]).toEqual({ perSecond: 2 / 30, pending: 1, idleMs: 0 });
  expect(Object.keys(sum.services)).toEqual(["default/web", "default/api"]);
});
