import { isTrue } from "../../lib/query.ts";
import { connecting } from "../admission/chain.ts";
import type { ApiRequest } from "../request.ts";
import type { Core, Loose } from "./core.ts";

/** What a connection is opened with, by resource and subresource, and its switches; all else is text. */
const OPTIONS: Readonly<Record<string, { kind: string; flags: readonly string[] }>> = {
  "pods/attach": { kind: "PodAttachOptions", flags: ["stdin", "stdout", "stderr", "tty"] },
  "pods/exec": { kind: "PodExecOptions", flags: ["stdin", "stdout", "stderr", "tty"] },
  "pods/portforward": { kind: "PodPortForwardOptions", flags: [] },
  "pods/proxy": { kind: "PodProxyOptions", flags: [] },
  "services/proxy": { kind: "ServiceProxyOptions", flags: [] },
  "nodes/proxy": { kind: "NodeProxyOptions", flags: [] },
};
const LISTS = new Set(["command", "ports"]);

/** Admission of a connection; a pod's log is read, and asks nobody. */
export function connect(core: Core, request: ApiRequest): void {
  const { kind, user, namespace, name, subresource, query } = request;
  const options = OPTIONS[`${kind.resource}/${subresource}`];
  if (!options) return;
  const object = { kind: options.kind, apiVersion: "v1" } as Loose;
  for (const [field, value] of query)
    object[field] = LISTS.has(field) ? query.getAll(field) : options.flags.includes(field) ? isTrue(value) : value;
  core.store.write((txn) => {
    const operation = { core, txn, request, kind, user, namespace, name, subresource, dryRun: false, warnings: [] };
    for (const admission of connecting) admission.admits({ ...operation, action: "CONNECT", object, old: undefined });
  });
}
