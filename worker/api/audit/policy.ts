/**
 * Which requests are recorded. What a cluster does by itself is not: controllers do not come this way, nodes report
 * all the time, and Events, Leases and questions about access change nothing that anyone would look for here.
 * https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy
 */
import type { RequestInfo, ResourceInfo } from "../http/request-info.ts";
import type { User } from "../request.ts";

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
/** Written so often, by programs, that nothing else could be found. */
const CHATTER = new Set(["events", "events.events.k8s.io", "leases.coordination.k8s.io"]);
/** Reviews of access and tokens ask and store nothing. */
const QUESTIONS = new Set(["authorization.k8s.io", "authentication.k8s.io"]);
/** Whoever reads these has what others are kept from. */
const CONFIDENTIAL = new Set(["secrets"]);
const CONNECTIONS = new Set(["exec", "attach", "portforward"]);
/** Someone who looks at a page of a program sends a hundred requests. */
const PROXY = "proxy";
const NODES = "system:nodes";

/** Ways of this API's own that hand out or take in what is secret, whatever the method; this log itself is not among them. */
const OWN_PATHS = /^\/skerry\/(?!audit$)/;

/** `each`: every one; `counted`: the first in a while, and then how many. */
export type Recording = "each" | "counted" | "none";

/** `sender`: who sent the request, whomever it acts as. */
export function recordingOf(info: RequestInfo, sender: User | undefined, impersonates: boolean): Recording {
  if (info.type === "resource" && info.subresource === PROXY) return "counted";
  if (info.type === "path" ? isRecordedPath(info.path, info.verb) : isRecorded(info, sender)) return "each";
  return impersonates ? "counted" : "none";
}

const isRecordedPath = (path: string, verb: string) =>
  OWN_PATHS.test(path) || !["get", "head", "options"].includes(verb);

function isRecorded({ group, resource, subresource, verb }: ResourceInfo, sender: User | undefined): boolean {
  const name = group ? `${resource}.${group}` : resource;
  if (CHATTER.has(name) || QUESTIONS.has(group)) return false;
  // A node that comes is news; the rest is what kubelets do.
  if (sender?.groups.includes(NODES)) return resource === "nodes" && subresource === "" && WRITES.has(verb);
  return WRITES.has(verb) || CONNECTIONS.has(subresource) || CONFIDENTIAL.has(name);
}
