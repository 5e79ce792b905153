/**
 * Docker Swarm on this machine: Debian's dockerd, one manager that is the worker too. It runs in a network and a mount
 * namespace of its own, so that its bridge, rules and mounts go with it.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeBusyboxImage } from "../../support/image.ts";
import { checked, ensurePackages } from "../../support/programs.ts";
import { Server } from "../../support/server.ts";
import { COMMAND, type ContainerHost, until } from "../container-host.ts";
import { MARK, markedProcesses, type NodeHost } from "../node-host.ts";

/** Loaded from an archive, so no registry is asked. */
const IMAGE = "busybox:test";
const NAME = "pause";
const START = "ip link set lo up && exec dockerd";

type Task = { ID: string; DesiredState: string; Status: { State: string; ContainerStatus?: { ContainerID?: string } } };
type Service = { ID: string; Version: { Index: number }; Spec: object };

/** The Engine API over its socket: https://docs.docker.com/reference/api/engine/version/v1.41/ */
function engine<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const call = request({ socketPath, method, path: `/v1.41${path}`, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      if ((response.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      else resolve((text ? JSON.parse(text) : undefined) as T);
    });
    call.on("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** As eager as Skerry's: without this, Swarm waits five seconds before it replaces a container. */
const serviceOf = (replicas: number) => ({
  Name: NAME,
  TaskTemplate: {
    ContainerSpec: { Image: IMAGE, Command: COMMAND, StopGracePeriod: 1 },
    RestartPolicy: { Condition: "any", Delay: 0 },
  },
  Mode: { Replicated: { Replicas: replicas } },
});

/** Its tasks as pods. */
export async function startSwarmNode(): Promise<NodeHost> {
  const mark = randomUUID();
  const host = await startSwarm({ [MARK]: mark });
  const clear = async () => {
    await host.scale(0);
    await until("all containers are gone", async () => (await host.containers()).length === 0);
  };
  return { run: host.scale, clear, processes: () => markedProcesses(mark), stop: host.stop };
}

export async function startSwarm(
  environment: NodeJS.ProcessEnv = {},
): Promise<ContainerHost & { containers(): Promise<unknown[]> }> {
  await ensurePackages({ dockerd: "docker.io" });
  const folder = mkdtempSync(join(tmpdir(), "swarm-bench-"));
  const socket = join(folder, "docker.sock");
  const paths = ["--data-root", "data", "--exec-root", "exec", "--pidfile", "docker.pid"];
  const flags = paths.map((word) => (word.startsWith("--") ? word : join(folder, word)));
  const command = `${START} ${flags.join(" ")} -H unix://${socket}`;
  const daemon = new Server(folder, "dockerd", "unshare", ["--net", "--mount", "sh", "-c", command], environment);
  const running = async () => {
    const tasks = await engine<Task[]>(socket, "GET", "/tasks");
    const isRunning = ({ DesiredState, Status }: Task) => DesiredState === "running" && Status.State === "running";
    return tasks.filter(isRunning).map(({ ID }) => ID);
  };
  const scale = async (replicas: number) => {
    const [service] = await engine<Service[]>(socket, "GET", "/services");
    const path = service ? `/services/${service.ID}/update?version=${service.Version.Index}` : "/services/create";
    await engine(socket, "POST", path, serviceOf(replicas));
    await until(`${replicas} tasks run`, async () => (await running()).length === replicas);
  };
  const stop = async () => {
    if (!daemon.ended) await scale(0).catch(() => {}); // or dockerd waits for every container at its end
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until("dockerd listens", async () => {
      if (daemon.ended) throw new Error(daemon.tail());
      return existsSync(socket);
    });
    await engine(socket, "POST", "/swarm/init", { ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1" });
    const archive = join(folder, "image.tar");
    await writeBusyboxImage(archive);
    await checked("curl", ["-sf", "--unix-socket", socket, "-T", archive, "-X", "POST", "http://docker/images/load"]);
  } catch (error) {
    await stop();
    throw error;
  }
  const containers = () => engine<unknown[]>(socket, "GET", "/containers/json?all=true");
  return { running, scale, containers, stop };
}
