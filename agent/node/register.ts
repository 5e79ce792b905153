/** Tells the cluster that this node exists, and what it is. */
import type { CoreV1Node, CoreV1NodeStatus, CoreV1Taint } from "../../worker/kinds/generated/types.ts";
import type { Reply } from "../link.ts";

export type Registration = {
  name: string;
  status: CoreV1NodeStatus;
  /** Beside those that every node has. */
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  /** For a node that is new. */
  taints?: readonly CoreV1Taint[];
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Reply>;
};

/** Creates the Node if it is missing, then brings its labels and status up to date. Safe to repeat. */
export async function registerNode(registration: Registration): Promise<void> {
  const { name, status, labels = {}, annotations = {}, taints = [], call } = registration;
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
  const wanted = { ...labelsOf(name, status), ...labels };
  const found = await call("GET", path);
  if (found.code === 404) {
    const spec = taints.length ? { taints } : {};
    const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels: wanted, annotations }, spec };
    expectSuccess(await call("POST", "/api/v1/nodes", node));
  } else {
    expectSuccess(found);
    const { metadata } = found.body as CoreV1Node;
    const missing = {
      labels: lacking(metadata.labels, wanted),
      annotations: lacking(metadata.annotations, annotations),
    };
    const patch = { metadata: missing };
    if (Object.values(missing).some((list) => Object.keys(list).length))
      expectSuccess(await call("PATCH", path, patch, "application/strategic-merge-patch+json"));
  }
  // They are merged by type, of which a node with two families has two.
  const addresses = [...(status.addresses ?? []), { $patch: "replace" }];
  const body = { status: { ...status, addresses } };
  expectSuccess(await call("PATCH", `${path}/status`, body, "application/strategic-merge-patch+json"));
}

/** What is wanted and not there. */
const lacking = (there: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(wanted).filter(([key, value]) => there[key] !== value));

/** https://kubernetes.io/docs/reference/node/node-labels/ */
function labelsOf(name: string, { nodeInfo }: CoreV1NodeStatus): Record<string, string> {
  const { architecture = "", operatingSystem = "" } = nodeInfo ?? {};
  return {
    "kubernetes.io/hostname": name,
    "kubernetes.io/arch": architecture,
    "kubernetes.io/os": operatingSystem,
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": operatingSystem,
  };
}

function expectSuccess({ code, body }: Reply): void {
  if (code < 300) return;
  throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
}
