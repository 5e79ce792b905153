/**
 * Keeps a node from running out of what it shares: looks at intervals at what is left, and ends pods when it has to.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
 */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import type { Ended } from "../pods/memory.ts";
import { isCritical } from "../pods/resources.ts";
import { isStorageLimited, type StorageUsage, storageExcess } from "./local-storage.ts";
import { evictionMessage, inEvictionOrder, type PodUsage } from "./ranking.ts";
import type { NodeSettings } from "./settings.ts";
import {
  lookAtPressure,
  noPressure,
  type Observations,
  type Pressure,
  resourceOf,
  type StarvedResource,
  type Threshold,
  thresholdsMet,
} from "./thresholds.ts";
import type { MeasuredPod } from "./usage.ts";

export type EvictionDeps = {
  settings: Pick<NodeSettings, "thresholds" | "pressureTransitionMs" | "maxPodGraceSeconds">;
  effects: Effects & Timers;
  observe(): Observations;
  /** Those that are not over. */
  pods(): readonly MeasuredPod[];
  usage: {
    measure(pods: readonly MeasuredPod[], disk: boolean): Promise<ReadonlyMap<string, PodUsage>>;
    storage(pods: readonly MeasuredPod[]): Promise<ReadonlyMap<string, StorageUsage>>;
  };
  isRunning(uid: string): boolean;
  /** Ends a pod for good. */
  end(uid: string, verdict: Ended): void;
  /** Gives back what no pod needs: containers that have ended, images that none uses. */
  reclaimDisk(): Promise<void>;
  tellPod(pod: CoreV1Pod, reason: string, message: string): void;
  tellNode(type: "Normal" | "Warning", reason: string, message: string): void;
  /** The node's conditions are other ones now. */
  onChange(): void;
  log(message: string): void;
};

/** As the kubelet does. */
const LOOK_EVERY_MS = 10_000;
/** Who writes much is measured the less often, so that it takes no more than this part of the time. */
const MEASURING_SHARE = 0.02;
const CLEANED_UP_EVERY_MS = 1_000;
const CLEANED_UP_TIMEOUT_MS = 30_000;
/** What a pod gets that has to go at once, in seconds. */
const IMMEDIATE_GRACE_SECONDS = 1;
const REASON = "Evicted";

export class Eviction {
  readonly #deps: EvictionDeps;
  #state = noPressure;
  #pressures: readonly Pressure[] = [];
  #measureAt = 0;
  #cancel = () => {};
  #stopped = false;

  constructor(deps: EvictionDeps) {
    this.#deps = deps;
  }

  /** Conditions of the node that hold. */
  get pressures(): readonly Pressure[] {
    return this.#pressures;
  }

  start(): void {
    this.#lookAfter(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #lookAfter(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#deps.effects.after(ms, async () => {
      let evicted: string[] = [];
      try {
        evicted = await this.look();
        await this.#untilGone(evicted);
      } catch (error) {
        this.#deps.log(`eviction: ${(error as Error).message}`);
      }
      this.#lookAfter(evicted.length ? 0 : LOOK_EVERY_MS);
    });
  }

  /** One look, with what it leads to; resolves to the uids of pods that had to go. */
  async look(): Promise<string[]> {
    const { settings, effects, observe, onChange } = this.#deps;
    const observations = observe();
    const now = effects.now();
    const { thresholds, pressureTransitionMs } = settings;
    const { state, pressures, due } = lookAtPressure(thresholds, observations, this.#state, now, pressureTransitionMs);
    this.#state = state;
    const changed = pressures.toSorted().join() !== this.#pressures.toSorted().join();
    this.#pressures = pressures;
    if (changed) onChange();
    const greedy = await this.#endGreedy(now);
    if (greedy.length || !due[0]) return greedy;
    return this.#reclaim(due[0], due, observations);
  }

  /** Those that have written more than they may. Others are not measured. */
  async #endGreedy(now: number): Promise<string[]> {
    const { pods, usage, effects } = this.#deps;
    const limited = pods().filter(({ pod }) => isStorageLimited(pod));
    if (!limited.length || now < this.#measureAt) return [];
    const used = await usage.storage(limited);
    this.#measureAt = now + (effects.now() - now) / MEASURING_SHARE;
    return limited.flatMap(({ pod, memory }) => {
      const own = used.get(memory.uid);
      const message = own && storageExcess(pod, own);
      return message && this.#end(pod, memory.uid, message, IMMEDIATE_GRACE_SECONDS, false) ? [memory.uid] : [];
    });
  }

  async #reclaim(threshold: Threshold, due: readonly Threshold[], observations: Observations): Promise<string[]> {
    const { pods, usage, log, tellNode } = this.#deps;
    const resource = resourceOf(threshold);
    tellNode("Warning", "EvictionThresholdMet", `Attempting to reclaim ${resource}`);
    if (await this.#reclaimedWithoutPods(resource)) return [];
    const measured = pods();
    const used = await usage.measure(measured, resource === "ephemeral-storage" || resource === "inodes");
    const candidates = measured.map(({ pod, memory }) => ({ pod, memory, usage: used.get(memory.uid) }));
    const memories = new Map(measured.map(({ pod, memory }) => [pod, memory]));
    for (const ranked of inEvictionOrder(candidates, resource)) {
      const { pod } = ranked;
      const message = evictionMessage(ranked, resource, due, observations);
      const uid = memories.get(pod)?.uid ?? "";
      if (this.#end(pod, uid, message, this.#graceOf(threshold, pod), true)) return [uid]; // one at a time
    }
    log(`the node is low on ${resource}, and no pod can be evicted`);
    return [];
  }

  /** True when what no pod needs was enough. */
  async #reclaimedWithoutPods(resource: StarvedResource): Promise<boolean> {
    if (resource !== "ephemeral-storage" && resource !== "inodes") return false;
    const { reclaimDisk, settings, observe, log } = this.#deps;
    await reclaimDisk().catch((error: Error) => log(`reclaiming disk: ${error.message}`));
    return thresholdsMet(settings.thresholds, observe(), true).length === 0;
  }

  #graceOf({ graceMs }: Threshold, { spec }: CoreV1Pod): number {
    if (graceMs === 0) return IMMEDIATE_GRACE_SECONDS;
    const most = this.#deps.settings.maxPodGraceSeconds;
    return Math.min(most, spec.terminationGracePeriodSeconds ?? most);
  }

  #end(pod: CoreV1Pod, uid: string, message: string, graceSeconds: number, isDisruption: boolean): boolean {
    const { log, tellPod, end } = this.#deps;
    const { namespace, name } = pod.metadata;
    if (isCritical(pod)) {
      log(`pod ${namespace}/${name} is critical and cannot be evicted`);
      return false;
    }
    log(`pod ${namespace}/${name} is evicted: ${message}`);
    tellPod(pod, REASON, message);
    end(uid, {
      reason: REASON,
      message,
      graceSeconds,
      ...(isDisruption && { disruption: { reason: "TerminationByKubelet", message } }),
    });
    return true;
  }

  /** What they gave back shows in the next look. */
  async #untilGone(uids: readonly string[]): Promise<void> {
    const { effects, isRunning } = this.#deps;
    const until = effects.now() + CLEANED_UP_TIMEOUT_MS;
    while (uids.some(isRunning) && !this.#stopped && effects.now() < until) await effects.sleep(CLEANED_UP_EVERY_MS);
  }
}
