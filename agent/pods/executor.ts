import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CoreV1Container } from "../../worker/kinds/generated/types.ts";
import type { ContainerOptions, InspectedImage } from "../nerdctl.ts";
import { renderResolvConf } from "../network/dns/resolvConf.ts";
import type { Step } from "../plan.ts";
import { goDuration, raise } from "./backoff.ts";
import { makePodCgroup, removePodCgroup } from "./cgroups.ts";
import { containerOptions, sandboxOptions } from "./container-spec.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import { ConfigError, environment } from "./env.ts";
import { containerNamed } from "./fields.ts";
import { act } from "./handlers.ts";
import { imageIdOf } from "./images.ts";
import { keeperSocket, runKept } from "./keeping.ts";
import { type Attempt, remember } from "./memory.ts";
import { hostnameOf, printHosts } from "./network.ts";
import { observe } from "./observe.ts";
import { isAlive, signal, startTicks } from "./processes.ts";
import { killPod, stopContainer } from "./stopping.ts";

/** A container or volume that could not be made is tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;
/** Longest time for a hook that has no limit of its own. */
const HOOK_TIMEOUT_MS = 60 * 60_000;

const CGROUP_TRIES = 20;

type Doing<Name extends Step["do"]> = Extract<Step, { do: Name }>;
type Act<Name extends Step["do"]> = (step: Doing<Name>, state: PodState) => Promise<boolean>;

/** Does the steps of a plan. Each says whether the steps after it for the same container still make sense. */
export class Executor {
  readonly #node: NodeContext;
  readonly #images = new Map<string, InspectedImage>();
  readonly #acts: { [Name in Step["do"]]: Act<Name> };

