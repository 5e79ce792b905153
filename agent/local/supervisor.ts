/** `skerry up`: a whole cluster on this machine. Starts the control plane, joins this machine to it, keeps both running. */
import { closeSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join as joinPath } from "node:path";
import { administratorToken } from "../../worker/lib/administrator.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { become, spawn } from "../process.ts";
import { ensureBundle, packageRoot } from "./bundle.ts";
import { ensureCertificates } from "./certificates.ts";
import { ensureSecret, kubeconfig } from "./credentials.ts";
import { cachePath, files, type Home, writeFile } from "./home.ts";
import { type Server, send, sendChecked } from "./http.ts";
import { ensureTools, type Progress } from "./install.ts";
import { join, readIdentity, writeIdentity } from "./join.ts";
import { Keeper } from "./keeper.ts";
import { ensureRanges } from "./ranges.ts";
import { openLog, prepareWorkerd, startWorkerd, workerdBinary } from "./workerd.ts";

export type UpOptions = {
  home: Home;
  /** Without it the control plane runs alone, and needs neither root nor containerd. */
  agent: boolean;
  controllers: boolean;
  /** The node's name. */
  node: string;
  /** The address that other nodes reach this one by; found when absent. */
  nodeIp?: string;
  progress: Progress;
  effects: Effects & Timers;
};

const CLUSTER = "default";
const ANSWER_TIMEOUT_MS = 30_000;
const READY_TIMEOUT_MS = 120_000;

/** The administrator's way in. */
export async function administrator(home: Home, cluster = CLUSTER): Promise<Server & { ca: string; token: string }> {
  const token = await administratorToken(ensureSecret(home.path), cluster);
  const path = cluster === CLUSTER ? "" : `/clusters/${cluster}`;
  return {
    url: `https://127.0.0.1:${home.port}${path}`,
    ca: readFileSync(files(home.path).caCertificate, "utf8"),
    token,
  };
}

/** Polls until `check` gives a value; says what was waited for when it does not in time. */
async function waitFor<T>(
  what: string,
  ms: number,
  effects: Effects & Timers,
  check: () => Promise<T | undefined>,
): Promise<T> {
  const end = effects.now() + ms;
  let last = "";
  while (effects.now() < end) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await effects.sleep(100);
  }
  throw new Error(`${what}: not within ${ms / 1000} s${last ? ` (${last})` : ""}`);
}

export function runningSupervisor(home: string): number | undefined {
  const path = files(home).supervisorPid;
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, "utf8"));
  try {
    // A pid may have been given to another program since.
    return /skerry|main\.(ts|js)|keep\.sh/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function checkPortIsFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => reject(new Error(`port ${port} is in use: choose another with SKERRY_PORT`)));
    server.listen(port, () => server.close(() => resolve()));
  });
}

/** A running cluster; `stop` ends the control plane and the agent and leaves containers running. */
export type Cluster = { stop(): Promise<void>; server: Server; summary: string };

export async function up(options: UpOptions): Promise<Cluster> {
  const { home, progress, effects } = options;
  await prepare(options);
  const keepers: Keeper[] = [];
  const stop = async () => {
    await Promise.all(keepers.toReversed().map((keeper) => keeper.stop()));
    rmSync(files(home.path).supervisorPid, { force: true });
  };
  try {
    progress("starting the control plane");
    keepers.push(await startControlPlane(options));
    const server = await answers(home, effects);
    keepers.push(await startAgent(options, server));
    return { stop, server, summary: summary(home, readIdentity(home.path)?.node ?? options.node) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * `skerry up --no-agent`: this process becomes a shell that keeps workerd running, and lets `skerry announce` say when it
 * answers.
 */
export async function upAlone(options: UpOptions): Promise<never> {
  const { home, progress } = options;
  await prepare(options);
  progress("starting the control plane");
  prepareWorkerd(await workerdOptions(options));
  closeSync(openLog(joinPath(files(home.path).logs, "workerd.log")));
  const keep = joinPath(import.meta.dirname, "keep.sh");
  return become("/bin/sh", [keep, home.path, workerdBinary(), ...thisProgram(), "announce"]);
}

/** Resolves with what there is to say when the control plane answers. */
export async function announce(home: Home, effects: Effects & Timers): Promise<string> {
  await answers(home, effects);
  return summary(home);
}

async function prepare({ home, agent, progress, effects }: UpOptions): Promise<void> {
  const running = runningSupervisor(home.path);
  if (running) throw new Error(`a cluster of ${home.path} is running already (pid ${running})`);
  if (agent && process.getuid?.() !== 0)
    throw new Error("running containers needs root: start with sudo, or run the control plane alone with --no-agent");
  await checkPortIsFree(home.port);
  writeFile(files(home.path).supervisorPid, `${process.pid}\n`);
  if (agent) await ensureTools(cachePath(process.env), progress);
  await ensureCertificates(home.path, effects.now());
}

/** Waits until the control plane answers, and writes the administrator's way in. */
async function answers(home: Home, effects: Effects & Timers): Promise<Server> {
  const server = await administrator(home);
  await waitFor("the control plane answers", ANSWER_TIMEOUT_MS, effects, async () => {
    const { code } = await send(server, "GET", "/readyz");
    return code === 200 || undefined;
  });
  const { kubeconfig: path } = files(home.path);
  writeFile(path, kubeconfig({ name: "skerry", server: server.url, ca: server.ca, token: server.token }));
  return server;
}

async function workerdOptions({ home, controllers }: UpOptions) {
  return {
    home,
    bundle: await ensureBundle(packageRoot()),
    secret: ensureSecret(home.path),
    config: JSON.stringify({ controllers, ...ensureRanges(home.path) }),
  };
}

async function startControlPlane(options: UpOptions): Promise<Keeper> {
  const { home, progress, effects } = options;
  const workerd = await workerdOptions(options);
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

async function startAgent({ home, node, nodeIp, progress, effects }: UpOptions, server: Server): Promise<Keeper> {
  const known = readIdentity(home.path);
  if (known && nodeIp && known.address !== nodeIp) writeIdentity(home.path, { ...known, address: nodeIp });
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
    throw new Error(`${error instanceof Error ? error.message : error}; see ${files(home.path).logs}/agent.log`);
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

/** The start of a command line that runs this program. */
const thisProgram = () => [process.execPath, ...process.execArgv, process.argv[1] ?? ""];

/** How the user called this program: from a clone by npm, or as the installed command. */
const commandName = () => (process.env.npm_lifecycle_event ? "npm run skerry --" : "skerry");

/** `node`: this machine's name, where it is one. */
function summary(home: Home, node?: string): string {
  const lines = [
    node
      ? `Skerry is running; node ${node} is Ready. In another terminal:`
      : "The control plane is running. In another terminal:",
    "",
    `  export KUBECONFIG=${files(home.path).kubeconfig}`,
    ...(node
      ? [
          "  kubectl get nodes",
          "  kubectl create deployment web --image=nginx --replicas=2",
          "  kubectl get pods -o wide",
        ]
      : ["  kubectl api-resources", `  ${commandName()} token create     # prints how to add a machine`]),
    "",
    "Ctrl-C stops the control plane; containers keep running, and the next start finds them again.",
  ];
  return lines.join("\n");
}
