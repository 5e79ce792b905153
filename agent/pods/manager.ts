import type { CoreV1Node, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { AgentClock } from "../clock.ts";
import { type Desired, nothingDesired } from "../desired.ts";
import { Images } from "../images/images.ts";
import { anyName } from "../images/reference.ts";
import type { Outbox } from "../outbox.ts";
import type { Runtime } from "../runtime.ts";
import { isStatic } from "../static/annotations.ts";
import { fullName } from "../static/mirrors.ts";
import type { Api } from "../volumes/tokens.ts";
import type { Rejection } from "./admission.ts";
import type { NodeContext, PodState } from "./context.ts";
import { EventRecorder } from "./events.ts";
import { Executor } from "./executor.ts";
import { type FoundContainer, foundContainer } from "./found.ts";
import { Gate, inTurn } from "./gate.ts";
import type { Host } from "./host.ts";
import { attemptsOf, type Ended, newMemory, type PodMemory, parseSandboxName, type Sandbox } from "./memory.ts";
import type { PodNetwork } from "./network.ts";
import { Label, type Observed, observe } from "./observe.ts";
import { anyRuns, isOver, phaseOf } from "./phase.ts";
import { StatusReporter } from "./reporter.ts";
import { RuntimeWatch } from "./runtime-watch.ts";
import { PodWorker } from "./worker.ts";

export type PodManagerDeps = {
  nodeName: string;
  hostIPs(): string[];
  runtime: Runtime;
  host: Host;
  network: PodNetwork;
  effects: AgentClock;
  /** Rejects when there is no uplink. */
  api: Api;
  clusterDomain?: string;
  /** The node as the cluster has it. */
  nodeObject?(): CoreV1Node | undefined;
  /** Conditions of the node that hold, as `MemoryPressure`. */
  pressures?(): readonly string[];
  /** All of a pod is off this machine. */
  onGone?(): void;
  /** Why the node takes nothing now, whatever it is. */
  refuses?(): Rejection | undefined;
  /** Images came or went, or may have. */
  onImages?(): void;
  log(message: string): void;
  /** Where events wait for the cluster. */
  outbox?: Outbox;
};

/** Events can be lost, so all is compared so often. */
const FULL_LOOK_MS = 60_000;
const INSPECT_AT_ONCE = 50;
/** Steps under way are waited for so long at a stop. */
const STOP_MS = 5_000;

/** Runs the pods of a node: what `sync` was last given is what runs, with or without an uplink. */
export class PodManager {
  readonly #deps: PodManagerDeps;
  readonly #node: NodeContext;
  readonly #reporter: StatusReporter;
  readonly #executor: Executor;
  readonly #gate: Gate;
  readonly #workers = new Map<string, PodWorker>();
  readonly #watch: RuntimeWatch;
  #memories = new Map<string, PodMemory>();
  #desired: Desired = nothingDesired;
  /** `sync` was called: until then nobody knows what should run. */
  #wanted = false;
  #started = false;
  #synced = false;
  #stopped = false;
  #cancelLook = () => {};
  #stopSweep = () => {};
  #looking = false;
  /**
   * The cluster has said what should run. Until then a pod that nothing here knows of may be a new one, whose agent lost
   * its disk or got an old one back.
   */
  #heard = false;
  /** All containers were seen once and have their pods: one that comes new has none. */
  #looked = false;

  constructor(deps: PodManagerDeps) {
    this.#deps = deps;
    const { nodeName, runtime, host, network, effects, api, log, outbox } = deps;
    const events = new EventRecorder({ nodeName, api, effects, outbox });
    this.#reporter = new StatusReporter({ api, timers: effects, log });
    this.#node = {
      nodeName,
      hostIPs: deps.hostIPs,
      clusterDomain: deps.clusterDomain ?? "cluster.local",
      runtime,
      host,
      network,
      images: new Images({ runtime, effects, events, settings: host.images }),
      events,
      effects,
      desired: () => this.#desired,
      log,
    };
    this.#gate = new Gate({
      ...{ host, events, effects, log },
      node: () => ({ object: deps.nodeObject?.(), pressures: deps.pressures?.() ?? [] }),
      refuses: () => deps.refuses?.(),
      active: () => this.active(),
      end: (uid, verdict) => this.end(uid, verdict),
    });
    this.#watch = new RuntimeWatch({
      runtime,
      effects,
      onExit: (id) => {
        for (const worker of this.#workers.values()) if (worker.owns(id)) worker.exited(id);
      },
      onImages: () => deps.onImages?.(),
      onGap: () => {
        deps.onImages?.();
        void this.#lookSoon();
      },
    });
    this.#executor = new Executor(this.#node, (state) => this.#confirmDeletion(state));
  }

  /** Takes over what an earlier agent left running. Nothing is changed before the first `sync`. */
  async start(): Promise<void> {
    const { prepare, files, processes } = this.#deps.host;
    await prepare();
    this.#memories = new Map(
      files.uids().flatMap((uid) => {
        const memory = files.memory(uid);
        return memory ? [[uid, memory]] : [];
      }),
    );
    this.#watch.start();
    this.#lookLater();
    this.#stopSweep = processes.watch(() => {
      for (const worker of this.#workers.values()) worker.sweep();
    });
    this.#started = true;
    if (this.#wanted) this.#apply(this.#desired);
  }

  /** What should run now. To be called at every change, and at a start with what was last known. */
  sync(desired: Desired): void {
    this.#desired = desired;
    this.#wanted = true;
    if (this.#started && !this.#stopped) this.#apply(desired);
  }

  #apply(desired: Desired): void {
    for (const [uid, pod] of inTurn(desired.pods, (uid) => this.#workers.get(uid)?.state.memory)) {
      const worker = this.#workers.get(uid);
      if (worker) worker.update(pod, this.#toldAs(pod));
      else if (!isStatic(pod) || !this.isPresent(fullName(pod))) this.#begin(pod, true);
    }
    for (const [uid, worker] of this.#workers) if (!desired.pods.has(uid)) worker.update(undefined, undefined);
    this.#deps.host.cgroups.balance(this.active().map((state) => state.pod));
    if (this.#synced) return;
    this.#synced = true;
    void this.#lookSoon();
  }

  /** The uplink is back: what could not be told is told now. */
  online(): void {
    this.#reporter.retry();
    this.#node.events.flush();
    for (const worker of this.#workers.values()) if (worker.state.deleted) worker.wake();
    if (this.#heard) return;
    this.#heard = true;
    void this.#lookSoon();
  }

  /** An event about the node itself. */
  tellNode(...event: Parameters<EventRecorder["recordNode"]>): void {
    this.#node.events.recordNode(...event);
  }

  /** An event about a PersistentVolume. */
  tellVolume(...event: Parameters<EventRecorder["recordVolume"]>): void {
    this.#node.events.recordVolume(...event);
  }

  /** An event about a PersistentVolumeClaim. */
  tellClaim(...event: Parameters<EventRecorder["recordClaim"]>): void {
    this.#node.events.recordClaim(...event);
  }

  /** An event about a Service. */
  tellService(...event: Parameters<EventRecorder["recordService"]>): void {
    this.#node.events.recordService(...event);
  }

  /** An event about a pod that is not from what becomes of it. */
  tellPod(...event: Parameters<EventRecorder["record"]>): void {
    this.#node.events.record(...event);
  }

  /** Stops managing; containers go on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch.stop();
    this.#reporter.stop();
    this.#cancelLook();
    this.#stopSweep();
    const stopping = [...this.#workers.values()].map((worker) => worker.stop());
    await Promise.race([Promise.all(stopping), this.#deps.effects.sleep(STOP_MS)]);
  }

  /** `uid` may be "" for whichever pod has that name now; `container` "" for its only or first one. */
  find(namespace: string, name: string, uid: string, container: string): FoundContainer | undefined {
    const state = this.#stateOf(namespace, name, uid);
    return state && foundContainer(state, container, this.#deps.host);
  }

  /** What the containers of a pod share, while it stands; `uid` as for `find`. */
  sandboxOf(namespace: string, name: string, uid: string): Sandbox | undefined {
    const sandbox = this.#stateOf(namespace, name, uid)?.memory.sandbox;
    return sandbox?.running ? sandbox : undefined;
  }

  /** All pods that are here, wanted or not any more. */
  present(): readonly (Pick<PodState, "pod" | "memory" | "deleted"> & {
    /** Where a volume of it lies, by its name in the pod. */
    placeOf?(volume: string): string | undefined;
  })[] {
    const { volumes } = this.#deps.host;
    return [...this.#workers.values()].map(({ state: { uid, pod, memory, deleted } }) => ({
      ...{ pod, memory, deleted },
      placeOf: (volume: string) => volumes.file(uid, volume, "")?.place,
    }));
  }

  /** A pod that is here, or was when this agent began; as it is wanted now, or was last. */
  podOf(uid: string): CoreV1Pod | undefined {
    return this.#desired.pods.get(uid) ?? this.#workers.get(uid)?.state.pod ?? this.#memories.get(uid)?.pod;
  }

  #stateOf(namespace: string, name: string, uid: string): PodState | undefined {
    const { mirrors = new Map<string, CoreV1Pod>() } = this.#desired;
    const found = this.#workers.values().find(({ state: { memory } }) => {
      if (memory.namespace !== namespace || memory.name !== name) return false;
      return uid === "" || memory.uid === uid || mirrors.get(memory.uid)?.metadata.uid === uid;
    });
    return found?.state;
  }

  /** Something of a pod with this name (`NAMESPACE/NAME`) is here. */
  isPresent(name: string): boolean {
    return this.#workers.values().some(({ state: { memory } }) => `${memory.namespace}/${memory.name}` === name);
  }

  #toldAs(pod: CoreV1Pod): CoreV1Pod | undefined {
    return isStatic(pod) ? this.#desired.mirrors?.get(pod.metadata.uid ?? "") : pod;
  }

  #begin(pod: CoreV1Pod, known: boolean): void {
    const uid = pod.metadata.uid ?? "";
    const remembered = this.#memories.get(uid);
    const memory = remembered ?? newMemory(pod, this.#deps.effects.now());
    const isNew = known && !remembered && this.#looked;
    if (isNew && !pod.status?.startTime) memory.ended = this.#gate.rejection(pod);
    this.#memories.delete(uid);
    const deps = {
      node: this.#node,
      executor: this.#executor,
      reporter: this.#reporter,
      told: this.#watch,
      allocate: (wanted: CoreV1Pod, of: PodMemory) => this.#gate.allocate(wanted, of),
      onGone: (gone: string) => this.#forget(gone),
    };
    this.#workers.set(
      uid,
      new PodWorker(deps, pod, memory, { known, isNew, toldAs: known ? this.#toldAs(pod) : undefined }),
    );
  }

  /** Those whose pods are wanted and not over: who has just gone, or ended, by the same news, has made room. */
  active(): PodState[] {
    const states = [...this.#workers.values()].map(({ state }) => state);
    return states.filter(({ uid, pod, memory }) => {
      const wanted = this.#desired.pods.get(uid);
      return wanted && !isOver(wanted.status?.phase ?? "Pending") && !isOver(phaseOf(pod, memory));
    });
  }

  /** The node ends a pod for a reason of its own. */
  end(uid: string, verdict: Ended): void {
    this.#workers.get(uid)?.end(verdict);
  }

  isRunning(uid: string): boolean {
    const worker = this.#workers.get(uid);
    return worker !== undefined && anyRuns(worker.state.memory);
  }

  /** Removes the containers of pods that are over, with their logs. */
  discardEnded(): void {
    for (const worker of this.#workers.values())
      if (worker.state.known && isOver(phaseOf(worker.state.pod, worker.state.memory))) worker.discard();
  }

  /** Some of them are still there. */
  isDiscarding(): boolean {
    return this.#workers.values().some((worker) => worker.isDiscarding);
  }

  /** It was removed from the node. */
  forgetImage(id: string): void {
    this.#node.images.forget(id);
  }

  /** What containers were made from, those included that have ended, and what pods name that may need it next. */
  usedImages(): { ids: Set<string>; names: Set<string> } {
    const used = { ids: new Set<string>(), names: new Set<string>() };
    for (const { state } of this.#workers.values()) {
      for (const { imageID, imageName } of state.memory.discarded ? [] : attemptsOf(state.memory)) {
        used.ids.add(imageID.split("@").at(-1) ?? imageID);
        used.names.add(imageName);
      }
      for (const { image } of state.pod.spec.volumes ?? [])
        if (image?.reference) used.names.add(anyName(image.reference));
    }
    return used;
  }

  #forget(uid: string): void {
    void this.#workers.get(uid)?.stop();
    this.#workers.delete(uid);
    this.#reporter.forget(uid);
    // A static pod whose file changed waits for what it said before to end.
    if ([...this.#desired.pods].some(([wanted, pod]) => isStatic(pod) && !this.#workers.has(wanted)))
      this.#apply(this.#desired);
    this.#deps.onGone?.();
  }

  /** The node has ended the pod: only now may the API server let its name go. */
  async #confirmDeletion({ pod, uid }: PodState): Promise<void> {
    const { namespace, name } = pod.metadata;
    if (!(await this.#reporter.flush(uid))) return;
    try {
      await this.#deps.api("DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`, {
        apiVersion: "v1",
        kind: "DeleteOptions",
        gracePeriodSeconds: 0,
        preconditions: { uid },
      });
    } catch {
      // Without an uplink; the worker tries again.
    }
  }

  #lookLater(): void {
    this.#cancelLook = this.#deps.effects.after(FULL_LOOK_MS, async () => {
      await this.#lookSoon();
      if (!this.#stopped) this.#lookLater();
    });
  }

  async #lookSoon(): Promise<void> {
    await this.#look().catch((error: Error) => this.#deps.log(`full look: ${error.message}`));
  }

  /** Compares all that is here with all that is known: exits that were missed, doubles, orphans, leftovers. */
  async #look(): Promise<void> {
    if (this.#looking || !this.#synced || this.#stopped) return;
    this.#looking = true;
    const heard = this.#heard;
    try {
      const { runtime, effects } = this.#deps;
      const ids = await runtime.list(Label.podUid);
      const observed: Observed[] = [];
      for (let at = 0; at < ids.length; at += INSPECT_AT_ONCE)
        observed.push(
          ...(await runtime.inspect(ids.slice(at, at + INSPECT_AT_ONCE))).map((inspected) =>
            observe(inspected, effects),
          ),
        );
      if (this.#stopped) return;
      const byPod = Map.groupBy(observed, (o) => o.podUid);
      for (const [uid, worker] of this.#workers) if (!worker.agreesWith(byPod.get(uid) ?? [])) worker.wake(true);
      for (const [uid, [first]] of byPod)
        if (first && !this.#workers.has(uid) && (heard || this.#memories.has(uid)))
          this.#begin(this.#orphan(first), false);
      for (const memory of this.#memories.values()) if (memory.pod) this.#begin(memory.pod, false);
      const { cgroups, files, volumes } = this.#deps.host;
      for (const uid of files.uids()) if (!this.#workers.has(uid)) await volumes.remove(uid);
      for (const uid of cgroups.uids()) if (heard && !this.#workers.has(uid)) cgroups.remove(uid);
      const { network, host } = this.#deps;
      for (const shared of [host.security.namespaces, network])
        for (const name of shared.opened())
          if (heard && !this.#workers.has(parseSandboxName(name).uid)) await shared.close(name);
      this.#looked = heard;
    } finally {
      this.#looking = false;
    }
  }

  /** A pod of which only containers tell. */
  #orphan({ podUid: uid, podName: name, podNamespace: namespace }: Observed): CoreV1Pod {
    return this.#memories.get(uid)?.pod ?? { metadata: { uid, name, namespace }, spec: { containers: [] } };
  }
}
