import type { AgentClock } from "../clock.ts";
import type { Inspected } from "../runtime.ts";
import { containerNamed } from "./fields.ts";
import {
  type Attempt,
  type Exit,
  type PodMemory,
  parseSandboxName,
  remember,
  type Sandbox,
  sandboxName,
} from "./memory.ts";
import type { PodNetwork } from "./network.ts";

/** Labels that say what a container is; names are no identity. */
export const Label = {
  podUid: "skerry.dev/pod-uid",
  podName: "skerry.dev/pod-name",
  podNamespace: "skerry.dev/pod-namespace",
  container: "skerry.dev/container",
  kind: "skerry.dev/kind",
  attempt: "skerry.dev/attempt",
  sandbox: "skerry.dev/sandbox",
  image: "skerry.dev/image",
  imageID: "skerry.dev/image-id",
} as const;

export type ContainerKind = "pause" | "init" | "app" | "ephemeral";

/** A container as the runtime has it. `created` is one that never ran, or whose keeper or machine died. */
export type Observed = {
  id: string;
  podUid: string;
  podName: string;
  podNamespace: string;
  /** "" for the pause container. */
  container: string;
  kind: ContainerKind;
  attempt: number;
  sandbox: string;
  state: "created" | "running" | "exited";
  pid: number;
  /** ms since the epoch, 0 when it did not happen. */
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  logPath: string;
  image: string;
  imageID: string;
  imageName: string;
};

/** Times of the runtime are by the machine's clock. */
export function observe(inspected: Inspected, { fromWall }: Pick<AgentClock, "fromWall">): Observed {
  const labels = inspected.Config.Labels;
  const { State: state } = inspected;
  return {
    id: inspected.Id,
    podUid: labels[Label.podUid] ?? "",
    podName: labels[Label.podName] ?? "",
    podNamespace: labels[Label.podNamespace] ?? "",
    container: labels[Label.container] ?? "",
    kind: (labels[Label.kind] ?? "app") as ContainerKind,
    attempt: Number(labels[Label.attempt] ?? 0),
    sandbox: labels[Label.sandbox] ?? "",
    state: state.Running || state.Status === "paused" ? "running" : state.Status === "exited" ? "exited" : "created",
    pid: state.Pid,
    startedAt: time(state.StartedAt, fromWall),
    finishedAt: time(state.FinishedAt, fromWall),
    exitCode: state.ExitCode,
    logPath: inspected.LogPath ?? "",
    image: labels[Label.image] ?? inspected.Image,
    imageID: labels[Label.imageID] ?? "",
    imageName: inspected.Image,
  };
}

/** Go's zero time and an absent one are both "did not happen". */
function time(text: string | undefined, fromWall: AgentClock["fromWall"]): number {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) || ms <= 0 ? 0 : fromWall(ms);
}

type Networks = Pick<PodNetwork, "addressOf" | "allOf" | "pathOf">;

/** What only the machine knows of how a container ended. */
export type EndReader = {
  /** The termination message. */
  message(attempt: Attempt, failed: boolean): string | undefined;
  /** The kernel took memory from it by force. */
  isOom(attempt: Attempt): boolean;
};

/** Brings a pod's memory up to what the runtime says. */
export function absorb(
  memory: PodMemory,
  observed: readonly Observed[],
  network: Networks,
  now: number,
  read: EndReader,
): void {
  absorbSandbox(memory, observed, network);
  const byId = new Map(observed.map((o) => [o.id, o]));
  for (const o of observed.toSorted((a, b) => a.attempt - b.attempt)) if (o.kind !== "pause") adopt(memory, o);
  for (const { current } of Object.values(memory.containers)) {
    if (!current || current.exit) continue;
    if (read.isOom(current)) current.oom = true; // kept, as nobody can tell later
    const o = byId.get(current.id);
    if (o?.state === "running") {
      current.pid = o.pid;
      current.startedAt ||= o.startedAt;
      current.logPath ||= o.logPath;
    } else current.exit = exitOf(current, o, now, read);
  }
}

function absorbSandbox(memory: PodMemory, observed: readonly Observed[], network: Networks): void {
  memory.sandbox ??= adoptSandbox(memory, observed, network);
  const { sandbox } = memory;
  if (!sandbox) return;
  const paused = observed.some((o) => o.id === sandbox.pause?.id && o.state === "running");
  sandbox.running &&= isStanding(sandbox, network) && (!sandbox.pause || paused);
}

/** Its network is there, which goes at the latest when the machine does. */
export const isStanding = (sandbox: Sandbox | undefined, network: Networks): boolean =>
  sandbox !== undefined && (!sandbox.network || network.addressOf(sandbox.id) !== undefined);

/** The newest sandbox that containers tell of, when the disk was lost that told more. */
function adoptSandbox(memory: PodMemory, observed: readonly Observed[], network: Networks): Sandbox | undefined {
  // A network that stands is the pod's also when nothing runs in it any more: it has to be given back.
  const standing = observed.filter((o) => o.sandbox && (o.state === "running" || network.addressOf(o.sandbox)));
  const [newest] = standing.map((o) => parseSandboxName(o.sandbox).number).toSorted((a, b) => b - a);
  if (newest === undefined) return undefined;
  const id = sandboxName(memory.uid, newest);
  const ip = network.addressOf(id);
  const pause = standing.find((o) => o.kind === "pause" && o.sandbox === id);
  memory.sandboxes = Math.max(memory.sandboxes, newest + 1);
  return {
    id,
    number: newest,
    ...(ip ? { ip, ips: network.allOf(ip), network: network.pathOf(id) } : {}),
    ...(pause ? { pause: { id: pause.id, pid: pause.pid } } : {}),
    running: ip !== undefined || memory.pod?.spec.hostNetwork === true,
  };
}

/** Takes in a container that the memory does not know: the disk was lost, or the agent died while it started one. */
function adopt(memory: PodMemory, o: Observed): void {
  if (o.state === "created" && !o.startedAt) return; // never ran: it is only to be removed
  const container = remember(memory, o.container);
  const { current, previous } = container;
  if (current?.id === o.id || previous?.id === o.id) return;
  const attempt: Attempt = {
    number: o.attempt,
    id: o.id,
    sandbox: o.sandbox,
    image: o.image,
    imageID: o.imageID,
    imageName: o.imageName,
    startedAt: o.startedAt,
    pid: o.pid,
    logPath: o.logPath,
  };
  if (!current || o.attempt > current.number) {
    container.previous = current;
    container.current = attempt;
    container.waiting = undefined;
    container.ready = false;
    // Whether its hook and startup probe passed is not known; a probe can be asked again, a hook cannot.
    container.started = memory.pod !== undefined && !containerNamed(memory.pod, o.container)?.startupProbe;
  }
}

function exitOf(attempt: Attempt, o: Observed | undefined, now: number, read: EndReader): Exit {
  if (!o)
    return {
      code: 137,
      reason: "ContainerStatusUnknown",
      message: "The container could not be located when the pod was terminated",
      finishedAt: now,
    };
  // Its keeper or the whole machine went away, and with it the exit code.
  if (o.state === "created") return { code: 255, reason: "Unknown", finishedAt: now };
  const reason = attempt.oom ? "OOMKilled" : o.exitCode === 0 ? "Completed" : "Error";
  const message = read.message(attempt, o.exitCode !== 0 || attempt.oom === true);
  return { code: o.exitCode, reason, ...(message ? { message } : {}), finishedAt: o.finishedAt || now };
}
