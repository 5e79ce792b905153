/** `skerry volume move`: a claim's volume to another node. The cluster does it; `worker/lib/local-volumes.ts` tells how. */
import type {
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
} from "../../worker/kinds/generated/types.ts";
import {
  isInBucket,
  LEFT_ON,
  MOVE_THROUGH,
  MOVE_TO,
  MOVING_TO,
  TRANSFER,
  TRANSFERRED,
  VOLUME_NODE,
  VOLUMES_PATH,
  VOLUMES_THROUGH,
} from "../../worker/lib/local-volumes.ts";
import type { BackupContext } from "./backup.ts";
import { type Claim, claimPath, get, inWords, nameOf, patch, target, usersOf } from "./claim.ts";
import { checked, type Server, send, sendChecked } from "./http.ts";
import type { Reach } from "./reach.ts";

const LOOK_MS = 500;
/** As kubectl waits between two tries. */
const EVICT_AGAIN_MS = 5_000;

export type MoveVolume = Reach & { toNode?: string; through?: string; stop?: boolean; wait: boolean; cancel?: boolean };

export async function moveVolume(context: BackupContext, text: string, options: MoveVolume): Promise<void> {
  const { progress } = context;
  const { toNode, through, stop, wait, cancel } = options;
  if ((toNode === undefined) === !cancel) throw new Error("name the node with --to-node, or --cancel");
  const { server, claim } = await target(context, text, options);
  const volume = await volumeOf(server, claim);
  const path = `/api/v1/persistentvolumes/${encodeURIComponent(volume.metadata?.name ?? "")}`;
  if (cancel) {
    await patch(server, path, { metadata: { annotations: { [MOVE_TO]: null, [MOVE_THROUGH]: null } } });
    const how = isInBucket(volume.metadata?.annotations) ? "goes back to" : "stays on";
    return progress(`${inWords(claim)} ${how} node ${nodeOf(volume)}`);
  }
  if (nodeOf(volume) === toNode) return progress(`${inWords(claim)} is on node ${toNode} already`);
  const node = await get<{ metadata: { annotations?: Record<string, string> } }>(server, `/api/v1/nodes/${toNode}`);
  if (!node.metadata.annotations?.[VOLUMES_PATH]) throw new Error(`node ${toNode} makes no volumes`);
  if (through && node.metadata.annotations[VOLUMES_THROUGH] !== through)
    throw new Error(`the agent of node ${toNode} knows of no way through the bucket: it is of an older release`);
  const users = (await usersOf(server, claim)).filter(({ spec }) => spec.nodeName !== toNode);
  if (users.length > 0 && !stop)
    throw new Error(`pods use the volume: ${users.map(nameOf).join(", ")}. With --stop they are evicted`);
  const alone = users.filter(({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller));
  if (alone.length > 0)
    throw new Error(`nothing would make these pods anew, so delete them first: ${alone.map(nameOf).join(", ")}`);
  // Says so where there is no bucket.
  if (through) await sendChecked(server, "GET", `/skerry/transfers/${encodeURIComponent(volume.metadata?.name ?? "")}`);
  // New pods go to the new node from here on.
  await patch(server, path, { metadata: { annotations: { [MOVE_TO]: toNode, [MOVE_THROUGH]: through ?? null } } });
  for (const pod of users) await evict(context, server, pod);
  if (wait) await arrival(context, server, claim, toNode ?? "");
  else progress(`${inWords(claim)} moves to node ${toNode}`);
}

const nodeOf = ({ metadata }: CoreV1PersistentVolume) => metadata?.annotations?.[VOLUME_NODE];

async function volumeOf(server: Server, claim: Claim): Promise<CoreV1PersistentVolume> {
  const { spec } = await get<CoreV1PersistentVolumeClaim>(server, claimPath(claim));
  if (!spec?.volumeName) throw new Error(`${inWords(claim)} has no volume yet`);
  const path = `/api/v1/persistentvolumes/${encodeURIComponent(spec.volumeName)}`;
  const volume = await get<CoreV1PersistentVolume>(server, path);
  if (!nodeOf(volume)) throw new Error(`${inWords(claim)} is not on a node's own disk`);
  return volume;
}

/** As `kubectl drain` does, which disruption budgets may hold up. */
async function evict({ effects, progress }: BackupContext, server: Server, pod: CoreV1Pod): Promise<void> {
  const { namespace = "", name = "", uid } = pod.metadata;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/eviction`;
  const eviction = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { namespace, name },
    deleteOptions: { preconditions: { uid } },
  };
  for (let told = false; ; told = true) {
    const answer = await send(server, "POST", path, eviction);
    // One of that name that is another now needs no eviction.
    if (answer.code === 404 || answer.code === 409) return;
    if (answer.code !== 429) return void checked("POST", path, answer);
    if (!told) progress(`${name}: ${answer.body.message}`);
    await effects.sleep(EVICT_AGAIN_MS);
  }
}

async function arrival({ effects, progress }: BackupContext, server: Server, claim: Claim, to: string): Promise<void> {
  let said = "";
  const say = (what: string) => {
    if (what !== said) progress(what);
    said = what;
  };
  for (;;) {
    const volume = await volumeOf(server, claim);
    const { annotations = {} } = volume.metadata ?? {};
    if (nodeOf(volume) === to) return progress(`${inWords(claim)} is on node ${to}`);
    if (annotations[MOVE_TO] !== to) throw new Error(`the move of ${inWords(claim)} was called off`);
    say(waitsFor(annotations, to));
    await effects.sleep(LOOK_MS);
  }
}

function waitsFor(annotations: Record<string, string>, to: string): string {
  const [left] = annotations[LEFT_ON]?.split("/") ?? [];
  if (left) return `waiting for node ${left} to remove what a move before this one has left there`;
  if (!annotations[MOVING_TO]) return "waiting for the pods that use the volume to end";
  if (!annotations[TRANSFER]) return `copying the data to node ${to}`;
  return annotations[TRANSFERRED]
    ? `copying the data from the bucket to node ${to}`
    : "copying the data into the bucket";
}
