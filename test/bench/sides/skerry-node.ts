/** A whole Skerry with this machine as its node. */
import { randomUUID } from "node:crypto";
import { administrator } from "../../../agent/local/credentials.ts";
import { sendChecked } from "../../../agent/local/http.ts";
import { TestCluster } from "../../support/cluster.ts";
import { BUSYBOX_IMAGE } from "../../support/image.ts";
import { COMMAND, type ContainerHost, until } from "../container-host.ts";
import { MARK, markedProcesses, type NodeHost, podsOn } from "../node-host.ts";
import { build } from "./skerry.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const PODS = "/api/v1/namespaces/default/pods";
const NAME = "pause";

type ContainerStatus = { containerID?: string; state?: { running?: object } };
type PodList = { items: { status?: { containerStatuses?: ContainerStatus[] } }[] };

const deployment = {
  metadata: { name: NAME },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: NAME } },
    template: {
      metadata: { labels: { app: NAME } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: NAME, image: BUSYBOX_IMAGE, command: COMMAND }],
      },
    },
  },
};

export async function startSkerryNode(): Promise<ContainerHost> {
  const cluster = await TestCluster.start();
  const server = await administrator({ path: cluster.home, port: cluster.port });
  await sendChecked(server, "POST", DEPLOYMENTS, deployment);
  const running = async () => {
    const { items } = (await sendChecked(server, "GET", PODS)).body as unknown as PodList;
    const containers = items.flatMap(({ status }) => status?.containerStatuses ?? []);
    return containers.flatMap(({ containerID, state }) => (containerID && state?.running ? [containerID] : []));
  };
  return {
    running,
    async scale(replicas) {
      await sendChecked(server, "PUT", `${DEPLOYMENTS}/${NAME}/scale`, {
        metadata: { name: NAME, namespace: "default" },
        spec: { replicas },
      });
      await until(`${replicas} pods run`, async () => (await running()).length === replicas);
    },
    stop: () => cluster.stop(),
  };
}

/** Its node alone is looked at: the agent, its containerd, and what these start. */
export async function startSkerryAgent(): Promise<NodeHost> {
  const mark = randomUUID();
  const cluster = await TestCluster.start({ program: await build(), environment: { [MARK]: mark } });
  const server = await administrator({ path: cluster.home, port: cluster.port });
  const others = new Set([cluster.pid("supervisor"), cluster.pid("workerd")]);
  return {
    ...podsOn(server, "node-a", BUSYBOX_IMAGE),
    processes: () => markedProcesses(mark).filter((pid) => !others.has(pid)),
    stop: () => cluster.stop(),
  };
}
