import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { MINUTE_MS } from "../../worker/lib/facts/metric-series.ts";
import type { Answer } from "../local/http.ts";
import { MetricSender } from "./metric-sender.ts";

const START = 1_000 * 3_600_000;
let home = "";
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  home = "";
});

type Sent = [string, string, { start?: number; series?: Record<string, unknown> }];

/** A sender whose clock goes on by whole minutes. */
function prepared(answers: (method: string, sent: Sent[]) => Partial<Answer>) {
  home ||= mkdtempSync(join(tmpdir(), "skerry-metrics-"));
  const clock = { now: START };
  const sent: Sent[] = [];
  let due = () => {};
  let cpu = 0;
  const sender = new MetricSender({
    home,
    now: () => clock.now,
    random: () => 0,
    timers: {
      after: (_, body) => {
        due = body;
        return () => {};
      },
    },
    counted: () =>
      new Map([
        ["node", { cpu: cpu++, memory: 1 }],
        ["u1", { cpu, memory: 2 }],
      ]),
    requests: async () => new Map([["shop/services/web", { requests: 2, failed: 1, took3: 2 }]]),
    send: async (...request) => {
      sent.push(request as Sent);
      return { code: 200, text: "", body: {}, ...answers(request[0], sent) };
    },
    log: () => {},
  });
  const rest = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  const start = () => {
    sender.start();
    return rest();
  };
  const pass = async (minutes: number) => {
    for (let i = 0; i < minutes; i++) {
      clock.now += MINUTE_MS;
      due();
      await rest();
    }
  };
  return { sender, sent, start, pass };
}

const GRANT = { grant: "g", pods: { u1: "shop/Pod/a" }, everyMs: 10 * MINUTE_MS, requests: true };
const granting = (method: string) => (method === "POST" ? { body: GRANT } : {});

test("it is measured each minute and sent seldom, by one grant; or at once, when somebody looks", async () => {
  const { sender, sent, start, pass } = prepared(granting);
  await start();
  await pass(12);
  const minutes = sent.map(([method, , { series }]) => [method, Object.keys(series ?? {}).length]);
  expect(minutes).toEqual([
    ["POST", 0],
    ["PUT", 3],
    ["PUT", 3],
  ]);
  await pass(1);
  await sender.send();
  expect(sent.length).toBe(4);
  await sender.send();
  expect(sent.length).toBe(4);
  sender.stop();
});

test("what cannot be sent goes later, whole, from the next agent too", async () => {
  let isUp = false;
  const answers = (method: string) => (isUp ? granting(method) : { code: 503 });
  const first = prepared(answers);
  await first.start();
  await first.pass(30);
  expect(first.sent.every(([method]) => method === "POST")).toBe(true);
  first.sender.stop();
  isUp = true;
  const second = prepared(answers);
  await second.sender.send();
  expect(second.sent.at(-1)?.[2]).toMatchObject({
    start: START,
    series: { node: { memory: Array(30).fill(1) }, "shop/services/web": { requests: Array(30).fill(2) } },
  });
  expect(existsSync(join(home, "metrics.json"))).toBe(false);
});

test("a control plane that does not know of requests is told of none", async () => {
  const { requests: _, ...older } = GRANT;
  const { sent, start, pass } = prepared((method) => (method === "POST" ? { body: older } : {}));
  await start();
  await pass(3);
  expect(sent.map(([method, , { series }]) => [method, Object.keys(series ?? {})])).toEqual([
    ["POST", []],
    ["PUT", ["node", "shop/Pod/a"]],
  ]);
});

test("a grant that is over is asked for anew, what is refused is left out, and who wants none is asked seldom", async () => {
  const over = prepared((method, sent) => (method === "PUT" && sent.length < 3 ? { code: 401 } : granting(method)));
  await over.start();
  await over.pass(3);
  expect(over.sent.map(([method]) => method)).toEqual(["POST", "PUT", "POST", "PUT"]);
  const bad = prepared((method) => (method === "PUT" ? { code: 400 } : granting(method)));
  await bad.start();
  await bad.pass(2);
  await bad.sender.send();
  expect(bad.sent.length).toBe(2);
  const none = prepared(() => ({ code: 404 }));
  await none.start();
  await none.pass(61);
  expect(none.sent.length).toBe(1);
});
