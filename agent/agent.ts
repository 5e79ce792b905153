/**
 * The agent of one node: holds the control socket and the desired state, and hands the state to what makes it true.
 * Level-triggered: every message, every start and every reconnection ends in the same `sync`.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CoreV1Node, CoreV1Pod, CoreV1Service } from "../worker/kinds/generated/types.ts";
import type { Effects } from "../worker/lib/effects.ts";
import { clusterClock } from "./clock.ts";
import { CONTAINERD_NAMESPACE, Containerd } from "./containerd.ts";
import type { Desired } from "./desired.ts";
import type { Timers } from "./effects.ts";
import { Link, type Welcome } from "./link.ts";
import { cachePath, files, type Home } from "./local/home.ts";
import { ensureTools, type Progress } from "./local/install.ts";
import { type NodeIdentity, readIdentity } from "./local/join.ts";
import { Nerdctl } from "./nerdctl.ts";
import { NodeNetwork } from "./network/network.ts";
import type { EndpointSlice } from "./network/types.ts";
import { nodeStatus } from "./node/facts.ts";
import { registerNode } from "./node/register.ts";
import { machineHost } from "./pods/host.ts";
import { PodManager } from "./pods/manager.ts";
import { run } from "./process.ts";
import { State } from "./state.ts";
import { serveStream } from "./streams/serve.ts";
import { unmountAll } from "./volumes/mounts.ts";

/** How often the node's own facts (addresses, images, pressure) are looked at and told when they changed, in ms. */
const FACTS_EVERY_MS = 60_000;
const RETRY_MS = 2_000;

type Parts = {
  home: Home;
  identity: NodeIdentity;
  /** The machine's own clock, for what must not jump. */
  machine: Effects & Timers;
  /** With the cluster's time, for what is told. */
  effects: ReturnType<typeof clusterClock>;
  log: Progress;
  containerd: Containerd;
  nerdctl: Nerdctl;
  containerdVersion: string;
};

async function prepare(home: Home, machine: Effects & Timers, log: Progress): Promise<Parts> {
  const effects = clusterClock(machine);
  const identity = readIdentity(home.path);
  if (!identity) throw new Error(`${home.path} belongs to no cluster yet: use \`skerry up\` or \`skerry join\``);
  mkdirSync(home.path, { recursive: true });
  const tools = await ensureTools(cachePath(process.env), log);
  const containerd = new Containerd({ home: home.path, timers: effects, log });
  await containerd.start();
  const nerdctl = new Nerdctl({
    binary: tools.nerdctl,
    toml: containerd.paths.nerdctlToml,
    namespace: CONTAINERD_NAMESPACE,
  });
  const version = await run(tools.containerd, ["--version"]);
  const containerdVersion = /\s(\d+\.\d+\.\d+)/.exec(version.stdout)?.[1] ?? "unknown";
  return { home, identity, machine, effects, log, containerd, nerdctl, containerdVersion };
}

class Agent {
  private readonly parts: Parts;
  private readonly state: State;
  private readonly link: Link;
  private readonly network: NodeNetwork;
  private readonly pods: PodManager;
  private started: Promise<void> | undefined;
  private running = false;
  /** The node's facts as the cluster last had them, so that an unchanged node writes nothing. */
  private told = "";

  constructor(parts: Parts) {
    const { home, identity, machine, effects, log, nerdctl, containerd } = parts;
    this.parts = parts;
    this.state = new State(files(home.path).agentState);
    this.network = new NodeNetwork({
      home: home.path,
      nodeName: identity.node,
      clusterName: new URL(identity.server).pathname.split("/")[2] ?? "default",
      cniConfigPath: join(containerd.paths.folder, "cni"),
      effects,
      log,
    });
    const api = (method: string, path: string, body?: unknown, contentType?: string) =>
      this.link.call(method, path, body, contentType);
    this.pods = new PodManager({
      nodeName: identity.node,
      hostIP: () => this.address(),
      runtime: nerdctl,
      host: machineHost({ home: home.path, nerdctl, api, effects }),
      network: this.network,
      effects,
      api,
      log,
    });
    this.link = new Link(
      { server: identity.server, node: identity.node, token: identity.token, ca: identity.ca, effects: machine, log },
      {
        revision: () => this.state.revision(),
        welcome: (welcome) => {
          effects.setBy(welcome.now);
          this.state.setWelcome(welcome);
          if (this.running) this.network.renew(welcome.apiCertificate, welcome.apiKey);
        },
        objects: (message) => {
          this.state.apply(message);
          this.sync();
        },
        stream: ({ request }) => void serveStream(request, { identity, nerdctl, pods: this.pods, log, effects }),
        online: (online) => {
          log(online ? "connected to the cluster" : "not connected; pods go on");
          if (!online) return;
          this.told = "";
          this.tellFacts();
          this.pods.online();
        },
      },
    );
  }

  start(): void {
    this.link.start();
    this.sync(); // from disk: pods start without uplink
  }

