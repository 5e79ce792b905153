/** The agent on this machine: its core, with a real containerd, network and disk. */
import { mkdirSync } from "node:fs";
import type { CoreV1Node, CoreV1NodeStatus, CoreV1Pod } from "../worker/kinds/generated/types.ts";
import { errorText } from "../worker/lib/error-text.ts";
import { clusterClock } from "./clock.ts";
import { CONTAINERD_NAMESPACE, Containerd } from "./containerd.ts";
import { AgentCore } from "./core.ts";
import { placesOf } from "./csi/volumes.ts";
import type { SteadyEffects } from "./effects.ts";
import { clusterRegistry } from "./images/cluster-registry.ts";
import { type Mirrors, peerMirrors } from "./images/peers/mirror.ts";
import { Peers } from "./images/peers/peers.ts";
import { Counts } from "./ingress/counts.ts";
import { endIngress, Ingress } from "./ingress/ingress.ts";
import { KeptLogs } from "./kept-logs/kept-logs.ts";
import { NodeApi } from "./kubelet/node-api.ts";
import { Observations } from "./kubelet/observations.ts";
import { Launcher } from "./launcher.ts";
import { dialLink } from "./link-socket.ts";
import { cachePath, files, type Home } from "./local/home.ts";
import { open, read } from "./local/http.ts";
import { ensureTools, type Progress } from "./local/install.ts";
import { type NodeIdentity, readIdentity } from "./local/join.ts";
import { countedIn } from "./metrics/counted.ts";
import { MetricSender, type MetricSenderParts } from "./metrics/metric-sender.ts";
import { requestsIn } from "./metrics/requests.ts";
import { Nerdctl, nerdctlEnvironment } from "./nerdctl.ts";
import { commandBy } from "./network/commands.ts";
import { ownNetworks } from "./network/mesh/addresses.ts";
import { keysIn } from "./network/mesh/keys.ts";
import { MAX_PAYLOAD_BYTES } from "./network/mesh/relay-port.ts";
import { serveReports } from "./network/mesh/report.ts";
import type { MeshSettings } from "./network/mesh/settings.ts";
import { NodeNetwork } from "./network/network.ts";
import { KUBERNETES_VERSION, mainAddress, nodeStatus } from "./node/facts.ts";
import { machineHousekeeping } from "./node/machine.ts";
import { machineId } from "./node/machine-id.ts";
import { settingsOf } from "./node/settings.ts";
import { announceAgent, answerRequest, beAlone, readRequest, SHUTDOWN_SIGNAL } from "./node/shutdown-request.ts";
import { probeFolder, Writability } from "./node/writability.ts";
import { endOrphans } from "./orphans.ts";
import { removeNode } from "./pods/cgroups.ts";
import { machineHost } from "./pods/host.ts";
import { protectNode } from "./pods/resources.ts";
import { machineNamespaces } from "./pods/shared-namespaces.ts";
import { run } from "./process.ts";
import type { State } from "./state.ts";
import { openState } from "./state-file.ts";
import { StaticFolder } from "./static/folder.ts";
import { dialRelay, serveStream } from "./streams/serve.ts";
import { downloadVolume } from "./streams/volume-data.ts";
import { bucketOf } from "./streams/volume-transfer.ts";
import { notifierFor } from "./systemd/notify.ts";
import { installedVersion, renew } from "./update/start.ts";
import { Updater } from "./update/updater.ts";
import { VERSION } from "./version.ts";
import { unmountAll, unmountHome } from "./volumes/mounts.ts";
import { received } from "./volumes/persistent/copying.ts";
import { findRecursiveReadOnly } from "./volumes/recursive-read-only.ts";

/** Why an agent ends for another version of it. */
const RENEWED = "another version takes over";

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
  /** What of all this is counted. */
  observations: Observations;
  containerdVersion: string;
  recursiveReadOnly: boolean;
};

async function prepare(home: Home, machine: SteadyEffects, log: Progress): Promise<Parts> {
  const effects = clusterClock(machine);
  const identity = readIdentity(home.path);
  if (!identity) throw new Error(`${home.path} belongs to no cluster yet: use \`skerry up\` or \`skerry join\``);
  mkdirSync(home.path, { recursive: true });
  const tools = await ensureTools(cachePath(process.env), log);
  const external = process.env.SKERRY_CONTAINERD === "external";
  protectNode();
  const containerd = new Containerd({ home: home.path, timers: effects, log, external });
  await containerd.start();
  const { folder, socket } = containerd.paths;
  const orphans = await endOrphans({ folder, socket, namespace: CONTAINERD_NAMESPACE }, effects);
  if (orphans) log(`ended ${orphans} processes of containers from before this node lost its disk`);
  const toml = containerd.paths.nerdctlToml;
  const launcher = new Launcher(effects, nerdctlEnvironment(toml));
  const observations = new Observations(effects.now);
  const nerdctl = new Nerdctl({
    binary: tools.nerdctl,
    toml,
    namespace: CONTAINERD_NAMESPACE,
    clusterRegistry: () => clusterRegistry(home.path),
    run: observations.counting(launcher.run),
    runLong: observations.counting(run),
  });
  const containerdVersion = await nerdctl.containerdVersion().catch(() => "unknown");
  const recursiveReadOnly = await findRecursiveReadOnly();
  return {
    home,
    identity,
    machine,
    effects,
    log,
    containerd,
    launcher,
    nerdctl,
    observations,
    containerdVersion,
    recursiveReadOnly,
  };
}

