/** Whether a volume is attached to this node, which the cluster's controllers and the driver's see to. */
import type { StorageV1VolumeAttachment } from "../../worker/kinds/generated/types.ts";
import { attachmentName, type DriverVolume } from "../../worker/lib/volume-attachments.ts";
import type { Timers } from "../effects.ts";
import type { Api } from "../volumes/tokens.ts";

/** How long it is waited for at a time, ms; and between two looks. */
const WAIT_MS = 10_000;
const LOOK_MS = 250;
const MOST_LOOK_MS = 2_000;

/** It may well come; who waits hears what a kubelet says. */
export class NotAttached extends Error {
  override readonly name = "NotAttached";
}

/** What the driver's controller says of the attached volume. */
export async function waitForAttachment(
  { api, node, timers }: { api: Api; node: string; timers: Pick<Timers, "sleep"> },
  volume: DriverVolume,
): Promise<Record<string, string>> {
  const path = `/apis/storage.k8s.io/v1/volumeattachments/${attachmentName(volume, node)}`;
  for (let waited = 0, next = LOOK_MS; ; waited += next, next = Math.min(next * 2, MOST_LOOK_MS)) {
    const { code, body } = await api("GET", path);
    const found = code < 300 ? (body as unknown as StorageV1VolumeAttachment) : undefined;
    // A node hears of attachments only once there is one for it.
    if (!found && code !== 404 && code !== 403)
      throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
    if (found?.status?.attached && !found.metadata.deletionTimestamp) return { ...found.status.attachmentMetadata };
    if (waited >= WAIT_MS) throw new NotAttached("timed out waiting for the condition");
    await timers.sleep(next);
  }
}