  /** Containers keep running. */
  async stop(): Promise<void> {
    this.link.stop();
    await this.pods.stop();
    await this.network.stop({ remove: false });
    this.parts.containerd.detach();
    this.state.close();
  }

  private self(): CoreV1Node | undefined {
    return this.state.of("nodes").get(`/${this.parts.identity.node}`) as CoreV1Node | undefined;
  }

  private address(): string {
    return this.self()?.status?.addresses?.find((a) => a.type === "InternalIP")?.address ?? "127.0.0.1";
  }

  private sync(): void {
    const welcome = this.state.welcome();
    const podCIDR = this.self()?.spec?.podCIDR;
    if (!welcome || !podCIDR) return;
    this.started ??= this.begin(welcome, podCIDR);
    if (!this.running) return;
    this.network.sync({
      services: this.all<CoreV1Service>("services"),
      endpointSlices: this.all<EndpointSlice>("endpointslices.discovery.k8s.io"),
      nodes: this.all<CoreV1Node>("nodes"),
      pods: this.all<CoreV1Pod>("pods"),
    });
    this.pods.sync(this.desired());
  }

  /** Once the node has its addresses: the network, then what ran before, then everything wanted. */
  private async begin(welcome: Welcome, podCIDR: string): Promise<void> {
    const { log, effects, identity } = this.parts;
    const { serviceCIDR, clusterDomain, dnsAddress, apiAddress, apiCertificate, apiKey } = welcome;
    const upstream = { url: identity.server, ca: identity.ca };
    for (;;) {
      try {
        await this.network.start({
          podCIDR,
          serviceCIDR,
          clusterDomain,
          dnsAddress,
          apiAddress,
          apiCertificate,
          apiKey,
          upstream,
        });
        await this.pods.start();
        break;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        log(`the node is not ready: ${message}`);
        this.link.reportHealth(false, message);
        await effects.sleep(RETRY_MS);
      }
    }
    this.running = true;
    this.sync();
    this.link.reportHealth(true, "");
    this.parts.containerd.onHealth = (answers) =>
      this.link.reportHealth(answers, answers ? "" : "container runtime is down");
  }

  private all<T>(resource: string): T[] {
    return [...this.state.of(resource).values()] as T[];
  }

  private desired(): Desired {
    const pods = this.all<CoreV1Pod>("pods");
    return {
      pods: new Map(pods.map((pod) => [pod.metadata?.uid ?? "", pod])),
      configMaps: this.state.of("configmaps") as unknown as Desired["configMaps"],
      secrets: this.state.of("secrets") as unknown as Desired["secrets"],
      services: this.all<CoreV1Service>("services"),
    };
  }

  /** Registers the node and keeps its facts current while online. */
  private tellFacts(): void {
    if (!this.link.online) return;
    const { effects, log } = this.parts;
    this.register()
      .then(() => effects.after(FACTS_EVERY_MS, () => this.tellFacts()))
      .catch((error: unknown) => {
        log(`the node could not be registered: ${error instanceof Error ? error.message : error}`);
        effects.after(RETRY_MS, () => this.tellFacts());
      });
  }

  private async register(): Promise<void> {
    const { home, identity, nerdctl, effects, containerdVersion } = this.parts;
    const status = nodeStatus({
      name: identity.node,
      address: identity.address,
      folder: home.path,
      containerdVersion,
      images: await nerdctl.listImages(),
      now: effects.now(),
      conditions: this.self()?.status?.conditions ?? [],
    });
    const facts = JSON.stringify(status, (key, value) => (key === "lastHeartbeatTime" ? undefined : value));
    if (facts === this.told) return;
    await registerNode({ name: identity.node, status, call: (...request) => this.link.call(...request) });
    this.told = facts;
  }
}

/** Runs until a signal. */
export async function runAgent(home: Home, effects: Effects & Timers, log: Progress): Promise<void> {
  const agent = new Agent(await prepare(home, effects, log));
  agent.start();
  const signal = await new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => resolve(name));
  });
  log(`${signal}: the agent stops; containers keep running`);
  await agent.stop();
  process.exit(0);
}

/** Ends this machine's containers and takes its network down; state and images stay. */
export async function removePods(home: Home, effects: Effects & Timers, log: Progress): Promise<void> {
  const { nerdctl, containerd, identity } = await prepare(home, effects, log);
  await nerdctl.remove(await nerdctl.list("skerry.dev/pod-uid"));
  const network = new NodeNetwork({
    home: home.path,
    nodeName: identity.node,
    clusterName: new URL(identity.server).pathname.split("/")[2] ?? "default",
    cniConfigPath: join(containerd.paths.folder, "cni"),
    effects,
    log,
  });
  await network.stop({ remove: true });
  containerd.detach();
  const pid = containerd.pid();
  if (pid) process.kill(pid, "SIGTERM");
  await unmountAll(home.path);
  log("removed this machine's containers and network");
}
