/**
 * File systems of volumes that their drivers have made larger.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#csi-volume-expansion
 */
import { podClaims } from "../../worker/kinds/core/pod-claims.ts";
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
} from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { parseQuantity } from "../../worker/lib/quantity.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";

type Claim = CoreV1PersistentVolumeClaim;
type Volume = CoreV1PersistentVolume;

const PENDING = "FileSystemResizePending";
const DONE = [PENDING, "Resizing"];
/** After a failure: doubled each time. */
const RETRY_MS = 5_000;
const MOST_RETRY_MS = 120_000;
const NANO = 1_000_000_000n;

export type GrowthParts = {
  /** The node's name. */
  node: string;
  api: Api;
  timers: Pick<Timers, "after">;
  /** Has the driver of a volume that a pod of this node has do it; false where none has it. */
  expand(volume: Volume, bytes: number): Promise<boolean>;
  log(message: string): void;
};

export class Growth {
  /** With the kubelet's reason and message, as those of `onFailure`. */
  onGrown: (claim: Claim, reason: string, message: string) => void = () => {};
  onFailure: (claim: Claim, reason: string, message: string) => void = () => {};
  readonly #parts: GrowthParts;
  /** Volumes that are being seen to, or are to be left alone after a failure. */
  readonly #busy = new Set<string>();
  /** How long each is left alone after the next failure, ms. */
  readonly #pauses = new Map<string, number>();
  #again = () => {};

  constructor(parts: GrowthParts) {
    this.#parts = parts;
  }

  /** All claims and volumes that the node has heard of. */
  sync(claims: readonly Claim[], volumes: readonly Volume[]): void {
    this.#again = () => this.sync(claims, volumes);
    for (const claim of claims) {
      if (!claim.status?.conditions?.some(({ type, status }) => type === PENDING && status === "True")) continue;
      const volume = volumes.find(({ metadata }) => metadata?.name === claim.spec?.volumeName);
      if (volume?.spec?.csi) void this.#grow(claim, volume);
    }
  }

  async #grow(claim: Claim, volume: Volume): Promise<void> {
    const { timers, log } = this.#parts;
    const name = volume.metadata?.name ?? "";
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    let pauseMs = 0;
    try {
      await this.#expand(claim, volume);
      this.#pauses.delete(name);
    } catch (error) {
      log(`volume ${name}: ${errorText(error)}`);
      const failed = `NodeExpandVolume.NodeExpandVolume failed for volume ${JSON.stringify(name)} : ${errorText(error)}`;
      this.onFailure(claim, "VolumeResizeFailed", failed);
      pauseMs = this.#pauses.get(name) ?? RETRY_MS;
      this.#pauses.set(name, Math.min(pauseMs * 2, MOST_RETRY_MS));
    }
    if (pauseMs === 0) return void this.#busy.delete(name);
    timers.after(pauseMs, () => {
      this.#busy.delete(name);
      this.#again();
    });
  }

  async #expand(claim: Claim, volume: Volume): Promise<void> {
    const { api, node, expand } = this.#parts;
    const storage = `${volume.spec?.capacity?.storage ?? 0}`;
    if (!(await expand(volume, Number(parseQuantity(storage).nano / NANO)))) return;
    const name = JSON.stringify(volume.metadata?.name ?? "");
    this.onGrown(
      claim,
      "FileSystemResizeSuccessful",
      `MountVolume.NodeExpandVolume succeeded for volume ${name} ${node}`,
    );
    const { namespace = "", name: claimName = "" } = claim.metadata ?? {};
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims`;
    const conditions = claim.status?.conditions?.filter(({ type }) => !DONE.includes(type)) ?? [];
    const status = { capacity: { storage }, conditions, allocatedResourceStatuses: null };
    const patch = { status } as unknown as Json;
    const at = `${path}/${encodeURIComponent(claimName)}/status`;
    const { code, body } = await api("PATCH", at, patch, "application/merge-patch+json");
    if (code >= 300) throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
  }
}

/** Whether a pod has a claim. */
export const usesClaim = (pod: CoreV1Pod, { metadata }: Claim): boolean =>
  pod.metadata.namespace === metadata?.namespace && podClaims(pod).some(({ claim }) => claim === metadata?.name);
