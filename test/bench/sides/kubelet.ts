/**
 * A node of Kubernetes on this machine: the kubelet and Debian's containerd with its CRI plugin, in folders and with a
 * bridge of their own, beside the whole control plane.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { send } from "../../../agent/local/http.ts";
import { kubeconfig } from "../../../agent/local/kubeconfig.ts";
import { writePauseImage } from "../../../agent/node/pause-archive.ts";
import { PAUSE_IMAGE } from "../../../agent/node/pause-image.ts";
import { run } from "../../../agent/process.ts";
import { unmountAll } from "../../../agent/volumes/mounts.ts";
import { freePort } from "../../support/free-port.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../support/image.ts";
import { checked, ensurePackages } from "../../support/programs.ts";
import { Server } from "../../support/server.ts";
import { upstreamProgram } from "../../support/upstream.ts";
import { until } from "../container-host.ts";
import { MARK, markedProcesses, type NodeHost, podsOn } from "../node-host.ts";
import { progress } from "../progress.ts";
import { startKubernetes } from "./kubernetes.ts";

const NODE = "bench-node";
const BRIDGE = "kubelet-bench";
/** Its default. */
const CGROUP = "/kubepods";
const PLUGINS = "/usr/lib/cni";
const PODS_SUBNET = "10.98.0.0/16";

export async function startKubelet(): Promise<NodeHost> {
  await ensurePackages({ [join(PLUGINS, "bridge")]: "containernetworking-plugins" });
  const program = await upstreamProgram("kubelet", progress);
  const plane = await startKubernetes({ controllers: true });
  const folder = mkdtempSync(join(tmpdir(), "kubelet-bench-"));
  const socket = join(folder, "containerd.sock");
  const environment = { [MARK]: randomUUID() };
  const servers: Server[] = [];
  const host = podsOn(plane.endpoint, NODE, BUSYBOX_IMAGE);
  const stop = async () => {
    await host.clear().catch(() => {});
    for (const server of servers.toReversed()) await server.stop();
    await plane.stop();
    await unmountAll(folder);
    await run("ip", ["link", "delete", BRIDGE]);
    await removeCgroups();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const containerd = writeContainerdConfig(folder, socket);
    servers.push(new Server(folder, "containerd", "containerd", ["-c", containerd], environment));
    await until("containerd listens", async () => existsSync(socket));
    for (const [name, write] of [
      ["busybox", writeBusyboxImage],
      ["pause", (archive: string) => writePauseImage(archive, PAUSE_IMAGE)],
    ] as const) {
      const archive = join(folder, `${name}.tar`);
      await write(archive);
      await checked("ctr", ["-a", socket, "-n", "k8s.io", "images", "import", archive]);
    }
    const clientConfig = join(folder, "kubeconfig");
    writeFileSync(clientConfig, kubeconfig({ name: "bench", server: plane.endpoint.url, ...plane.endpoint }));
    const config = writeKubeletConfig(folder, socket, await freePort());
    const flags = [`--config=${config}`, `--kubeconfig=${clientConfig}`, `--root-dir=${join(folder, "kubelet")}`];
    servers.push(new Server(folder, "kubelet", program, [...flags, `--hostname-override=${NODE}`], environment));
    await until("the node is Ready", async () => {
      const broken = servers.find(({ ended }) => ended);
      if (broken) throw new Error(broken.tail());
      const { body } = await send(plane.endpoint, "GET", `/api/v1/nodes/${NODE}`);
      const conditions = (body.status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions;
      return conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...host, processes: () => markedProcesses(environment[MARK] ?? ""), stop };
}

function writeContainerdConfig(folder: string, socket: string): string {
  const networks = join(folder, "net.d");
  mkdirSync(networks);
  const bridge = { type: "bridge", bridge: BRIDGE, isGateway: true, ipam: { type: "host-local", subnet: PODS_SUBNET } };
  const network = {
    cniVersion: "0.4.0",
    name: BRIDGE,
    plugins: [{ ...bridge, ipam: { ...bridge.ipam, dataDir: join(folder, "ipam") } }],
  };
  writeFileSync(join(networks, "10-bridge.conflist"), JSON.stringify(network));
  const quote = JSON.stringify;
  const path = join(folder, "containerd.toml");
  writeFileSync(
    path,
    [
      "version = 2",
      `root = ${quote(join(folder, "root"))}`,
      `state = ${quote(join(folder, "state"))}`,
      "[grpc]",
      `address = ${quote(socket)}`,
      '[plugins."io.containerd.grpc.v1.cri"]',
      `sandbox_image = ${quote(PAUSE_IMAGE)}`,
      "restrict_oom_score_adj = true", // where this machine does not let processes be made safer
      '[plugins."io.containerd.grpc.v1.cri".cni]',
      `bin_dir = ${quote(PLUGINS)}`,
      `conf_dir = ${quote(networks)}`,
      "",
    ].join("\n"),
  );
  return path;
}

/** Defaults, but for its places, and for what a machine with cgroup v1 and one more node needs. */
function writeKubeletConfig(folder: string, socket: string, port: number): string {
  const path = join(folder, "kubelet.yaml");
  const config = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    address: "127.0.0.1",
    port,
    healthzPort: 0,
    containerRuntimeEndpoint: `unix://${socket}`,
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: "cgroupfs",
    makeIPTablesUtilChains: false,
    clusterDNS: ["10.97.0.10"], // nobody asks it
    maxPods: 200,
    podLogsDir: join(folder, "logs"),
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** What the kubelet leaves when it ends, in each hierarchy, innermost first. */
async function removeCgroups(): Promise<void> {
  await run("sh", ["-c", `find /sys/fs/cgroup/*${CGROUP} /sys/fs/cgroup${CGROUP} -depth -type d -exec rmdir {} \\;`]);
}