const PEER_LIMITS = { maxPayload: MAX_PAYLOAD_BYTES };

/** Undefined on a disk that takes no key and has none. */
function meshOf({ home, identity, log }: Parts, stunServers: readonly string[]): MeshSettings | undefined {
  const keyFile = files(home.path).wireguardKey;
  try {
    const dial = (node: string) => dialRelay(identity, `peers/${encodeURIComponent(node)}`, PEER_LIMITS);
    return { keys: keysIn(keyFile), keyFile, stunServers, dial };
  } catch (error) {
    log(`nodes on other networks are not reached: ${errorText(error)}`);
    return undefined;
  }
}

const networkOf = ({ home, identity, launcher, machine, log }: Parts, mesh?: MeshSettings) =>
  new NodeNetwork({
    ...(mesh && { mesh }),
    home: home.path,
    nodeName: identity.node,
    clusterName: new URL(identity.server).pathname.split("/")[2] ?? "default",
    command: commandBy(launcher.run),
    effects: machine, // what is waited for there must not end, or never end, as the cluster's time is heard
    log,
  });

type Assembled = { core: AgentCore; nodeApi: NodeApi; network: NodeNetwork };

function assemble(parts: Parts, restart: () => void): Assembled {
  const { home, identity, machine, effects, log, containerd, launcher, nerdctl, recursiveReadOnly } = parts;
  const { node, server, ca, address } = identity;
  const settings = settingsOf(identity.configuration);
  const writability = new Writability(() => probeFolder(home.path));
  const state = openState(files(home.path).agentState, writability, log);
  const nodeApi = nodeApiOf(parts, state);
  nerdctl.peers = peersOf(parts, state);
  const edge = new Counts(machine.now);
  const network = networkOf(parts, meshOf(parts, settings.stunServers));
  const core: AgentCore = new AgentCore({
    nodeApi,
    metrics: metricsOf(parts, nodeApi, async () => requestsIn(await core.requests())),
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
      let answered = true;
      containerd.onHealth = async (answers) => {
        nodeApi.sawRuntime(answers);
        // Who answers again may be newer.
        if (answers && !answered)
          parts.containerdVersion = await nerdctl.containerdVersion().catch(() => parts.containerdVersion);
        answered = answers;
        onHealth(answers);
      };
    },
    network,
    host: (api) =>
      machineHost({
        home: home.path,
        node,
        keptLogs: keptLogsOf(parts),
        source: { receive: received((claim, signal) => downloadVolume(identity, claim, signal)) },
        bucket: bucketOf(identity, effects),
        nerdctl,
        api,
        effects,
        writability,
        recursiveReadOnly,
        nodeSettings: settings,
        command: commandBy(launcher.run),
        starting: (kind, start) => parts.observations.starting(kind, start),
        log,
      }),
    housekeeping: machineHousekeeping(home.path, settings, launcher.run),
    ...(settings.staticPodPath && {
      staticPods: (onChange) => new StaticFolder({ path: settings.staticPodPath ?? "", node, effects, onChange, log }),
    }),
    registration: { labels: settings.labels, taints: settings.taints },
    ingress: (told) =>
      new Ingress({ home: home.path, ports: settings.ingressPorts, timers: effects, edge, log, ...told }),
    facts: (images, conditions, pressures) => {
      nodeApi.sawImages(images);
      const { containerdVersion } = parts;
      const dualStack = state.welcome()?.serviceCIDRv6 !== undefined;
      const sources = { name: node, address, dualStack, folder: home.path, containerdVersion, images, conditions };
      return {
        ...nodeStatus({ ...sources, pressures, settings, recursiveReadOnly, now: effects.now() }),
        ...endpointsOf(nodeApi),
      };
    },
    serveStream: (request, pods) =>
      request.kind === "peer"
        ? network.acceptPeer(request.node, () => dialRelay(identity, request.id, PEER_LIMITS))
        : void serveStream(request, {
            identity,
            nerdctl,
            pods,
            node: nodeApi,
            counts: edge,
            volumes: () => core.volumeData,
            log,
            effects,
          }),
    updates: (api) =>
      new Updater({ home: home.path, node, version: VERSION, base: installedVersion(), api, log, restart }),
    log,
  });
  return { core, nodeApi, network };
}

const keptLogsOf = ({ home, identity, effects, log }: Parts) =>
  new KeptLogs({
    home: home.path,
    now: effects.now,
    timers: effects,
    send: async (method, path, { token = identity.token, ...sending }) => {
      const server = { url: identity.server, ca: identity.ca, token, anyTime: true };
      return read(await open(server, method, path, { ...sending, type: "application/octet-stream" }));
    },
    log,
  });

