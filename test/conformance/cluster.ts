/** The cluster that the suite runs against: the real stack on two nodes, the second in a network namespace. */
import { join } from "node:path";
import type { Progress } from "../../agent/local/install.ts";
import type { Finished } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { joinArguments, Machine, makeLan } from "../support/machine.ts";
import { imageArchive } from "./images.ts";

export type SuiteCluster = { kubeconfig: string; stop(): Promise<void> };

export async function startCluster(progress: Progress): Promise<SuiteCluster> {
  const archive = await imageArchive(progress);
  progress("starting a cluster of two nodes");
  const lan = await makeLan();
  let cluster: TestCluster | undefined;
  const stop = async () => {
    await cluster?.stop();
    await lan.remove();
  };
  try {
    const flags = ["--node-name", "node-a", "--node-ip", lan.host, "--client-certificates"];
    cluster = await TestCluster.start({ flags });
    const second = await Machine.make("node-b", lan, 2);
    cluster.machines.push(second);
    await second.join(joinArguments((await cluster.skerry("token", "create")).stdout, lan));
    progress("loading the suite's images on both nodes");
    for (const node of [cluster, second]) loaded(await node.nerdctl("load", "-i", archive));
    await eventually("both nodes are Ready", async () => {
      const rows = await cluster?.ok("get nodes --no-headers");
      return rows?.match(/\sReady\s/g)?.length === 2;
    });
    return { kubeconfig: join(cluster.home, "kubeconfig"), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function loaded({ code, stderr }: Finished): void {
  if (code !== 0) throw new Error(`the suite's images did not load: ${stderr}`);
}
