/** Volumes of a driver that attaches them to nodes: mounted and let go of in the steps that the real agent takes. */
import { waitForAttachment } from "../../../agent/csi/attachment.ts";
import type { Host } from "../../../agent/pods/host.ts";
import type { Api } from "../../../agent/volumes/tokens.ts";
import type { CoreV1PersistentVolume } from "../../../worker/kinds/generated/types.ts";
import { uniqueName } from "../../../worker/lib/volume-attachments.ts";
import { between } from "../world/random.ts";
import type { Disk } from "./disk.ts";
import type { Machine } from "./machine.ts";
import type { Life } from "./time.ts";

export class ModelDriver implements NonNullable<Host["attached"]> {
  onChange: () => Promise<boolean> = async () => true;
  readonly #machine: Machine;
  readonly #disk: Disk;
  readonly #agent: Life;
  readonly #node: string;
  readonly #api: Api;

  constructor(machine: Machine, disk: Disk, agent: Life, node: string, api: Api) {
    this.#machine = machine;
    this.#disk = disk;
    this.#agent = agent;
    this.#node = node;
    this.#api = api;
  }

  inUse(): string[] {
    return [...new Set([...this.#disk.attached.values()].flatMap((volumes) => [...volumes.values()]))].sort();
  }

  async mount(uid: string, { metadata, spec }: CoreV1PersistentVolume): Promise<void> {
    const { effects } = this.#agent;
    const volume = metadata?.name ?? "";
    const named = { driver: spec?.csi?.driver ?? "", handle: spec?.csi?.volumeHandle ?? "" };
    const isAttached = () => waitForAttachment({ api: this.#api, node: this.#node, timers: effects }, named);
    const mount = `${uid} ${volume}`;
    const isKnown = () => this.#disk.attached.get(uid)?.has(volume);
    if (isKnown() && this.#machine.mounts.has(mount)) return;
    await isAttached();
    this.#disk.attached.set(uid, (this.#disk.attached.get(uid) ?? new Map()).set(volume, uniqueName(named)));
    if (!(await this.onChange())) throw new Error("the cluster does not know that the volume is in use");
    await isAttached();
    await this.#pause();
    if (isKnown()) this.#machine.setMounted(mount, true);
  }

  async release(uid: string): Promise<void> {
    for (const volume of this.#disk.attached.get(uid)?.keys() ?? []) {
      await this.#pause();
      this.#machine.setMounted(`${uid} ${volume}`, false);
    }
    if (this.#disk.attached.delete(uid)) void this.onChange();
  }

  #pause = () => this.#agent.effects.sleep(between(this.#machine.random, 1, 50));
}
