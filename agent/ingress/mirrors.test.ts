import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Led } from "../../worker/kinds/ingress/routes.ts";
import { effects } from "../effects.ts";
import type { Balancer } from "./balancer.ts";
import type { Dialer } from "./exchange.ts";
import { Mirrors } from "./mirrors.ts";

const target = { namespace: "default", service: "listener", port: 80 };
const endpoint = { address: "127.0.0.1", port: 80 };
const route: Led = { path: "", isExact: false, timeoutMs: 0, target, filters: { mirrors: [{ target }] } };
const ask = { method: "GET", url: "/", headers: [], host: "a.com", hasBody: false, isRepeatable: true };

/** A copy whose answer has begun, and whether its limit is still counted. */
async function begun() {
  const body = new PassThrough();
  const answer = Promise.resolve({ status: 200, reason: "", headers: [], body, trailers: () => [] });
  const dialer: Dialer = {
    dial: async () => ({ body: new PassThrough(), answer, destroy: () => void body.destroy() }),
    retain: () => {},
  };
  const limit = { pass: () => {}, isCounted: true };
  const after = (_: number, pass: () => void) => {
    limit.pass = pass;
    return () => {
      limit.isCounted = false;
    };
  };
  const mirrors = new Mirrors({
    dialers: { http: dialer, https: dialer, h2c: dialer },
    balancer: { choose: () => endpoint } as unknown as Balancer,
    random: () => 0,
    timers: { ...effects, after },
  });
  mirrors.begin(route, ask, { "default/listener:80": { protocol: "http", endpoints: [endpoint] } });
  await expect.poll(() => body.readableFlowing).toBe(true);
  await setImmediate();
  return { body, limit };
}

test("a copy whose answer does not end is ended when its time is over", async () => {
  const { body, limit } = await begun();
  expect(limit.isCounted).toBe(true);
  limit.pass();
  expect(body.destroyed).toBe(true);
  await expect.poll(() => limit.isCounted).toBe(false);
});

test("of a copy that has had its answer nothing is left to count", async () => {
  const { body, limit } = await begun();
  body.end("words");
  await expect.poll(() => limit.isCounted).toBe(false);
});
