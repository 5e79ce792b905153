import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import type { NodeContext, PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import { tellHook } from "./hooks.ts";
import { type Attempt, isRunning } from "./memory.ts";
import { sidecars } from "./phase.ts";
import { isAlive, signal } from "./processes.ts";

/** Whoever is to end has so long after its stop signal, however little of the grace was left. */
const LEAST_GRACE_MS = 2_000;
const LOOK_EVERY_MS = 250;
const KILL_WAIT_MS = 10_000;
const EVENT_WAIT_MS = 500;
/** A container that has just been started may not be its program yet. */
const BEGINNING_MS = 10;
const MOST_BEGINNING_MS = 1_000;

export type Stop = {
  container: CoreV1Container;
  attempt: Attempt;
  /** When the grace is over (ms); asked again and again, because a second delete may shorten it. */
  deadline(): number;
  /** Resolves when its turn has come. */
  turn?: Promise<unknown>;
};

/** preStop, then in its turn the stop signal, then after the grace SIGKILL. */
export async function stopContainer(node: NodeContext, state: PodState, stop: Stop): Promise<void> {
  const { attempt, deadline, turn } = stop;
  const { effects, host } = node;
  const { processes } = host;
  await preStop(node, state, stop);
  if (turn) await Promise.race([turn, waitUntil(node, deadline), untilEnd(node, state, attempt, Infinity)]);
  const floor = effects.now() + LEAST_GRACE_MS;
  const until = () => Math.max(deadline(), floor);
  if (isAlive(processes, attempt)) await terminate(node, attempt);
  while (isAlive(processes, attempt) && effects.now() < until())
    await untilEnd(node, state, attempt, Math.min(until(), effects.now() + LOOK_EVERY_MS));
  if (isAlive(processes, attempt)) {
    signal(processes, attempt, "SIGKILL");
    const dead = effects.now() + KILL_WAIT_MS;
    while (isAlive(processes, attempt) && effects.now() < dead)
      await untilEnd(node, state, attempt, effects.now() + 20);
  }
  // The event tells how it ended; who goes without has to ask the runtime.
  await Promise.race([state.exited(attempt.id), effects.sleep(EVENT_WAIT_MS)]);
}

async function preStop(node: NodeContext, state: PodState, { container, attempt, deadline }: Stop): Promise<void> {
  const { effects, host } = node;
  const hook = container.lifecycle?.preStop;
  const left = deadline() - effects.now();
  if (!hook || left <= 0) return;
  const target = { container, containerId: attempt.id, ip: podAddress(node, state) };
  const done = host.act(hook, target, left, "lifecycle");
  const verdict = await Promise.race([done, waitUntil(node, deadline), untilEnd(node, state, attempt, Infinity)]);
  if (typeof verdict === "object") tellHook(node, state, "PreStop", container, verdict);
}

async function terminate(node: NodeContext, attempt: Attempt): Promise<void> {
  const { processes } = node.host;
  for (let waited = 0; waited < MOST_BEGINNING_MS && processes.isBeginning?.(attempt.pid ?? 0); waited += BEGINNING_MS)
    await node.effects.sleep(BEGINNING_MS);
  const stopSignal = attempt.stopSignal ?? "SIGTERM";
  if (/^SIG[A-Z0-9]+$/.test(stopSignal) && !stopSignal.startsWith("SIGRT"))
    signal(node.host.processes, attempt, stopSignal as NodeJS.Signals);
  else await node.runtime.kill(attempt.id, stopSignal).catch((error: Error) => node.log(error.message));
}

const podAddress = (node: NodeContext, state: PodState) =>
  state.pod.spec.hostNetwork ? (node.hostIPs()[0] ?? "") : (state.memory.sandbox?.ip ?? "");

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
 * Ends all containers of a pod within one grace, then the pause container. preStop hooks all run at once; sidecars get
 * their signal after the app containers and the sidecars that began later have ended, which may need them to the last.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#termination-with-sidecars
 */
export async function killPod(node: NodeContext, state: PodState, graceSeconds: () => number): Promise<void> {
  const begun = node.effects.now();
  const deadline = () => begun + graceSeconds() * 1000;
  const stops = new Map<string, Promise<void>>();
  const ended = (names: readonly string[]) => Promise.all(names.map((name) => stops.get(name)));
  const stop = (name: string, turn?: Promise<unknown>) => {
    const memory = state.memory.containers[name];
    if (!isRunning(memory)) return;
    node.events.record(state.pod, "Normal", "Killing", `Stopping container ${name}`, name);
    const container = containerNamed(state.pod, name) ?? { name };
    stops.set(name, stopContainer(node, state, { container, attempt: memory.current, deadline, turn }));
  };
  const last = sidecars(state.pod).map(({ name }) => name);
  for (const name of Object.keys(state.memory.containers)) if (!last.includes(name)) stop(name);
  const before = state.pod.spec.containers.map(({ name }) => name);
  for (const name of last.toReversed()) {
    stop(name, ended(before));
    before.push(name);
  }
  await Promise.all(stops.values());
  await endPause(node, state);
}

async function endPause(node: NodeContext, state: PodState): Promise<void> {
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
