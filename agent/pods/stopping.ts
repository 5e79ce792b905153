import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import type { NodeContext, PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import { type Attempt, isRunning } from "./memory.ts";
import { sidecars } from "./phase.ts";
import { isAlive, signal } from "./processes.ts";

/** A preStop hook that used up the grace leaves so much for the process itself. */
const LEAST_GRACE_MS = 2_000;
const LOOK_EVERY_MS = 250;
const KILL_WAIT_MS = 10_000;
const EVENT_WAIT_MS = 500;

/**
 * preStop, then the stop signal, then after the grace SIGKILL.
 * `deadline` (ms) is asked again and again, because a second delete may shorten the grace.
 */
export async function stopContainer(
  node: NodeContext,
  state: PodState,
  container: CoreV1Container,
  attempt: Attempt,
  deadline: () => number,
): Promise<void> {
  const { effects, host } = node;
  const { processes } = host;
  const process = { pid: attempt.pid, startTicks: attempt.startTicks };
  const hook = deadline() > effects.now() ? container.lifecycle?.preStop : undefined;
  if (hook) {
    const target = { container, containerId: attempt.id, ip: podAddress(node, state) };
    const left = Math.max(deadline() - effects.now(), 0);
    const done = host.act(hook, target, left);
    const verdict = await Promise.race([done, waitUntil(node, deadline), untilEnd(node, state, attempt, Infinity)]);
    if (typeof verdict === "object" && !verdict.ok)
      node.events.record(state.pod, "Warning", "FailedPreStopHook", "PreStopHook failed", container.name);
  }
  const floor = hook ? effects.now() + LEAST_GRACE_MS : 0;
  const until = () => Math.max(deadline(), floor);
  if (until() > effects.now()) {
    await terminate(node, attempt);
    while (isAlive(processes, process) && effects.now() < until())
      await untilEnd(node, state, attempt, Math.min(until(), effects.now() + LOOK_EVERY_MS));
  }
  if (isAlive(processes, process)) {
    signal(processes, process, "SIGKILL");
    const dead = effects.now() + KILL_WAIT_MS;
    while (isAlive(processes, process) && effects.now() < dead)
      await untilEnd(node, state, attempt, effects.now() + 20);
  }
  // The event tells how it ended; who goes without has to ask the runtime.
  await Promise.race([state.exited(attempt.id), effects.sleep(EVENT_WAIT_MS)]);
}

async function terminate(node: NodeContext, attempt: Attempt): Promise<void> {
  const stopSignal = attempt.stopSignal ?? "SIGTERM";
  if (/^SIG[A-Z0-9]+$/.test(stopSignal) && !stopSignal.startsWith("SIGRT"))
    signal(node.host.processes, attempt, stopSignal as NodeJS.Signals);
  else await node.runtime.kill(attempt.id, stopSignal).catch((error: Error) => node.log(error.message));
}

const podAddress = (node: NodeContext, state: PodState) =>
  state.pod.spec.hostNetwork ? node.hostIP() : (state.memory.sandbox?.ip ?? "");

async function waitUntil(node: NodeContext, deadline: () => number): Promise<"late"> {
  while (node.effects.now() < deadline())
    await node.effects.sleep(Math.min(LOOK_EVERY_MS, Math.max(deadline() - node.effects.now(), 1)));
  return "late";
}

/** Until the container's process has ended, or `until` (ms). */
async function untilEnd(node: NodeContext, state: PodState, attempt: Attempt, until: number): Promise<"ended"> {
  const exited = state.exited(attempt.id);
  while (isAlive(node.host.processes, attempt) && node.effects.now() < until) {
    const wait = Math.min(LOOK_EVERY_MS, Math.max(until - node.effects.now(), 1));
    await Promise.race([exited, node.effects.sleep(wait)]);
  }
  return "ended";
}

/**
 * Ends all containers of a pod within one grace: app containers at once, then sidecars in the reverse order of their
 * start, which the others may need to the last; then the pause container.
 */
export async function killPod(node: NodeContext, state: PodState, graceSeconds: () => number): Promise<void> {
  const begun = node.effects.now();
  const deadline = () => begun + graceSeconds() * 1000;
  const kept = new Set(sidecars(state.pod).map((c) => c.name));
  const running = Object.entries(state.memory.containers).flatMap(([name, memory]) =>
    isRunning(memory) ? [{ name, attempt: memory.current }] : [],
  );
  const stop = ({ name, attempt }: { name: string; attempt: Attempt }) => {
    node.events.record(state.pod, "Normal", "Killing", `Stopping container ${name}`, name);
    return stopContainer(node, state, containerNamed(state.pod, name) ?? { name }, attempt, deadline);
  };
  await Promise.all(running.filter(({ name }) => !kept.has(name)).map(stop));
  for (const { name } of sidecars(state.pod).toReversed()) {
    const sidecar = running.find((r) => r.name === name);
    if (sidecar) await stop(sidecar);
  }
  const pause = state.memory.sandbox?.pause;
  if (!pause) return;
  signal(node.host.processes, pause, "SIGKILL");
  const dead = node.effects.now() + KILL_WAIT_MS;
  while (isAlive(node.host.processes, pause) && node.effects.now() < dead) await node.effects.sleep(20);
  await Promise.race([state.exited(pause.id), node.effects.sleep(EVENT_WAIT_MS)]);
}

/**
 * Ends what outlived its container, because the container's keeper was killed: nothing but the cgroup knows of it then.
 * Rejects when it does not end.
 */
export async function endProcesses(node: NodeContext, uid: string, containerId?: string): Promise<void> {
  const { effects, host } = node;
  const deadline = effects.now() + KILL_WAIT_MS;
  while (!host.cgroups.end(uid, containerId)) {
    if (effects.now() > deadline) throw new Error("processes of the pod do not end");
    await effects.sleep(20);
  }
}
