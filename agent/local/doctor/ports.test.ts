import { expect, test } from "vitest";
import { held } from "./ports.ts";

const api = { port: 6443, use: "the API", isNeeded: true };
const web = { port: 80, use: "Ingresses", isNeeded: false };
const line = (port: number, users = "") => `LISTEN 0 4096 0.0.0.0:${port} 0.0.0.0:* ${users}`.trim();
const isOurs = (pid: string) => pid === "7";

test("a port is taken by who listens there, unless it is ours", () => {
  const lines = [line(6443, 'users:(("node",pid=7,fd=3))'), line(80, 'users:(("nginx",pid=8,fd=3))')];
  expect(held([api, web], lines, { isOurs, seesAll: true })).toEqual([api, { ...web, holder: "nginx (pid 8)" }]);
  expect(held([api], [line(6443)], { isOurs, seesAll: true })).toEqual([{ ...api, holder: "another program" }]);
  expect(held([api], [line(16443)], { isOurs, seesAll: true })).toEqual([api]);
});

test("who is not told whose program it is says nothing of it", () => {
  expect(held([api], [line(6443)], { isOurs, seesAll: false })).toBeUndefined();
  expect(held([api], [], { isOurs, seesAll: false })).toEqual([api]);
  expect(held([web], [line(80, 'users:(("nginx",pid=8,fd=3))')], { isOurs, seesAll: false })).toEqual([
    { ...web, holder: "nginx (pid 8)" },
  ]);
});
