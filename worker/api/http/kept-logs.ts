/** What a pod's node may send of its logs: as its Namespace wishes. The Worker does the rest: `edge/kept-logs`. */
import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { type KeepLogs, keepLogsOf } from "../../lib/kept-logs.ts";
import { notFound } from "../../lib/status.ts";
import type { StoreView } from "../view.ts";

const GRANT = /^\/skerry\/logs\/([^/]+)\/([^/]+)\/grant$/;

/** The pod whose logs a node asks leave to send; undefined for any other path. */
export function podToKeep(path: string): { namespace: string; name: string } | undefined {
  const [, namespace, name] = GRANT.exec(path) ?? [];
  return namespace && name ? { namespace, name } : undefined;
}

/** Throws the 404 for a pod that is not there, or another one by now, and where its Namespace keeps none. */
export function keepingOf(view: StoreView, namespace: string, name: string, uid: string): KeepLogs {
  const pod = view.get(Pod, namespace, name);
  if (!pod || pod.metadata.uid !== uid) throw notFound({ group: "", resource: "pods", name });
  const keep = keepLogsOf(view.get(Namespace, "", namespace)?.metadata?.annotations);
  if (!keep) throw notFound({ group: "", resource: "kept logs", name: namespace });
  return keep;
}
