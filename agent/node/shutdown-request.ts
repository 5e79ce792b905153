/** How `skerry node shutdown` speaks to the agent of its machine: by a file, and a signal to look at it. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Timers } from "../effects.ts";
import { type Home, writeFile } from "../local/home.ts";
import type { Progress } from "../local/install.ts";
import { type GracePeriod, gracePeriods } from "./shutdown.ts";

const LOOK_EVERY_MS = 100;
/** An agent's command line: its pid may have been given to another program since. */
const AGENT = /(?:main\.ts|skerry(?:\.js)?)\0(?:agent|join)\0/;

export const SHUTDOWN_SIGNAL = "SIGUSR2";

/** Either what pods get, or that the machine goes on after all. */
export type ShutdownRequest = { periods: GracePeriod[] } | { cancel: true };

const places = (home: string) => ({ pid: join(home, "agent.pid"), request: join(home, "shutdown.json") });

/** The agent says who it is; a request of an earlier life is none of its. */
export function announceAgent(home: string): void {
  const { pid, request } = places(home);
  try {
    rmSync(request, { force: true });
    writeFile(pid, `${process.pid}\n`);
  } catch {
    // On a disk that cannot be written nobody can ask for anything either.
  }
}

export function readRequest(home: string): ShutdownRequest | undefined {
  const { request } = places(home);
  return existsSync(request) ? (JSON.parse(readFileSync(request, "utf8")) as ShutdownRequest) : undefined;
}

/** It is done: whoever asked for it waits for that. */
export const answerRequest = (home: string): void => rmSync(places(home).request, { force: true });

export function runningAgent(home: string): number | undefined {
  try {
    const pid = Number(readFileSync(places(home).pid, "utf8"));
    return AGENT.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** An agent that was told to stop has this time for it. */
const STOP_TIMEOUT_MS = 15_000;

/** One agent alone works on a home: waits for one that is on its way out, and throws for one that stays. */
export async function beAlone(home: string, effects: Timers): Promise<void> {
  for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += LOOK_EVERY_MS) {
    const other = runningAgent(home);
    // An update runs under the shell that the installed agent has become.
    if (!other || other === process.pid || other === process.ppid) return;
    await effects.sleep(LOOK_EVERY_MS);
  }
  throw new Error(`an agent of ${home} runs already (pid ${runningAgent(home)})`);
}

/** Ends the agent, wherever it runs; containers go on. */
export async function endAgent(home: string, effects: Timers): Promise<void> {
  const pid = runningAgent(home);
  if (!pid) return;
  process.kill(pid, "SIGTERM");
  await beAlone(home, effects);
}

/** For what the agent does beside waiting for pods. */
const MARGIN_MS = 10_000;

export type ShutdownCommand = { gracePeriod: number; gracePeriodCriticalPods: number; cancel?: boolean };

/** Has the agent end its pods, and returns when it has. The times are in s. */
export async function requestShutdown(
  { path: home }: Home,
  { gracePeriod, gracePeriodCriticalPods, cancel }: ShutdownCommand,
  effects: Timers & { now(): number },
  progress: Progress,
): Promise<void> {
  const pid = runningAgent(home);
  if (!pid) throw new Error(`no agent of ${home} runs on this machine`);
  const request: ShutdownRequest = cancel
    ? { cancel: true }
    : { periods: gracePeriods(gracePeriod, gracePeriodCriticalPods) };
  writeFile(places(home).request, JSON.stringify(request));
  process.kill(pid, SHUTDOWN_SIGNAL);
  const until = effects.now() + gracePeriod * 1000 + MARGIN_MS;
  while (existsSync(places(home).request)) {
    if (runningAgent(home) !== pid) throw new Error("the agent ended before the pods had");
    if (effects.now() > until) throw new Error("pods did not end in time");
    await effects.sleep(LOOK_EVERY_MS);
  }
  progress(cancel ? "the node goes on" : "the node's pods have ended; it takes no more until its agent starts again");
}
