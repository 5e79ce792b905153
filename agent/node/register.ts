/** Tells the cluster that this node exists, and what it is. */
import type { CoreV1NodeStatus } from "../../worker/kinds/generated/types.ts";
import type { Reply } from "../link.ts";

export type Registration = {
  name: string;
  status: CoreV1NodeStatus;
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<Reply>;
};

/** Creates the Node if it is missing, then brings its status up to date. Safe to repeat. */
export async function registerNode({ name, status, call }: Registration): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
  const found = await call("GET", path);
  if (found.code === 404) {
    const { architecture, operatingSystem } = status.nodeInfo ?? {};
    const labels = {
      "kubernetes.io/hostname": name,
      "kubernetes.io/arch": architecture,
      "kubernetes.io/os": operatingSystem,
      "beta.kubernetes.io/arch": architecture,
      "beta.kubernetes.io/os": operatingSystem,
    };
    expectSuccess(await call("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name, labels } }));
  } else expectSuccess(found);
  expectSuccess(await call("PATCH", `${path}/status`, { status }, "application/strategic-merge-patch+json"));
}

function expectSuccess({ code, body }: Reply): void {
  if (code < 300) return;
  throw new Error((body as { message?: string } | null)?.message ?? `code ${code}`);
}
