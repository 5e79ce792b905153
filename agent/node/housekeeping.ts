/** What a node does about its own resources: evicts pods, removes images. */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import type { Ended } from "../pods/memory.ts";
import type { Runtime } from "../runtime.ts";
import { Eviction, type EvictionDeps } from "./eviction.ts";
import { ImageGc, type UsedImages } from "./image-gc.ts";
import type { ImageList } from "./image-list.ts";
import { PAUSE_IMAGE } from "./pause-image.ts";
import type { NodeSettings } from "./settings.ts";
import type { Observation, Observations, Pressure } from "./thresholds.ts";
import type { MeasuredPod } from "./usage.ts";

/** The pods of a node, as far as they are kept from using it up. */
export type KeptPods = {
  active(): readonly MeasuredPod[];
  isRunning(uid: string): boolean;
  end(uid: string, verdict: Ended): void;
  discardEnded(): void;
  isDiscarding(): boolean;
  usedImages(): UsedImages;
  forgetImage(id: string): void;
  tellNode(type: "Normal" | "Warning", reason: string, message: string): void;
  tellPod(pod: CoreV1Pod, type: "Normal" | "Warning", reason: string, message: string): void;
};

/** What differs from machine to machine, and in tests. */
export type HousekeepingParts = {
  settings: NodeSettings;
  observe(): Observations;
  usage: EvictionDeps["usage"];
  /** In bytes, of the disk that images lie on. */
  imageDisk(): Observation;
};

export type HousekeepingDeps = HousekeepingParts & {
  pods: KeptPods;
  runtime: Pick<Runtime, "removeImage">;
  images: ImageList;
  effects: Effects & Timers;
  /** The node's conditions are other ones now. */
  onChange(): void;
  log(message: string): void;
};

/** As the kubelet does. */
const COLLECT_EVERY_MS = 5 * 60_000;
/** Containers that are removed for their disk are waited for so long: what runs is not to go for what they hold. */
const DISCARDED_WITHIN_MS = 30_000;
const DISCARDED_EVERY_MS = 200;

export class Housekeeping {
  readonly #deps: HousekeepingDeps;
  readonly #eviction: Eviction;
  readonly #images: ImageGc;
  #cancel = () => {};
  #stopped = false;

  constructor(deps: HousekeepingDeps) {
    const { settings, observe, usage, imageDisk, pods, runtime, images, effects, onChange, log } = deps;
    this.#deps = deps;
    this.#images = new ImageGc({
      policy: settings.images,
      now: effects.now,
      images: () => images.all(),
      remove: async (image) => {
        await runtime.removeImage(image);
        pods.forgetImage(image.Id);
        images.outdate();
      },
      used: () => pods.usedImages(),
      disk: imageDisk,
      pinned: [PAUSE_IMAGE],
      tellNode: (...event) => pods.tellNode(...event),
      log,
    });
    this.#eviction = new Eviction({
      settings,
      effects,
      observe,
      pods: () => pods.active(),
      usage,
      isRunning: (uid) => pods.isRunning(uid),
      end: (uid, verdict) => pods.end(uid, verdict),
      reclaimDisk: () => this.#reclaimDisk(),
      tellPod: (pod, reason, message) => pods.tellPod(pod, "Warning", reason, message),
      tellNode: (...event) => pods.tellNode(...event),
      onChange,
      log,
    });
  }

  get pressures(): readonly Pressure[] {
    return this.#eviction.pressures;
  }

  start(): void {
    this.#eviction.start();
    this.#collectLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#eviction.stop();
    this.#cancel();
  }

  /** As at its interval. */
  async collectImages(): Promise<void> {
    await this.#images.collect().catch((error: Error) => this.#deps.log(`image garbage collection: ${error.message}`));
  }

  #collectLater(): void {
    this.#cancel = this.#deps.effects.after(COLLECT_EVERY_MS, async () => {
      await this.collectImages();
      if (!this.#stopped) this.#collectLater();
    });
  }

  async #reclaimDisk(): Promise<void> {
    const { pods, effects } = this.#deps;
    pods.discardEnded();
    const until = effects.now() + DISCARDED_WITHIN_MS;
    while (pods.isDiscarding() && effects.now() < until) await effects.sleep(DISCARDED_EVERY_MS);
    // An image can go only after the last container that was made from it.
    await this.#images.freeUnused();
  }
}
