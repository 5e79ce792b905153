/** `skerry up`: a whole cluster on this machine. Starts the control plane, joins this machine to it, keeps both running. */
import { closeSync, readFileSync, rmSync } from "node:fs";
import { join as joinPath } from "node:path";
import { errorText } from "../../worker/lib/error-text.ts";
import type { KubeletConfiguration } from "../node/settings.ts";
import { spawn } from "../process.ts";
import { answers, summary, waitFor } from "./answers.ts";
import { cachePath, files, type Home } from "./home.ts";
import { type Server, send, sendChecked } from "./http.ts";
import { ensureTools } from "./install.ts";
import { choose, join, readIdentity } from "./join.ts";
import { Keeper } from "./keeper.ts";
import { prepare, thisProgram, type UpOptions, workerdOptions } from "./prepare.ts";
import { type FrontSockets, openLog, startWorkerd } from "./workerd.ts";

export type SupervisorOptions = UpOptions & {
  /** The node's name; absent where this machine is to be none. */
  node?: string;
  /** The address that other nodes reach this one by; found when absent. */
  nodeIp?: string;
  /** What is said of the node's resources. */
  configuration?: KubeletConfiguration;
  /** The port of the node's own API; 0 for none. */
  kubeletPort?: number;
};

const READY_TIMEOUT_MS = 120_000;

/** A running cluster; `stop` ends the control plane and the agent and leaves containers running. */
export type Cluster = { stop(): Promise<void>; server: Server; summary: string };

export async function up(options: SupervisorOptions): Promise<Cluster> {
  const { home, progress, effects, node } = options;
  if (node !== undefined && process.getuid?.() !== 0)
    throw new Error("running containers needs root: start with sudo, or run the control plane alone with --no-agent");
  await prepare(options);
  if (node !== undefined) await ensureTools(cachePath(process.env), progress);
  const keepers: { stop(): Promise<void> | void }[] = [];
  const stop = async () => {
    await Promise.all(keepers.toReversed().map((keeper) => keeper.stop()));
    rmSync(files(home.path).supervisorPid, { force: true });
  };
  try {
    progress("starting the control plane");
    const workerd = await workerdOptions(options);
    keepers.push(startControlPlane(options, workerd));
    if (workerd.front) keepers.push(await front(home, workerd.front));
    const server = await answers(home, effects);
    if (node !== undefined) keepers.push(await startAgent({ ...options, node }, server));
    return { stop, server, summary: summary(home, node && (readIdentity(home.path)?.node ?? node)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function front(home: Home, sockets: FrontSockets): Promise<{ stop(): void }> {
  const { startFront } = await import("./tls-front.ts");
  const { key, certificate, caCertificate } = files(home.path);
  const read = (path: string) => readFileSync(path, "utf8");
  return startFront({ port: home.port, key: read(key), certificate: read(certificate) + read(caCertificate), sockets });
}

type Workerd = Awaited<ReturnType<typeof workerdOptions>>;

function startControlPlane({ home, progress, effects }: UpOptions, workerd: Workerd): Keeper {
  const keeper = new Keeper(
    {
      name: "workerd",
      start: () => startWorkerd(workerd),
      ended: (why) =>
        progress(`the control plane ended (${why}) and is started again; see ${files(home.path).logs}/workerd.log`),
    },
    effects,
  );
  keeper.start();
  return keeper;
}

async function startAgent(
  { home, node, nodeIp, kubeletPort, configuration, progress, effects }: SupervisorOptions & { node: string },
  server: Server,
): Promise<Keeper> {
  const known = readIdentity(home.path);
  if (!known) {
    progress(`joining this machine as node ${node}`);
    const { body } = await sendChecked(server, "POST", "/skerry/tokens", { ttlSeconds: 600, replace: true });
    await join(home.path, {
      server: server.url,
      ca: server.ca,
      token: String(body.token),
      node,
      address: nodeIp,
    });
  }
  choose(home.path, { address: nodeIp, kubeletPort, configuration });
  const name = readIdentity(home.path)?.node ?? node;
  const keeper = new Keeper(
    {
      name: "agent",
      start: () => spawnAgent(home),
      ended: (why) => progress(`the agent ended (${why}) and is started again; see ${files(home.path).logs}/agent.log`),
    },
    effects,
  );
  keeper.start();
  progress(`waiting until node ${name} is Ready`);
  try {
    await waitFor(`node ${name} is Ready`, READY_TIMEOUT_MS, effects, async () => {
      const { body } = await send(server, "GET", `/api/v1/nodes/${name}`);
      const conditions =
        (body.status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? [];
      return conditions.some((c) => c.type === "Ready" && c.status === "True") || undefined;
    });
  } catch (error) {
    await keeper.stop();
    throw new Error(`${errorText(error)}; see ${files(home.path).logs}/agent.log`);
  }
  return keeper;
}

/** The agent is a process of its own: it and the supervisor may die and come back apart from each other. */
function spawnAgent(home: Home) {
  const log = openLog(joinPath(files(home.path).logs, "agent.log"));
  const child = spawn("setpriv", ["--pdeathsig", "TERM", ...thisProgram(), "agent"], {
    stdio: ["ignore", log, log],
    env: { ...process.env, SKERRY_HOME: home.path, SKERRY_PORT: String(home.port) },
  });
  closeSync(log);
  return child;
}
