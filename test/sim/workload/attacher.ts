/** The controller of a driver that attaches volumes to nodes: it does what VolumeAttachments ask for, and says so. */
import type { StorageV1VolumeAttachment } from "../../../worker/kinds/generated/types.ts";
import type { Reply, Sent } from "./client.ts";
import type { List } from "./reading.ts";

export const DRIVER = "disks.sim.skerry.dev";
const FINALIZER = "external-attacher/disks-sim-skerry-dev";
const PATH = "/apis/storage.k8s.io/v1/volumeattachments";
const MERGE = "application/merge-patch+json";
/** Between two looks, while there is something to do and else, ms. */
const SOON_MS = 1_000;
const LATER_MS = 15_000;

type Attacher = { ask(sent: Sent): Promise<Reply | undefined>; sleep(ms: number): Promise<void> };

/** Without end: what is not done at one look is seen at the next. */
export async function attaching({ ask, sleep }: Attacher): Promise<void> {
  for (;;) {
    const reply = await ask({ method: "GET", path: PATH });
    const all = reply?.code === 200 ? ((reply.body as List).items as StorageV1VolumeAttachment[]) : [];
    const steps = all.flatMap(stepOf);
    for (const step of steps) await ask({ method: "PATCH", contentType: MERGE, ...step });
    await sleep(steps.length > 0 || !reply ? SOON_MS : LATER_MS);
  }
}

function stepOf({ metadata, status }: StorageV1VolumeAttachment): { path: string; body: object }[] {
  const path = `${PATH}/${metadata?.name}`;
  const isHeld = metadata?.finalizers?.includes(FINALIZER) ?? false;
  if (metadata?.deletionTimestamp) return isHeld ? [{ path, body: { metadata: { finalizers: null } } }] : [];
  if (!isHeld) return [{ path, body: { metadata: { finalizers: [FINALIZER] } } }];
  return status?.attached ? [] : [{ path: `${path}/status`, body: { status: { attached: true } } }];
}
