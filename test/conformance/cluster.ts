/** The cluster that the suite runs against: the real stack on two nodes or more, all but the first in network namespaces. */
import { join } from "node:path";
import type { Progress } from "../../agent/local/install.ts";
import type { Finished } from "../../agent/process.ts";
import { POOL } from "../../worker/lib/load-balancers.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, Machine, makeLan } from "../support/machine.ts";

/** Of clusters of more than two nodes: tests of how traffic keeps to zones want three of two nodes each. */
const ZONES = 3;

export type SuiteCluster = { kubeconfig: string; stop(): Promise<void> };

export type SuiteClusterOptions = {
  nodes: number;
  /** Nodes, pods and Services have IPv6 addresses too. */
  dualStack: boolean;
  /** Of images, which all nodes have. */
  archives: readonly string[];
};

export async function startCluster(
  { nodes, dualStack, archives }: SuiteClusterOptions,
  progress: Progress,
): Promise<SuiteCluster> {
  progress(`starting a cluster of ${nodes} nodes`);
  const lan = await makeLan(dualStack ? { ipv6: true } : {});
  let cluster: TestCluster | undefined;
  const stop = async () => {
    await cluster?.stop();
    await lan.remove();
  };
  try {
    const families = dualStack ? ["--dual-stack"] : [];
    const flags = ["--node-name", "node-a", "--node-ip", lan.host, "--client-certificates", ...families];
    cluster = await TestCluster.start({ flags });
    for (let n = 2; n <= nodes; n++) {
      const other = await Machine.make(nodeName(n), lan, n);
      cluster.machines.push(other);
      await other.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
    }
    progress("loading the suite's images on all nodes");
    for (const node of [cluster, ...cluster.machines])
      for (const archive of archives) loaded(await node.nerdctl("load", "-i", archive));
    await eventually("all nodes are Ready", async () => {
      const rows = await cluster?.ok("get nodes --no-headers");
      return rows?.match(/\sReady\s/g)?.length === nodes;
    });
    // Load balancers' tests want an address that stays where it is when pods come and go with externalTrafficPolicy: Local.
    const lent = `${lan.address(200)}-${lan.address(240)}`;
    await cluster.ok(`-n ${POOL.namespace} create configmap ${POOL.name} --from-literal=addresses=${lent}`);
    for (let n = 1; n <= nodes && nodes > 2; n++)
      await cluster.ok(`label node ${nodeName(n)} topology.kubernetes.io/zone=zone-${n % ZONES}`);
    return { kubeconfig: join(cluster.home, "kubeconfig"), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const nodeName = (n: number) => `node-${String.fromCharCode(96 + n)}`;

function loaded({ code, stderr }: Finished): void {
  if (code !== 0) throw new Error(`the suite's images did not load: ${stderr}`);
}