const metricsOf = (
  { home, identity, effects, log }: Parts,
  nodeApi: NodeApi,
  requests: MetricSenderParts["requests"],
) =>
  new MetricSender({
    home: home.path,
    now: effects.now,
    random: effects.random,
    timers: effects,
    counted: () => countedIn(nodeApi.look()),
    requests,
    send: async (method, path, body) => {
      const server = { url: identity.server, ca: identity.ca, token: identity.token, anyTime: true };
      return read(await open(server, method, path, { bytes: Buffer.from(JSON.stringify(body)) }));
    },
    log,
  });

/** Where the node's own API listens: 0 is said too, or it would go on to be thought where it was before. */
const endpointsOf = ({ port }: NodeApi): Pick<CoreV1NodeStatus, "daemonEndpoints"> => ({
  daemonEndpoints: { kubeletEndpoint: { Port: port } },
});

function nodeApiOf({ home, identity, effects, log, containerd, nerdctl, observations }: Parts, state: State): NodeApi {
  const { node, server, address, kubeletPort } = identity;
  const self = () => state.of("nodes").get(`/${node}`) as CoreV1Node | undefined;
  const ip = address ?? mainAddress();
  return new NodeApi({
    home: home.path,
    node,
    server,
    port: kubeletPort,
    version: `${KUBERNETES_VERSION}+skerry.${VERSION}`,
    effects,
    observations,
    pods: () => [...state.of("pods").values()] as unknown as CoreV1Pod[],
    authority: () => state.welcome()?.ca ?? "",
    addresses: () =>
      self()?.status?.addresses ?? [
        { type: "Hostname", address: node },
        ...(ip ? [{ type: "InternalIP", address: ip }] : []),
      ],
    settings: () => ({
      clusterDomain: state.welcome()?.clusterDomain ?? "",
      dnsAddress: state.welcome()?.dnsAddress ?? "",
      podCIDR: self()?.spec?.podCIDR ?? "",
      given: identity.configuration ?? {},
      runtimeEndpoint: `unix://${containerd.paths.socket}`,
    }),
    runtimePid: () => containerd.pid(),
    content: nerdctl.content,
    log,
  });
}

/** Other nodes of this machine's networks may have parts of images. */
function peersOf({ identity, effects, log }: Parts, state: State): Mirrors {
  const peers = new Peers({
    node: identity.node,
    nodes: () => state.of("nodes").values() as unknown as Iterable<CoreV1Node>,
    networks: ownNetworks,
    authority: () => state.welcome()?.ca ?? "",
    effects,
    log,
  });
  return peerMirrors({ peers, log });
}

/** Runs until a signal, or until another version is to run in its place. */
export async function runAgent(home: Home, effects: SteadyEffects, log: Progress): Promise<void> {
  await beAlone(home.path, effects);
  const parts = await prepare(home, effects, log);
  const end = Promise.withResolvers<string>();
  const { core: agent, nodeApi, network } = assemble(parts, () => end.resolve(RENEWED));
  await nodeApi.listen();
  agent.start();
  const reports = serveReports(home.path, () => network.reports());
  const notifier = notifierFor(process.env, { run: parts.launcher.run, timers: effects });
  notifier.ready();
  listenForShutdown(home.path, agent, log);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => end.resolve(name));
  const why = await end.promise;
  log(`${why}: the agent stops; containers keep running`);
  if (why !== RENEWED) notifier.stopping();
  reports.close();
  await agent.stop();
  parts.launcher.stop();
  parts.containerd.detach();
  if (why === RENEWED) renew();
  process.exit(0);
}

/** `skerry node shutdown` on this machine asks for it. */
function listenForShutdown(home: string, agent: AgentCore, log: Progress): void {
  process.on(SHUTDOWN_SIGNAL, () => {
    const request = readRequest(home);
    if (!request) return;
    const done = "cancel" in request ? agent.cancelShutdown() : agent.shutDown(request.periods);
    Promise.resolve(done)
      .catch((error: unknown) => log(`shutdown: ${errorText(error)}`))
      .then(() => answerRequest(home));
  });
  announceAgent(home);
}

/** Processes that were ended are on their way out for a moment. */
const CGROUP_TRIES = 20;
const CGROUP_WAIT_MS = 50;

/** Ends this machine's containers and takes its network down; state and images stay. */
export async function removePods(home: Home, effects: SteadyEffects, log: Progress): Promise<void> {
  const parts = await prepare(home, effects, log);
  const { nerdctl, launcher, containerd } = parts;
  await endIngress(home.path);
  await nerdctl.remove(await nerdctl.list("skerry.dev/pod-uid"));
  const namespaces = machineNamespaces(home.path, commandBy(launcher.run));
  for (const name of namespaces.opened()) await namespaces.close(name);
  await networkOf(parts).stop({ remove: true });
  launcher.stop();
  containerd.detach();
  const pid = containerd.pid();
  if (pid) process.kill(pid, "SIGTERM");
  for (const place of placesOf(home.path)) await unmountAll(place);
  await unmountHome(home.path);
  for (let tries = 0; !removeNode(home.path) && tries < CGROUP_TRIES; tries++) await effects.sleep(CGROUP_WAIT_MS);
  log("removed this machine's containers and network");
}
