/** One client in a loop, and what another notices of it: both are service accounts, as any program in the cluster is. */
import { effects } from "../../../agent/effects.ts";
import { send, sendChecked } from "../../../agent/local/http.ts";
import { client } from "../client.ts";
import type { ControlPlane } from "../control-plane.ts";
import type { Measure } from "../measure.ts";
import { progress } from "../progress.ts";
import { probed } from "./probed.ts";

const NAMESPACE = "/api/v1/namespaces/default";
/** The loop has begun by then. */
const LEAD_MS = 300;

export const neighbour = (connections: number, seconds: number): Measure<ControlPlane> => ({
  name: `request p99 beside ${connections} connections that never pause, to the p99 alone`,
  unit: "×",
  goal: { atMost: 3, of: "value" },
  async run(plane) {
    await rolesThere(plane);
    const [greedy, modest] = [await account(plane, "greedy"), await account(plane, "modest")];
    const alone = await probed(modest, () => effects.sleep(seconds * 1000));
    const looped = client(greedy, "load", "-verb", "update", "-c", String(connections), "-d", `${seconds + 5}s`);
    await effects.sleep(LEAD_MS);
    const beside = await probed(modest, () => effects.sleep(seconds * 1000));
    await looped;
    if (!beside.count) throw new Error("no request was answered beside the loop");
    progress(
      `  p99 ${alone.p99.toFixed(1)} ms alone, ${beside.p99.toFixed(1)} ms beside (p50 ${beside.p50.toFixed(1)})`,
    );
    return beside.p99 / alone.p99;
  },
});

const ROLES = "/apis/rbac.authorization.k8s.io/v1";
const POLL_MS = 100;

/** kube-apiserver makes its roles some time after its first answer. */
async function rolesThere({ endpoint }: ControlPlane): Promise<void> {
  while ((await send(endpoint, "GET", `${ROLES}/clusterroles/cluster-admin`)).code !== 200)
    await effects.sleep(POLL_MS);
}

/** The control plane as a service account that may do anything sees it. */
async function account(plane: ControlPlane, name: string): Promise<ControlPlane> {
  const { endpoint } = plane;
  await sendChecked(endpoint, "POST", `${NAMESPACE}/serviceaccounts`, { metadata: { name } });
  await sendChecked(endpoint, "POST", `${ROLES}/clusterrolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name, namespace: "default" }],
  });
  const { body } = await sendChecked(endpoint, "POST", `${NAMESPACE}/serviceaccounts/${name}/token`, { spec: {} });
  return { ...plane, endpoint: { ...endpoint, token: (body.status as { token: string }).token } };
}
