import { expect, test } from "vitest";
import { Offline } from "../link.ts";
import { keepLease, RENEW_EVERY_MS } from "./lease.ts";

test("the Lease is made when it is missing, renewed while it is kept, and no more when it is not", async () => {
  let now = Date.UTC(2026, 0, 1);
  let timer: (() => void) | undefined;
  const effects = {
    now: () => now,
    after(ms: number, body: () => void) {
      expect(ms).toBe(RENEW_EVERY_MS);
      timer = body;
      return () => {
        timer = undefined;
      };
    },
  };
  const calls: string[] = [];
  let answer: () => Promise<{ code: number; body: null }> = async () => ({ code: 404, body: null });
  const call = async (method: string, path: string, body: unknown) => {
    calls.push(`${method} ${path.split("/").slice(4).join("/")} ${JSON.stringify(body)}`);
    return answer();
  };
  const beat = async () => {
    now += RENEW_EVERY_MS;
    timer?.();
    await Promise.resolve(); // as many turns as the calls take
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  const end = keepLease({ node: "a", uid: () => "1", effects, call });
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(calls.map((line) => line.split(" ").slice(0, 2))).toEqual([
    ["PATCH", "namespaces/kube-node-lease/leases/a"],
    ["POST", "namespaces/kube-node-lease/leases"],
  ]);
  expect(calls[1]).toContain('"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"a","uid":"1"}]');

  answer = async () => ({ code: 200, body: null });
  await beat();
  expect(calls.splice(0).slice(2)).toEqual([
    'PATCH namespaces/kube-node-lease/leases/a {"spec":{"renewTime":"2026-01-01T00:00:10.000000Z"}}',
  ]);

  answer = () => Promise.reject(new Offline("gone"));
  await beat();
  await beat();
  expect(calls.splice(0)).toHaveLength(2);

  end();
  await beat();
  expect(calls).toEqual([]);
});
