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
  expect(counts.figures().services["default/web"]).toMatchObject({ perSecond: 2, pending: 0, idleMs: 1000 });
  expect(counts.figures().ingresses["default/shop"]?.perSecond).toBe(2);
  pass(22_000);
  const later = { perSecond: (7 * 4) / 30, pending: 0, idleMs: 23_000 };
  expect(counts.figures().services["default/web"]).toMatchObject(later);
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

test("answers are counted by when they began, failures are what is 5xx, and a pod has failed what another was asked for", () => {
  const { counts, pass } = counting();
  const ROUTE = { service: "default/web", route: "default/shop" };
  const first = counts.begin(ROUTE);
  pass(1);
  first.to("10.0.0.1");
  pass(30);
  first.to("10.0.0.2");
  pass(60);
  first.answered(200);
  first.answered(500); // what comes after the answer has begun is no other one
  pass(9_000);
  first.end();
  const second = counts.begin(ROUTE);
  second.to("10.0.0.2");
  second.answered(503);
  second.end();
  const third = counts.begin(ROUTE);
  pass(60);
  third.end(); // whoever asked has gone
  const { services, httproutes = {}, pods } = counts.figures();
  const took = [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]; // within 5 and 100 ms
  const all = took.with(4, 2);
  const told = { perSecond: 0.1, pending: 0, idleMs: 0, failedPerSecond: 1 / 30, took: all };
  expect(services["default/web"]).toEqual(told);
  expect(httproutes["default/shop"]).toEqual(services["default/web"]);
  expect(pods["10.0.0.1"]).toMatchObject({ failedPerSecond: 1 / 30, took: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] });
  expect(pods["10.0.0.2"]).toMatchObject({ failedPerSecond: 1 / 30, took });
  pass(31_000);
  expect(counts.figures().services["default/web"]).toEqual({ perSecond: 0, pending: 0, idleMs: 31_000 });
});

test("each answer is taken once, and what nobody has asked for lately not at all", () => {
  const { counts, pass } = counting();
  const ask = () => {
    const count = counts.begin(WEB);
    count.answered(502);
    count.end();
  };
  ask();
  pass(60_000);
  const none = Array(12).fill(0);
  const one = { failed: 1, took: [1, ...none.slice(1)] };
  expect(counts.take()).toEqual({
    ms: 60_000,
    answers: { "default/services/web": one, "default/ingresses/shop": one },
  });
  pass(5_000);
  expect(counts.take()).toMatchObject({ ms: 5_000, answers: { "default/services/web": { failed: 0, took: none } } });
  pass(3_600_000);
  expect(counts.take()).toEqual({ ms: 3_600_000, answers: {} });
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

test("nor where nobody looks at figures, and what is counted is only taken", () => {
  const { counts, pass } = counting();
  const [over, pending] = [counts.begin(WEB), counts.begin(WEB)];
  over.to("10.0.0.1");
  over.end();
  pending.to("10.0.0.2");
  pass(31_000);
  counts.take();
  pass(-31_000); // when it would be told of
  expect(Object.keys(counts.figures().pods)).toEqual(["10.0.0.2"]);
});

test("two who count are added up", () => {
  const [a, b] = [counting(), counting()];
  a.counts.begin(WEB);
  b.pass(700);
  b.counts.begin(WEB).end();
  b.counts.begin({ service: "default/api" }).end();
  a.pass(3_000);
  const answered = b.counts.begin(WEB);
  answered.answered(404);
  answered.end();
  const sum = addTraffic(a.counts.figures(), b.counts.figures());
  expect(sum.countedMs).toBe(700);
  const took = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  expect(sum.services["default/web"]).toEqual({ perSecond: 3 / 30, pending: 1, idleMs: 0, took });
  expect(Object.keys(sum.services)).toEqual(["default/web", "default/api"]);
});
