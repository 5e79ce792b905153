/** What a pod's node may send of its logs: as its Namespace wishes. The Worker does the rest: `edge/kept-logs`. */
import { Namespace } from "../../kinds/core/namespace.ts";
import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import { type KeepLogs, keepLogsOf } from "../../lib/kept-logs.ts";
import { forbidden, notFound } from "../../lib/status.ts";
import type { Reader } from "../../storage/store.ts";
import { nodeOf } from "../auth/node-authorizer.ts";
import type { User } from "../request.ts";
import type { StoreView } from "../view.ts";

export type PodToKeep = { namespace: string; name: string; uid: string };

/**
 * Throws the 404 for a pod that is not there and was not lately, the 403 for one of another node, and the 404 where its
 * Namespace keeps none.
 */
export function keepingOf(store: Reader, view: StoreView, user: User, { namespace, name, uid }: PodToKeep): KeepLogs {
  const subject = { group: "", resource: "pods", name };
  const stored = store.get({ resource: "pods", namespace, name });
  const json = stored?.uid === uid ? stored.json : deletedLately(store, namespace, uid);
  if (json === undefined) throw notFound(subject);
  const node = nodeOf(user);
  if (node !== undefined && (JSON.parse(json) as CoreV1Pod).spec?.nodeName !== node)
    throw forbidden(subject, `it is not on node ${node}`);
  const keep = keepLogsOf(view.get(Namespace, "", namespace)?.metadata?.annotations);
  if (!keep) throw notFound({ group: "", resource: "kept logs", name: namespace });
  return keep;
}

/** A pod that has ended goes at once when it is deleted, and its node tells of it only then. */
function deletedLately(store: Reader, namespace: string, uid: string): string | undefined {
  const changes = store.since(store.oldestRevision(), [{ resource: "pods", namespace }]);
  if (changes === "expired") return undefined;
  for (const change of changes) if (change.type === "DELETED" && change.uid === uid) return change.json;
  return undefined;
}
