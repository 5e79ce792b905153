import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import { type EnsuredImage, imageIdOf } from "../images/images.ts";
import type { Step } from "../plan.ts";
import type { ContainerOptions, Inspected } from "../runtime.ts";
import type { VolumeImage } from "../volumes/manager.ts";
import { ImageVolumeError } from "../volumes/volume.ts";
import { containerOptions } from "./container-spec.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import { environment } from "./env.ts";
import { hookFailure, tellHook } from "./hooks.ts";
import { type Attempt, remember } from "./memory.ts";
import { hostnameOf } from "./network.ts";
import { observe } from "./observe.ts";
import { raised } from "./restart.ts";
import { shareWith } from "./sandbox.ts";
import { CreateError } from "./security.ts";
import { endProcesses } from "./stopping.ts";

/** A container that could not be made is tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;
/** Longest time for a hook that has no limit of its own. */
const HOOK_TIMEOUT_MS = 60 * 60_000;

type Start = Extract<Step, { do: "startContainer" }>;

/** Starts one container of a pod, up to the end of its postStart hook; false when it does not run. */
export async function startContainer(
  node: NodeContext,
  state: PodState,
  step: Start,
  container: CoreV1Container,
  image: EnsuredImage,
  volumeImages: ReadonlyMap<string, VolumeImage>,
): Promise<boolean> {
  const { events, effects } = node;
  const memory = remember(state.memory, step.container);
  const attempt = newAttempt(node, state, container, image, step.number);
  let options: ContainerOptions;
  try {
    options = await optionsOf(node, step, state, container, image, attempt, volumeImages);
  } catch (error) {
    const isRuntimes = error instanceof ImageVolumeError || error instanceof CreateError;
    const reason = isRuntimes ? "CreateContainerError" : "CreateContainerConfigError";
    return cannotStart(node, state, container, reason, (error as Error).message);
  }
  memory.backoff = raised(memory, container, attempt.sandbox, effects.now(), node.host.mostBackoffMs);
  const say = (type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(state.pod, type, reason, message, container.name);
  try {
    if (memory.current?.exit?.reason === "Unknown") await endProcesses(node, state.uid, memory.current.id);
    tellMade(node, state, attempt, await run(node, state, container, options));
    say("Normal", "Created", "Container created");
    say("Normal", "Started", "Container started");
  } catch (error) {
    state.lookFully = true;
    const message = startFailure(error as Error);
    if (message === undefined)
      return cannotStart(node, state, container, "CreateContainerError", (error as Error).message);
    say("Normal", "Created", "Container created");
    say("Warning", "Failed", `Error: ${message}`);
    attempt.exit = { code: 128, reason: "StartError", message, finishedAt: effects.now() };
  }
  begin(state, container, attempt);
  if (attempt.exit) {
    remember(state.memory, container.name).waiting = { reason: "RunContainerError", message: attempt.exit.message };
    return false;
  }
  await postStart(node, state, container, attempt);
  return true;
}

function run(node: NodeContext, state: PodState, container: CoreV1Container, options: ContainerOptions) {
  node.host.cgroups.make(state.uid, state.pod); // it may have been resized since
  // What was begun is finished before more is begun, so that of many pods some are ready soon.
  const begun = Object.values(state.memory.containers).some(({ current }) => current);
  const { stdin = false, tty = false, stdinOnce: once = false } = container;
  return node.host.runKept(options, { stdin, tty, once }, begun ? "now" : "patient");
}

function newAttempt(
  node: NodeContext,
  state: PodState,
  container: CoreV1Container,
  image: EnsuredImage,
  number: number,
): Attempt {
  return {
    number,
    id: "",
    sandbox: state.memory.sandbox?.id ?? "",
    image: container.image ?? "",
    resources: container.resources ?? {},
    imageID: imageIdOf(image),
    imageName: image.name,
    startedAt: 0,
    messagePath: node.host.files.messageFile(state.uid, container.name, number),
    ...(image.Config?.StopSignal ? { stopSignal: image.Config.StopSignal } : {}),
  };
}

async function optionsOf(
  node: NodeContext,
  step: Start,
  state: PodState,
  container: CoreV1Container,
  image: EnsuredImage,
  attempt: Attempt,
  volumeImages: ReadonlyMap<string, VolumeImage>,
): Promise<ContainerOptions> {
  const { host, desired, effects, nodeName, clusterDomain } = node;
  const { pod, memory, uid } = state;
  const { sandbox } = memory;
  if (!sandbox) throw new Error("the pod has no sandbox");
  const hostname = hostnameOf(pod, nodeName, clusterDomain);
  const volumeFile = (volume: string, path: string) => host.volumes.file(uid, volume, path);
  const env = environment(pod, container, { ...desired(), fields: fieldsOf(node, state), volumeFile });
  const targetName = (container as { targetContainerName?: string }).targetContainerName;
  const target = targetName && memory.containers[targetName]?.current?.id;
  if (targetName && !target) throw new Error(`unable to find target container ${targetName}`);
  const shared = await shareWith(node, pod, sandbox);
  return containerOptions(pod, container, {
    sandbox,
    hostname,
    files: [
      ...host.files.names(uid),
      [shared.shm, "/dev/shm"],
      [attempt.messagePath ?? "", container.terminationMessagePath ?? "/dev/termination-log"],
    ],
    attempt: step.number,
    kind: step.kind,
    env,
    mounts: await host.volumes.mountsOf(pod, container, { env, images: volumeImages }),
    image,
    imageID: attempt.imageID,
    machineBytes: host.memoryBytes,
    runtimeLimits: host.runtimeLimits,
    cgroupParent: host.cgroups.parentOf(uid, pod),
    shared: shared.flags,
    security: host.security,
    chance: effects.uid(),
    target,
  });
}

function begin(state: PodState, container: CoreV1Container, attempt: Attempt): void {
  const memory = remember(state.memory, container.name);
  state.memory.containers[container.name] = {
    current: attempt,
    previous: memory.current ?? memory.previous,
    backoff: memory.backoff,
    started: false,
    ready: false,
  };
}

function tellMade(node: NodeContext, state: PodState, attempt: Attempt, made: Inspected): void {
  const observed = observe(made, node.effects);
  state.fresh.made.push(observed);
  attempt.id = made.Id;
  attempt.startedAt = observed.startedAt || node.effects.now();
  attempt.pid = made.State.Pid;
  attempt.startTicks = attempt.pid ? node.host.processes.startTicks(attempt.pid) : undefined;
  attempt.logPath = made.LogPath;
  attempt.user = node.host.security.userOf(made.Id);
  state.lookFully ||= !made.LogPath; // it runs; what could not be asked now, the next look tells
}

/** https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ */
async function postStart(
  node: NodeContext,
  state: PodState,
  container: CoreV1Container,
  attempt: Attempt,
): Promise<void> {
  const memory = remember(state.memory, container.name);
  const hook = container.lifecycle?.postStart;
  if (hook) {
    const ip = fieldsOf(node, state).podIPs[0] ?? "";
    const aborted = new Promise<undefined>((resolve) =>
      state.ending.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    const done = node.host.act(hook, { container, containerId: attempt.id, ip }, HOOK_TIMEOUT_MS, "lifecycle");
    const verdict = await Promise.race([done, aborted]);
    if (verdict && !tellHook(node, state, "PostStart", container, verdict)) {
      memory.condemned = { message: "FailedPostStartHook" };
      const message = hookFailure(hook, state.pod, container, verdict);
      memory.waiting = { reason: "PostStartHookError", message };
      return;
    }
  }
  if (!container.startupProbe) memory.started = true;
}

function cannotStart(
  node: NodeContext,
  state: PodState,
  container: CoreV1Container,
  reason: string,
  message: string,
): false {
  const memory = remember(state.memory, container.name);
  node.events.record(state.pod, "Warning", "Failed", `Error: ${message}`, container.name);
  memory.waiting = { reason, message };
  memory.retryAt = node.effects.now() + RETRY_MS;
  return false;
}

/** What became of a container that was made; undefined when it was not, as nerdctl makes and starts it at once. */
function startFailure({ message }: Error): string | undefined {
  return message.startsWith("failed to create shim task") ? `failed to create containerd task: ${message}` : undefined;
}
