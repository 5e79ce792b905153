/**
 * File systems of volumes that their drivers have made larger.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#csi-volume-expansion
 */
import type { CoreV1PersistentVolume, CoreV1PersistentVolumeClaim } from "../../worker/kinds/generated/types.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { parseQuantity } from "../../worker/lib/quantity.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Timers } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";

type Claim = CoreV1PersistentVolumeClaim;
type Volume = CoreV1PersistentVolume;

const PENDING = "FileSystemResizePending";
const DONE = [PENDING, "Resizing"];
const RETRY_MS = 5_000;
const NANO = 1_000_000_000n;

export type GrowthParts = {
  api: Api;
  timers: Pick<Timers, "after">;
  /** Has the driver of a volume that a pod of this node has do it; false where none has it. */
  expand(volume: Volume, bytes: number): Promise<boolean>;
  log(message: string): void;
};

export class Growth {
  readonly #parts: GrowthParts;
  readonly #busy = new Set<string>();
  #again = () => {};
  #cancel = () => {};

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
    const { api, timers, expand, log } = this.#parts;
    const name = volume.metadata?.name ?? "";
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    try {
      const storage = `${volume.spec?.capacity?.storage ?? 0}`;
      if (!(await expand(volume, Number(parseQuantity(storage).nano / NANO)))) return;
      const { namespace = "", name: claimName = "" } = claim.metadata ?? {};
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims`;
      const conditions = claim.status?.conditions?.filter(({ type }) => !DONE.includes(type)) ?? [];
      const status = { capacity: { storage }, conditions, allocatedResourceStatuses: null };
      const patch = { status } as unknown as Json;
      const at = `${path}/${encodeURIComponent(claimName)}/status`;
      const { code, body } = await api("PATCH", at, patch, "application/merge-patch+json");
      if (code >= 300) throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
    } catch (error) {
      log(`volume ${name}: ${errorText(error)}`);
      this.#cancel();
      this.#cancel = timers.after(RETRY_MS, () => this.#again());
    } finally {
      this.#busy.delete(name);
    }
  }
}
