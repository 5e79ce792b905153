import { expect, test } from "vitest";
import { notifierFor } from "./notify.ts";

function heard(environment: NodeJS.ProcessEnv) {
  const said: string[] = [];
  const timers: { ms: number; body: () => void; on: boolean }[] = [];
  const notifier = notifierFor(environment, {
    run: async (program, args, options) => {
      said.push([program, ...args, options?.env?.NOTIFY_SOCKET].join(" "));
      return { code: 0, stdout: "", stderr: "" };
    },
    timers: {
      sleep: async () => {},
      after(ms, body) {
        const timer = { ms, body, on: true };
        timers.push(timer);
        return () => {
          timer.on = false;
        };
      },
    },
  });
  return { notifier, said, timers };
}

test("systemd hears that the agent is ready, that it lives, and that it stops", () => {
  const { notifier, said, timers } = heard({ NOTIFY_SOCKET: "/run/x", WATCHDOG_USEC: "60000000" });
  notifier.ready();
  expect(timers.map(({ ms }) => ms)).toEqual([15_000]);
  timers[0]?.body();
  timers[1]?.body();
  notifier.stopping();
  expect(timers.at(-1)?.on).toBe(false);
  const words = ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"];
  expect(said).toEqual(words.map((word) => `systemd-notify ${word} /run/x`));
});

test("where systemd did not start it, nobody is told anything", () => {
  const { notifier, said, timers } = heard({});
  notifier.ready();
  notifier.stopping();
  expect([said, timers]).toEqual([[], []]);
});
