/**
 * Tells systemd how the agent is: ready, alive, stopping. Node.js has no datagram sockets of the file system, on which
 * systemd listens, so its own program says it, twice a minute at most; where systemd did not start this, nothing does.
 * https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
import type { Timers } from "../effects.ts";
import type { Run } from "../process.ts";

export type Notifier = {
  /** The agent does its work; from now on systemd hears that it lives, for as long as it can say so. */
  ready(): void;
  stopping(): void;
};

const TIMEOUT_MS = 10_000;
/** In the time that systemd waits. */
const BEATS = 4;

export function notifierFor(environment: NodeJS.ProcessEnv, deps: { run: Run; timers: Timers }): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = environment;
  if (!socket) return { ready: () => {}, stopping: () => {} };
  const say = (word: string) =>
    deps.run("systemd-notify", [word], { env: { NOTIFY_SOCKET: socket }, timeoutMs: TIMEOUT_MS }).catch(() => {}); // systemd will find that nothing came
  // More often than sd_watchdog_enabled(3) advises: on a machine that has much to do, one or two may come too late.
  const everyMs = Number(watchdog) / BEATS / 1000;
  let cancel = () => {};
  const beat = () => {
    cancel = deps.timers.after(everyMs, () => {
      void say("WATCHDOG=1");
      beat();
    });
  };
  return {
    ready() {
      void say("READY=1");
      if (everyMs > 0) beat();
    },
    stopping() {
      cancel();
      void say("STOPPING=1");
    },
  };
}
