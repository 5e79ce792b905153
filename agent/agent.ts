/** The agent on this machine: its core, with a real containerd, network and disk. */
import { mkdirSync } from "node:fs";
import type { CoreV1Pod } from "../worker/kinds/generated/types.ts";
import { clusterClock } from "./clock.ts";
import { CONTAINERD_NAMESPACE, Containerd } from "./containerd.ts";
import { AgentCore } from "./core.ts";
import type { SteadyEffects } from "./effects.ts";
import { Launcher } from "./launcher.ts";
import { dialLink } from "./link-socket.ts";
import { cachePath, files, type Home } from "./local/home.ts";
import { ensureTools, type Progress } from "./local/install.ts";
import { type NodeIdentity, readIdentity } from "./local/join.ts";
import { Nerdctl, nerdctlEnvironment } from "./nerdctl.ts";
import { commandBy } from "./network/commands.ts";
import { NodeNetwork } from "./network/network.ts";
import { nodeStatus } from "./node/facts.ts";
import { machineId } from "./node/machine-id.ts";
import { Writability } from "./node/writability.ts";
import { machineHost } from "./pods/host.ts";
import { run } from "./process.ts";
import { openState } from "./state-file.ts";
import { serveStream } from "./streams/serve.ts";
import { unmountAll } from "./volumes/mounts.ts";
import { findRecursiveReadOnly } from "./volumes/recursive-read-only.ts";

type Parts = {
  home: Home;
  identity: NodeIdentity;
  /** For what must not jump. */
  machine: SteadyEffects;
  /** With the cluster's time, for what is told. */
  effects: ReturnType<typeof clusterClock>;
  log: Progress;
  containerd: Containerd;
  launcher: Launcher;
  nerdctl: Nerdctl;
  containerdVersion: string;
  recursiveReadOnly: boolean;
};

async function prepare(home: Home, machine: SteadyEffects, log: Progress): Promise<Parts> {
  const effects = clusterClock(machine);
  const identity = readIdentity(home.path);
  if (!identity) throw new Error(`${home.path} belongs to no cluster yet: use \`skerry up\` or \`skerry join\``);
  mkdirSync(home.path, { recursive: true });
  const tools = await ensureTools(cachePath(process.env), log);
  const containerd = new Containerd({ home: home.path, timers: effects, log });
  await containerd.start();
  const toml = containerd.paths.nerdctlToml;
  const launcher = new Launcher(effects, nerdctlEnvironment(toml));
  const nerdctl = new Nerdctl({
    binary: tools.nerdctl,
    toml,
    namespace: CONTAINERD_NAMESPACE,
    run: launcher.run,
  });
  const version = await run(tools.containerd, ["--version"]);
  const containerdVersion = /\s(\d+\.\d+\.\d+)/.exec(version.stdout)?.[1] ?? "unknown";
  const recursiveReadOnly = await findRecursiveReadOnly();
  return { home, identity, machine, effects, log, containerd, launcher, nerdctl, containerdVersion, recursiveReadOnly };
}

const networkOf = ({ home, identity, launcher, effects, log }: Parts) =>
  new NodeNetwork({
    home: home.path,
    nodeName: identity.node,
    clusterName: new URL(identity.server).pathname.split("/")[2] ?? "default",
    command: commandBy(launcher.run),
    effects,
    log,
  });

function assemble(parts: Parts): AgentCore {
  const { home, identity, machine, effects, log, containerd, nerdctl, containerdVersion, recursiveReadOnly } = parts;
  const { node, server, ca, address } = identity;
  const writability = new Writability();
  const state = openState(files(home.path).agentState, writability, log);
  const own = { pods: () => [...state.of("pods").values()] as unknown as CoreV1Pod[] };
  return new AgentCore({
    node,
    machineId: machineId(home.path),
    state,
    writability,
    machine,
    effects,
    dial: () => dialLink(identity, log),
    upstream: { url: server, ca },
    runtime: nerdctl,
    watchRuntime: (onHealth) => {
      containerd.onHealth = onHealth;
    },
    network: networkOf(parts),
    host: (api) => machineHost({ home: home.path, nerdctl, api, effects, writability, recursiveReadOnly }),
    facts: (images, conditions) =>
      nodeStatus({ name: node, address, folder: home.path, containerdVersion, images, now: effects.now(), conditions }),
    serveStream: (request, pods) => void serveStream(request, { identity, nerdctl, pods, node: own, log, effects }),
    log,
  });
}

/** Runs until a signal. */
export async function runAgent(home: Home, effects: SteadyEffects, log: Progress): Promise<void> {
  const parts = await prepare(home, effects, log);
  const agent = assemble(parts);
  agent.start();
  const signal = await new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => resolve(name));
  });
  log(`${signal}: the agent stops; containers keep running`);
  await agent.stop();
  parts.launcher.stop();
  parts.containerd.detach();
  process.exit(0);
}

/** Ends this machine's containers and takes its network down; state and images stay. */
export async function removePods(home: Home, effects: SteadyEffects, log: Progress): Promise<void> {
  const parts = await prepare(home, effects, log);
  const { nerdctl, launcher, containerd } = parts;
  await nerdctl.remove(await nerdctl.list("skerry.dev/pod-uid"));
  await networkOf(parts).stop({ remove: true });
  launcher.stop();
  containerd.detach();
  const pid = containerd.pid();
  if (pid) process.kill(pid, "SIGTERM");
  await unmountAll(home.path);
  log("removed this machine's containers and network");
}
