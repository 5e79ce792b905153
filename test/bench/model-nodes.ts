/** Nodes without machines: kwok plays their kubelets, on every side alike. https://kwok.sigs.k8s.io */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { send, sendChecked } from "../../agent/local/http.ts";
import { kubeconfig } from "../../agent/local/kubeconfig.ts";
import { Server } from "../support/server.ts";
import { upstreamProgram } from "../support/upstream.ts";
import type { ControlPlane } from "./control-plane.ts";
import { progress } from "./progress.ts";

const READY_TIMEOUT_MS = 120_000;
const SIZE = { cpu: "32", memory: "256Gi", pods: "110" };

const node = (name: string) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", type: "kwok" } },
  status: { allocatable: SIZE, capacity: SIZE },
});

type NodeList = { items: { status?: { conditions?: { type: string; status: string }[] } }[] };

/** The control plane with so many Ready model nodes. */
export async function withModelNodes(plane: ControlPlane, count: number): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), "kwok-bench-"));
  const config = join(folder, "kubeconfig");
  writeFileSync(config, kubeconfig({ name: "bench", server: plane.endpoint.url, ...plane.endpoint }));
  const flags = [`--kubeconfig=${config}`, "--manage-all-nodes=true"];
  const kwok = new Server(folder, "kwok", await upstreamProgram("kwok", progress), flags);
  const stop = async () => {
    await kwok.stop();
    rmSync(folder, { recursive: true, force: true });
    await plane.stop();
  };
  try {
    for (let i = 0; i < count; i++) await sendChecked(plane.endpoint, "POST", "/api/v1/nodes", node(`model-${i}`));
    await untilReady(plane, count, kwok);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...plane, stop };
}

async function untilReady({ endpoint }: ControlPlane, count: number, kwok: Server): Promise<void> {
  const end = effects.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { items } = (await sendChecked(endpoint, "GET", "/api/v1/nodes")).body as NodeList;
    const ready = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status: state }) => type === "Ready" && state === "True"),
    ).length;
    // Controllers answer too when they have made what every pod needs.
    const account = await send(endpoint, "GET", "/api/v1/namespaces/default/serviceaccounts/default");
    if (ready === count && account.code === 200) return;
    if (kwok.ended || effects.now() > end) throw new Error(`${ready} of ${count} nodes are Ready: ${kwok.tail()}`);
    await effects.sleep(200);
  }
}