  constructor(node: NodeContext, confirmDeletion: (state: PodState) => Promise<void>) {
    this.#node = node;
    this.#acts = {
      prepareVolumes: (_, state) => this.#prepareVolumes(state),
      createSandbox: (step, state) => this.#createSandbox(step, state),
      pullImage: (step, state) => this.#pullImage(step, state),
      startContainer: (step, state) => this.#startContainer(step, state),
      backOff: (step, state) => this.#backOff(step, state),
      stopContainer: (step, state) => this.#stopContainer(step, state),
      removeContainers: (step, state) => this.#removeContainers(step, state),
      killPod: async (step, state) => {
        await killPod(node, state, () => state.pod.metadata.deletionGracePeriodSeconds ?? step.graceSeconds);
        return true;
      },
      endPod: async ({ reason, message }, state) => {
        state.memory.ended = { reason, message };
        node.events.record(state.pod, "Normal", reason, message);
        return true;
      },
      cleanUp: (_, state) => this.#cleanUp(state),
      confirmDeletion: async (_, state) => {
        await confirmDeletion(state);
        return true;
      },
    };
  }

  /** Does the steps in order, up to one after which the rest of the pod has to wait. */
  async execute(steps: readonly Step[], state: PodState): Promise<void> {
    const blocked = new Set<string>();
    for (const step of steps) {
      const container = "container" in step ? step.container : undefined;
      if (container !== undefined && blocked.has(container)) continue;
      if (state.ending.aborted && (step.do === "startContainer" || step.do === "createSandbox")) return;
      const done = await (this.#acts[step.do] as Act<Step["do"]>)(step, state);
      if (done) continue;
      if (container === undefined) return;
      blocked.add(container);
    }
  }

  async #prepareVolumes(state: PodState): Promise<boolean> {
    const { volumes, desired, events, effects } = this.#node;
    try {
      await volumes.prepare({ pod: state.pod, desired: desired(), fields: fieldsOf(this.#node, state) });
      state.volumesReady = true;
    } catch (error) {
      events.record(state.pod, "Warning", "FailedMount", (error as Error).message);
      state.volumesReady = false;
      state.retryAt = effects.now() + RETRY_MS;
    }
    return state.volumesReady;
  }

  async #createSandbox({ number }: Doing<"createSandbox">, state: PodState): Promise<boolean> {
    const { nerdctl, network, nodeName, effects, events } = this.#node;
    const { pod, memory, uid } = state;
    if (number > 0)
      events.record(pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    try {
      makePodCgroup(uid, pod);
      const given = { nodeName, networkName: network.networkName, chance: effects.uid() };
      const id = await nerdctl.run(sandboxOptions(pod, number, given), "patient");
      const [made] = await nerdctl.inspect([id]);
      if (!made) throw new Error("the pause container is gone");
      const ip = made.NetworkSettings?.IPAddress || undefined;
      const { Pid: pid } = made.State;
      memory.sandbox = { id, number, ip, pid, startTicks: startTicks(pid), running: true };
      memory.sandboxes = number + 1;
      state.fresh.made.push(observe(made));
      this.#writeNames(state, made.ResolvConfPath ?? "");
      return true;
    } catch (error) {
      state.lookFully = true;
      const message = `Failed to create pod sandbox: ${(error as Error).message}`;
      events.record(pod, "Warning", "FailedCreatePodSandBox", message);
      state.retryAt = effects.now() + RETRY_MS;
      return false;
    }
  }

  /** All containers of the pod see the pause container's files, which nerdctl would fill with names of other pods. */
  #writeNames(state: PodState, resolvConf: string): void {
    const { network, nodeName, clusterDomain } = this.#node;
    const { pod, memory } = state;
    writeFileSync(resolvConf, renderResolvConf(network.dns(pod)));
    const folder = join(dirname(resolvConf).replace("/containers/", "/etchosts/"));
    rmSync(join(folder, "meta.json"), { force: true }); // without it nerdctl leaves the file alone
    const machine = readFileSync("/etc/hosts", "utf8");
    writeFileSync(
      join(folder, "hosts"),
      printHosts(pod, memory.sandbox?.ip ?? "", hostnameOf(pod, nodeName), clusterDomain, machine),
    );
  }

  async #pullImage(step: Doing<"pullImage">, state: PodState): Promise<boolean> {
    const container = containerNamed(state.pod, step.container);
    if (!container) return false;
    const memory = remember(state.memory, step.container);
    const image = await this.#node.images.ensure(state.pod, container, memory, this.#node.desired().secrets);
    if (image) this.#images.set(container.image ?? "", image);
    return image !== undefined;
  }

  async #startContainer(step: Doing<"startContainer">, state: PodState): Promise<boolean> {
    const container = containerNamed(state.pod, step.container);
    const image = this.#images.get(container?.image ?? "");
    if (!container || !image) return false;
    const { nerdctl, events, effects } = this.#node;
    const memory = remember(state.memory, step.container);
    const attempt = this.#attempt(state, container, image, step.number);
    let options: ContainerOptions;
    try {
      options = await this.#optionsOf(step, state, container, image, attempt);
    } catch (error) {
      const reason = error instanceof ConfigError ? "CreateContainerConfigError" : "CreateContainerError";
      return this.#cannotStart(state, container, reason, (error as Error).message);
    }
    const again = memory.current?.sandbox === attempt.sandbox ? memory.current.exit : undefined;
    if (again) memory.backoff = raise(memory.backoff, again.finishedAt, effects.now());
    const say = (type: "Normal" | "Warning", reason: string, message: string) =>
      events.record(state.pod, type, reason, message, container.name);
    try {
      attempt.id = container.stdin ? await this.#runKept(state, container, options) : await nerdctl.run(options);
      say("Normal", "Created", "Container created");
      say("Normal", "Started", "Container started");
    } catch (error) {
      const message = (error as Error).message;
      say("Warning", "Failed", `Error: ${message}`);
      state.lookFully = true;
      attempt.exit = { code: 128, reason: "StartError", message, finishedAt: effects.now() };
    }
    this.#begin(state, container, attempt);
    if (attempt.exit) {
      memory.waiting = { reason: "RunContainerError", message: attempt.exit.message };
      return false;
    }
    await this.#observeStart(state, attempt);
    await this.#postStart(state, container, attempt);
    return true;
  }

  #runKept(state: PodState, container: CoreV1Container, options: ContainerOptions): Promise<string> {
    const { nerdctl, effects, home } = this.#node;
    const socket = keeperSocket(home, state.uid, container.name);
    const given = { socket, tty: container.tty === true, once: container.stdinOnce === true };
    return runKept({ nerdctl, timers: effects }, options, given);
  }

  #attempt(state: PodState, container: CoreV1Container, image: InspectedImage, number: number): Attempt {
    const folder = join(this.#node.volumes.folder(state.uid), "containers", container.name);
    mkdirSync(folder, { recursive: true });
    const messagePath = join(folder, `message-${number % 2}`);
    writeFileSync(messagePath, "");
    return {
      number,
      id: "",
      sandbox: state.memory.sandbox?.id ?? "",
      image: container.image ?? "",
      imageID: imageIdOf(image),
      imageName: "",
      startedAt: 0,
      messagePath,
      ...(image.Config?.StopSignal ? { stopSignal: image.Config.StopSignal } : {}),
    };
  }

  async #optionsOf(
    step: Doing<"startContainer">,
    state: PodState,
    container: CoreV1Container,
    image: InspectedImage,
    attempt: Attempt,
  ) {
    const { volumes, desired, effects, machineBytes } = this.#node;
    const { pod, memory } = state;
    const given = environment(pod, container, { ...desired(), fields: fieldsOf(this.#node, state) });
    const env = new Map([["HOSTNAME", hostnameOf(pod, this.#node.nodeName)], ...given]);
    const targetName = (container as { targetContainerName?: string }).targetContainerName;
    return containerOptions(pod, container, {
      sandbox: attempt.sandbox,
      attempt: step.number,
      kind: step.kind,
      env,
      mounts: await volumes.mountsOf(pod, container, env),
      image,
      imageID: attempt.imageID,
      messagePath: attempt.messagePath ?? "",
      machineBytes,
      chance: effects.uid(),
      target: targetName && memory.containers[targetName]?.current?.id,
    });
  }

  #begin(state: PodState, container: CoreV1Container, attempt: Attempt): void {
    const memory = remember(state.memory, container.name);
    state.memory.containers[container.name] = {
      current: attempt,
      previous: memory.current ?? memory.previous,
      backoff: memory.backoff,
      started: false,
      ready: false,
    };
  }

  async #observeStart(state: PodState, attempt: Attempt): Promise<void> {
    const [made] = await this.#node.nerdctl.inspect([attempt.id]);
    if (made) state.fresh.made.push(observe(made));
    attempt.startedAt = Date.parse(made?.State.StartedAt ?? "") || this.#node.effects.now();
    attempt.pid = made?.State.Pid;
    attempt.startTicks = attempt.pid ? startTicks(attempt.pid) : undefined;
    attempt.logPath = made?.LogPath;
    attempt.imageName = made?.Image ?? attempt.image;
  }

  /** https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ */
  async #postStart(state: PodState, container: CoreV1Container, attempt: Attempt): Promise<void> {
    const memory = remember(state.memory, container.name);
    const hook = container.lifecycle?.postStart;
    if (hook) {
      const ip = fieldsOf(this.#node, state).podIP;
      const means = { nerdctl: this.#node.nerdctl, timers: this.#node.effects };
      const aborted = new Promise<undefined>((resolve) =>
        state.ending.addEventListener("abort", () => resolve(undefined), { once: true }),
      );
      const done = act(hook, { container, containerId: attempt.id, ip }, means, HOOK_TIMEOUT_MS);
      const verdict = await Promise.race([done, aborted]);
      if (verdict && !verdict.ok) {
        this.#node.events.record(state.pod, "Warning", "FailedPostStartHook", "PostStartHook failed", container.name);
        memory.condemned = { message: "FailedPostStartHook" };
        return;
      }
    }
    if (!container.startupProbe) memory.started = true;
  }

  #cannotStart(state: PodState, container: CoreV1Container, reason: string, message: string): false {
    const memory = remember(state.memory, container.name);
    this.#node.events.record(state.pod, "Warning", "Failed", `Error: ${message}`, container.name);
    memory.waiting = { reason, message };
    memory.retryAt = this.#node.effects.now() + RETRY_MS;
    return false;
  }

  async #backOff({ container, until }: Doing<"backOff">, state: PodState): Promise<boolean> {
    const memory = remember(state.memory, container);
    const { name, namespace, uid } = state.pod.metadata;
    const spec = containerNamed(state.pod, container);
    const say = (reason: string, message: string) =>
      this.#node.events.record(state.pod, "Warning", reason, message, container);
    if (memory.waiting?.reason === "ErrImagePull") {
      const message = `Back-off pulling image "${spec?.image}"`;
      memory.waiting = { reason: "ImagePullBackOff", message: `${message}: ErrImagePull: ${memory.waiting.message}` };
      memory.retryAt = until;
      say("BackOff", message);
      say("Failed", "Error: ImagePullBackOff");
      return true;
    }
    const delay = goDuration(memory.backoff?.delayMs ?? 0);
    memory.waiting = {
      reason: "CrashLoopBackOff",
      message: `back-off ${delay} restarting failed container=${container} pod=${name}_${namespace}(${uid})`,
    };
    say("BackOff", `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`);
    return true;
  }

  async #stopContainer(step: Doing<"stopContainer">, state: PodState): Promise<boolean> {
    const container = containerNamed(state.pod, step.container);
    const attempt = state.memory.containers[step.container]?.current;
    if (!container || !attempt) return true;
    this.#node.events.record(state.pod, "Normal", "Killing", step.message, step.container);
    const begun = this.#node.effects.now();
    // A pod that is being deleted may leave less time than the container was promised.
    const grace = () =>
      state.ending.aborted
        ? Math.min(state.pod.metadata.deletionGracePeriodSeconds ?? step.graceSeconds, step.graceSeconds)
        : step.graceSeconds;
    await stopContainer(this.#node, state, container, attempt, () => begun + grace() * 1000);
    return true;
  }

  /** A process whose keeper was killed outlives its container: it is ended first, by its pid and start. */
  async #removeContainers({ ids }: Doing<"removeContainers">, { memory, fresh }: PodState): Promise<boolean> {
    const attempts = Object.values(memory.containers).flatMap(({ current, previous }) => [current, previous]);
    for (const process of [...attempts, memory.sandbox])
      if (process && ids.includes(process.id) && isAlive(process)) signal(process, "SIGKILL");
    await this.#node.nerdctl.remove(ids);
    fresh.removed.push(...ids);
    if (memory.sandbox && ids.includes(memory.sandbox.id)) memory.sandbox.running = false;
    return true;
  }

  async #cleanUp({ uid, memory }: PodState): Promise<boolean> {
    await this.#node.volumes.remove(uid);
    for (const name of Object.keys(memory.containers)) {
      const socket = keeperSocket(this.#node.home, uid, name);
      for (const file of [socket, `${socket}.id`, `${socket}.errors`]) rmSync(file, { force: true });
    }
    for (let tries = 0; !removePodCgroup(uid) && tries < CGROUP_TRIES; tries++) await this.#node.effects.sleep(50);
    memory.cleaned = true;
    return true;
  }
}
