import type { CoreV1Node, CoreV1NodeStatus } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Json } from "../../worker/protocol/link.ts";
import type { Nerdctl } from "../nerdctl.ts";
import type { Api } from "../volumes/tokens.ts";
import { nodeStatus } from "./facts.ts";
import { architecture } from "./pause-image.ts";

export type Registration = {
  name: string;
  nerdctl: Nerdctl;
  effects: Effects;
  call: Api;
  /** The Node as the agent has it; without it the API server is asked. */
  known?: CoreV1Node;
  /** Lies on the disk that containers use. */
  folder?: string;
};

/** Makes the Node if it is not there, and tells the API server of the machine's facts where they changed. */
export async function registerNode(registration: Registration): Promise<void> {
  const { name, nerdctl, effects, call, folder = "/" } = registration;
  const node = registration.known ?? (await fetchOrCreate(name, call));
  await ensureLabels(name, node, call);
  const status = nodeStatus({
    name,
    folder,
    containerdVersion: await nerdctl.containerdVersion(),
    images: await nerdctl.listImages(),
    now: effects.now(),
    conditions: node.status?.conditions ?? [],
  });
  if (!differs(node.status, status)) return;
  // Lists whose entries are merged by key would keep addresses that are gone.
  const addresses = [...(status.addresses ?? []), { $patch: "replace" }];
  const patch = { status: { ...status, addresses } };
  await must(
    call("PATCH", `/api/v1/nodes/${name}/status`, patch as unknown as Json, "application/strategic-merge-patch+json"),
  );
}

/** Labels every node has. https://kubernetes.io/docs/reference/labels-annotations-taints/ */
const labelsOf = (name: string): Record<string, string> => ({
  "beta.kubernetes.io/arch": architecture,
  "beta.kubernetes.io/os": "linux",
  "kubernetes.io/arch": architecture,
  "kubernetes.io/hostname": name,
  "kubernetes.io/os": "linux",
});

async function fetchOrCreate(name: string, call: Api): Promise<CoreV1Node> {
  const found = await call("GET", `/api/v1/nodes/${name}`);
  if (found.code !== 404) return (await must(Promise.resolve(found))) as unknown as CoreV1Node;
  const node = { apiVersion: "v1", kind: "Node", metadata: { name, labels: labelsOf(name) }, spec: {} };
  const made = await call("POST", "/api/v1/nodes", node);
  if (made.code === 409) return fetchOrCreate(name, call);
  return (await must(Promise.resolve(made))) as unknown as CoreV1Node;
}

async function ensureLabels(name: string, node: CoreV1Node, call: Api): Promise<void> {
  const has = node.metadata?.labels ?? {};
  if (Object.entries(labelsOf(name)).every(([key, value]) => has[key] === value)) return;
  const patch = { metadata: { labels: labelsOf(name) } };
  await must(call("PATCH", `/api/v1/nodes/${name}`, patch, "application/merge-patch+json"));
}

async function must(reply: ReturnType<Api>): Promise<Json> {
  const { code, body } = await reply;
  if (code < 300) return body;
  throw new Error((body as { message?: string } | null)?.message ?? `the API server answered ${code}`);
}

/** Heartbeats alone are no news: the control plane knows by the socket that the node lives. */
function differs(before: CoreV1NodeStatus | undefined, now: CoreV1NodeStatus): boolean {
  return Object.entries(now).some(([key, value]) => {
    const old = before?.[key as keyof CoreV1NodeStatus];
    return key === "conditions"
      ? now.conditions?.some((c) => before?.conditions?.find((o) => o.type === c.type)?.status !== c.status)
      : canonical(old) !== canonical(value);
  });
}

/** JSON with keys in order; quantities are told in the form that the API server keeps. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
