/**
 * `GET /skerry/volumes/NAMESPACE/CLAIM` is all that is in a claim's volume, as a tar stream, and `PUT` puts such a stream in
 * its place: for volumes on nodes' own disks, whose nodes serve it. RBAC knows who may by these paths. Query: `unused=true`
 * reads only while no pod has the volume; `replace=true` writes also where there is something.
 */
import { PersistentVolume } from "../../kinds/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistent-volume-claim.ts";
import { isProvisioned, MOVE_TO, MOVING_TO, VOLUME_NODE } from "../../lib/local-volumes.ts";
import { badRequest, conflict, methodNotAllowed, notFound } from "../../lib/status.ts";
import type { StoreView } from "../view.ts";
import type { StreamGrant } from "./streams.ts";

const PATH = /^\/skerry\/volumes\/([^/]+)\/([^/]+)$/;
const METHODS = ["GET", "PUT"];

export const isVolumeData = (path: string): boolean => PATH.test(path);

/** Which claim a path means. */
export function claimIn(path: string): { namespace: string; name: string } | undefined {
  const [, namespace, name] = PATH.exec(path) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

/** Throws what is in the way. */
export function volumeGrant(
  view: StoreView,
  { method, path }: { method: string; path: string },
  uid: () => string,
): StreamGrant {
  if (!METHODS.includes(method)) throw methodNotAllowed();
  const { namespace = "", name = "" } = claimIn(path) ?? {};
  const claim = view.get(PersistentVolumeClaim, namespace, name);
  if (!claim) throw notFound({ group: "", resource: "persistentvolumeclaims", name });
  if (claim.status?.phase !== "Bound") throw badRequest(`persistentvolumeclaim ${JSON.stringify(name)} is not bound`);
  const volume = view.get(PersistentVolume, "", claim.spec?.volumeName ?? "");
  if (!volume) throw notFound({ group: "", resource: "persistentvolumes", name: claim.spec?.volumeName ?? "" });
  const { [VOLUME_NODE]: node, [MOVE_TO]: wish, [MOVING_TO]: moving } = volume.metadata.annotations ?? {};
  const local = volume.spec?.local?.path;
  if (!isProvisioned(volume) || !node || !local)
    throw badRequest(`persistentvolume ${JSON.stringify(volume.metadata.name)} is not on a node's own disk`);
  const what = { name: volume.metadata.name ?? "", path: local };
  // What is written now would stay behind on the node that the volume leaves.
  const to = wish || moving?.split("/")[0];
  if (method === "PUT" && to)
    throw conflict({ group: "", resource: "persistentvolumes", name: what.name }, `it is being moved to node ${to}`);
  return { node, stream: { id: uid(), kind: "proxy", scheme: "http", address: "", port: 0, volume: what } };
}
