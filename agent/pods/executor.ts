import { PULL_FAILURES } from "../images/failures.ts";
import type { EnsuredImage } from "../images/images.ts";
import type { Step } from "../plan.ts";
import type { VolumeImage } from "../volumes/manager.ts";
import { goDuration } from "./backoff.ts";
import { fieldsOf, type NodeContext, type PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import { imageVolumes, volumeImage } from "./image-volumes.ts";
import { remember } from "./memory.ts";
import { referencesKey } from "./references.ts";
import { resizePod } from "./resizing.ts";
import { closeSandbox, createSandbox } from "./sandbox.ts";
import { startContainer } from "./starting.ts";
import { endProcesses, killPod, stopContainer } from "./stopping.ts";

/** Volumes that could not be made are tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;

const CGROUP_TRIES = 20;

type Doing<Name extends Step["do"]> = Extract<Step, { do: Name }>;
type Act<Name extends Step["do"]> = (step: Doing<Name>, state: PodState) => Promise<boolean>;

/** Does the steps of a plan. Each says whether the steps after it for the same container still make sense. */
export class Executor {
  readonly #node: NodeContext;
  readonly #images = new Map<string, EnsuredImage>();
  readonly #acts: { [Name in Step["do"]]: Act<Name> };

  constructor(node: NodeContext, confirmDeletion: (state: PodState) => Promise<void>) {
    this.#node = node;
    this.#acts = {
      prepareVolumes: (_, state) => this.#prepareVolumes(state),
      createSandbox: ({ number }, state) => createSandbox(node, state, number),
      pullImage: (step, state) => this.#pullImage(step, state),
      startContainer: (step, state) => this.#startContainer(step, state),
      resizePod: ({ containers }, state) => resizePod(node, state, containers),
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
      closeSandbox: async (_, state) => {
        state.volumesReady = false;
        await node.host.volumes.release(state.uid);
        await closeSandbox(node, state);
        node.host.cgroups.remove(state.uid); // what is still on its way out goes with the pod
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
    const { host, desired, events, effects } = this.#node;
    const tell = (reason: string, message: string) => events.record(state.pod, "Warning", reason, message);
    const given = desired();
    const context = { pod: state.pod, desired: given, fields: fieldsOf(this.#node, state), tell };
    const problems = await host.volumes.prepare(context).catch((error: Error) => [error.message]);
    for (const problem of problems) tell(problem.startsWith("MapVolume.") ? "FailedMapVolume" : "FailedMount", problem);
    state.volumesReady = !problems.length;
    // What was missing may have come meanwhile.
    const isSame = () => referencesKey(state.pod, given) === referencesKey(state.pod, desired());
    const pauseMs = host.volumes.pauseMs?.(state.uid) ?? RETRY_MS;
    if (problems.length) state.retryAt = isSame() ? effects.now() + pauseMs : undefined;
    return state.volumesReady;
  }

  async #pullImage(step: Doing<"pullImage">, state: PodState): Promise<boolean> {
    const container = containerNamed(state.pod, step.container);
    if (!container) return false;
    const memory = remember(state.memory, step.container);
    const { images, desired } = this.#node;
    for (const { reference, pullPolicy } of imageVolumes(state.pod, container)) {
      const wanted = { name: "", image: reference, imagePullPolicy: pullPolicy };
      const found = await images.ensure(state.pod, wanted, memory, desired().secrets, state.ending);
      if (found) this.#images.set(reference, found);
      else if (memory.waiting) memory.waiting.image = reference;
      if (!found) return false;
    }
    const image = await images.ensure(state.pod, container, memory, desired().secrets, state.ending);
    if (image) this.#images.set(container.image ?? "", image);
    return image !== undefined;
  }

  async #startContainer(step: Doing<"startContainer">, state: PodState): Promise<boolean> {
    const container = containerNamed(state.pod, step.container);
    const image = this.#images.get(container?.image ?? "");
    if (!container || !image) return false;
    // It may be the first that has a use for a volume.
    if (step.kind === "ephemeral" && !(await this.#prepareVolumes(state))) return false;
    const volumes = imageVolumes(state.pod, container).flatMap(({ volume, reference }): [string, VolumeImage][] => {
      const found = this.#images.get(reference);
      return found ? [[volume, volumeImage(reference, found)]] : [];
    });
    return startContainer(this.#node, state, step, container, image, new Map(volumes));
  }

  async #backOff({ container, until }: Doing<"backOff">, state: PodState): Promise<boolean> {
    const memory = remember(state.memory, container);
    const { name, namespace, uid } = state.pod.metadata;
    const spec = containerNamed(state.pod, container);
    const say = (reason: string, message: string) =>
      this.#node.events.record(state.pod, "Warning", reason, message, container);
    if (spec && PULL_FAILURES.has(memory.waiting?.reason ?? "")) {
      this.#node.images.backOff(state.pod, spec, memory, until);
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
    if (step.again) attempt.replaced = true;
    this.#node.events.record(state.pod, "Normal", "Killing", step.message, step.container);
    const begun = this.#node.effects.now();
    // A pod that is being deleted may leave less time than the container was promised.
    const grace = () =>
      state.ending.aborted
        ? Math.min(state.pod.metadata.deletionGracePeriodSeconds ?? step.graceSeconds, step.graceSeconds)
        : step.graceSeconds;
    await stopContainer(this.#node, state, { container, attempt, deadline: () => begun + grace() * 1000 });
    return true;
  }

  async #removeContainers({ ids }: Doing<"removeContainers">, state: PodState): Promise<boolean> {
    const { uid, fresh } = state;
    await this.#node.host.keptLogs?.removing(state, ids);
    // First, as nothing leads to them any more once the containers are gone.
    for (const id of ids) await endProcesses(this.#node, uid, id);
    await this.#node.runtime.remove(ids);
    fresh.removed.push(...ids);
    return true;
  }

  async #cleanUp(state: PodState): Promise<boolean> {
    const { uid, memory } = state;
    const { host, effects } = this.#node;
    await closeSandbox(this.#node, state);
    await host.volumes.remove(uid);
    await endProcesses(this.#node, uid);
    for (let tries = 0; !host.cgroups.remove(uid) && tries < CGROUP_TRIES; tries++) await effects.sleep(50);
    memory.cleaned = true;
    return true;
  }
}
