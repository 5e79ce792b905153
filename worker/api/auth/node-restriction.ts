/**
 * What a node may write: its own Node and Lease, the status of its own pods, evictions and deletions of them.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
import { type ApiError, forbidden } from "../../lib/status.ts";
import type { Reader } from "../../storage/store.ts";
import type { User } from "../request.ts";
import { nodeOf } from "./node-authorizer.ts";

export type NodeWrite = {
  user: User;
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  body: string | undefined;
};

type Body = { metadata?: { name?: string } };

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);

function parse(body: string | undefined): Body {
  try {
    return (JSON.parse(body ?? "{}") as Body | null) ?? {};
  } catch {
    // Not understood here means not understood by the decoder that follows, which says what is wrong.
    return {};
  }
}

type Check = (node: string, write: NodeWrite, reader: Reader) => string | undefined;

const ownName: Check = (node, { name, body, verb }) => {
  const target = verb === "create" ? (parse(body).metadata?.name ?? name) : name;
  return target === node
    ? undefined
    : `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(target)}`;
};

const ownPod: Check = (node, { namespace, name, verb }, reader) => {
  if (verb === "create") return `can only create pods with spec.nodeName set to itself`;
  if (verb === "deletecollection") return `can not delete collections of pods`;
  const known = reader.byRef(`node=${node}`, "pods").some((pod) => pod.namespace === namespace && pod.name === name);
  return known || !reader.get({ resource: "pods", namespace, name })
    ? undefined
    : `node ${JSON.stringify(node)} can only write pods with spec.nodeName set to itself`;
};

const ownLease: Check = (node, { namespace, verb, body, name }) => {
  const target = verb === "create" ? (parse(body).metadata?.name ?? "") : name;
  return namespace === "kube-node-lease" && target === node
    ? undefined
    : `can only access node lease with the same name as the requesting node`;
};

const CHECKS: Readonly<Record<string, readonly Check[]>> = {
  nodes: [ownName],
  pods: [ownPod],
  "leases.coordination.k8s.io": [ownLease],
};

/** The 403 for a node that writes what is not its own; undefined for anyone else and anything else. */
export function nodeRestriction(reader: Reader, write: NodeWrite): ApiError | undefined {
  const node = nodeOf(write.user);
  if (node === undefined || !WRITES.has(write.verb)) return undefined;
  const { group, resource, name } = write;
  // An eviction is a delete of the pod that it names.
  const asked = write.subresource === "eviction" ? { ...write, verb: "delete" } : write;
  for (const check of CHECKS[group ? `${resource}.${group}` : resource] ?? []) {
    const why = check(node, asked, reader);
    if (why) return forbidden({ group, resource, name }, why);
  }
  return undefined;
}
