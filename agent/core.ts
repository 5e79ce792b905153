/**
 * The agent of one node without its machine: holds the control socket and the desired state, and hands the state to what
 * makes it true. Level-triggered: every message, every start and every reconnection ends in the same `sync`.
 */

import type { GatewayTables } from "../worker/kinds/gateway/tables.ts";
import { TABLES, TABLES_NAME } from "../worker/kinds/gateway/types.ts";
import type {
  CoreV1Node,
  CoreV1NodeStatus,
  CoreV1PersistentVolume,
  CoreV1PersistentVolumeClaim,
  CoreV1Pod,
  CoreV1Service,
} from "../worker/kinds/generated/types.ts";
import { errorText } from "../worker/lib/error-text.ts";
import { BUCKET, SIZES_ENFORCED, VOLUME_SIZES, VOLUMES_PATH, VOLUMES_THROUGH } from "../worker/lib/local-volumes.ts";
import { INGRESS_CLASSES, INGRESSES, type NodeUsage, type StreamRequest } from "../worker/protocol/link.ts";
import { POLICY_PEERS, POLICY_RULES, type PolicyPeers, type PolicyRules } from "../worker/protocol/policies.ts";
import type { clusterClock } from "./clock.ts";
import { usesClaim } from "./csi/growth.ts";
import type { Desired } from "./desired.ts";
import type { SteadyEffects } from "./effects.ts";
import type { Taken } from "./ingress/counts.ts";
import type { Ingress, IngressParts } from "./ingress/ingress.ts";
import type { NodeApi } from "./kubelet/node-api.ts";
import { Link, type Welcome } from "./link.ts";
import type { LinkSocket } from "./link-socket.ts";
import type { MetricSender } from "./metrics/metric-sender.ts";
import type { NodeNetwork } from "./network/network.ts";
import { orphanedPeers } from "./network/policies/orphans.ts";
import { podCIDRsOf } from "./network/routes.ts";
import type { EndpointSlice, NetworkSettings, PolicyState } from "./network/types.ts";
import { pressureChanges } from "./node/conditions.ts";
import { agreesWithExtended, extendedAllocatable } from "./node/extended-resources.ts";
import { Housekeeping, type HousekeepingParts } from "./node/housekeeping.ts";
import { ImageList } from "./node/image-list.ts";
import { keepLease } from "./node/lease.ts";
import { type Registration, registerNode } from "./node/register.ts";
import { type GracePeriod, NodeShutdown, refusal, SHUTTING_DOWN } from "./node/shutdown.ts";
import type { Pressure } from "./node/thresholds.ts";
import { type Writability, writableCondition } from "./node/writability.ts";
import { outboxOf } from "./outbox.ts";
import type { Host } from "./pods/host.ts";
import { PodManager } from "./pods/manager.ts";
import { parseSandboxName } from "./pods/memory.ts";
import type { PodNetwork } from "./pods/network.ts";
import type { InspectedImage, Runtime } from "./runtime.ts";
import type { State } from "./state.ts";
import { mirrored } from "./static/annotations.ts";
import type { StaticFolder } from "./static/folder.ts";
import { Mirrors } from "./static/mirrors.ts";
import type { VolumeData } from "./volumes/persistent/provisioned.ts";
import type { Api } from "./volumes/tokens.ts";
import { isOnWatch, keepWatch } from "./watchman.ts";

/** How often the node's own facts (addresses, images, pressure) are looked at and told when they changed, in ms. */
const FACTS_EVERY_MS = 60_000;
const RETRY_MS = 2_000;
/** State that could not be saved is tried again so often, in ms. */
const SAVE_AGAIN_MS = 10_000;
/** The facts under which a disk remembers whose it is, and what the cluster tells that has sent all of it. */
const MACHINE = "machine";
const TOLD = "told";

export type AgentParts = {
  node: string;
  /** Tells this machine from one that has a copy of its disk. */
  machineId: string;
  state: State;
  /** Hears of all that the node has to remember. */
  writability: Writability;
  /** For what must not jump. */
  machine: SteadyEffects;
  /** With the cluster's time, for what is told. */
  effects: ReturnType<typeof clusterClock>;
  dial(): LinkSocket;
  /** Where the node's pods find the cluster's API. */
  upstream: NetworkSettings["upstream"];
  runtime: Runtime;
  /** Calls `onHealth` after each look at whether the runtime answers. */
  watchRuntime(onHealth: (answers: boolean) => void): void;
  network: PodNetwork &
    Pick<NodeNetwork, "start" | "stop" | "sync" | "renew"> &
    Partial<Pick<NodeNetwork, "onHealthCheckFailed" | "onHeld" | "connections" | "paths">>;
  host(api: Api): Host;
  /** What the machine is; `conditions` are as last told. */
  facts(
    images: readonly InspectedImage[],
    conditions: NonNullable<CoreV1NodeStatus["conditions"]>,
    pressures: readonly Pressure[],
  ): CoreV1NodeStatus;
  /** How the machine is kept from running out of what it has; a model's never does. */
  housekeeping?: HousekeepingParts;
  /** What the node is registered with. */
  registration?: Pick<Registration, "labels" | "taints">;
  /** Where the machine's static pods are said, if anywhere. */
  staticPods?(onChange: () => void): Pick<StaticFolder, "start" | "stop" | "pods">;
  serveStream(request: StreamRequest, pods: PodManager): void;
  /** What serves Ingresses on the node's network, where anything does. */
  ingress?(
    parts: Pick<IngressParts, "onChange" | "warn" | "wake">,
  ): Pick<Ingress, "sync" | "stop" | "condition" | "traffic" | "taken">;
  /** What renews this very program, where anything does. */
  updates?(api: Api): Updates;
  /** The node's own API; a model has none. */
  nodeApi?: Pick<NodeApi, "open" | "welcomed" | "registered" | "probed" | "usage" | "stop">;
  /** Figures over time; a model keeps none. */
  metrics?: Pick<MetricSender, "start" | "stop" | "send">;
  log(message: string): void;
};

export type Updates = {
  /** The node's own object, whenever it may have changed. */
  heard(node: CoreV1Node | undefined): void;
  /** Connected, registered and able to run pods. */
  online(): Promise<void>;
};

/** What a node's network is made for; undefined while the node has no pod range. */
function rangesOf(welcome: Welcome, node: CoreV1Node | undefined) {
  const [podCIDR, second] = podCIDRsOf(node?.spec);
  if (!podCIDR) return undefined;
  const { serviceCIDR, serviceCIDRv6, clusterDomain, dnsAddress, apiAddress } = welcome;
  const ipv6 = second && serviceCIDRv6 ? { ipv6: { podCIDR: second, serviceCIDR: serviceCIDRv6 } } : {};
  return { podCIDR, serviceCIDR, ...ipv6, clusterDomain, dnsAddress, apiAddress };
}

const nameOf = (node: CoreV1Node) => node.metadata?.name ?? "";

export class AgentCore {
  private readonly parts: AgentParts;
  private readonly link: Link;
  private readonly pods: PodManager;
  private readonly host: Host;
  private readonly images: ImageList;
  private readonly housekeeping: Housekeeping | undefined;
  private readonly statics: ReturnType<NonNullable<AgentParts["staticPods"]>> | undefined;
  private readonly mirrors: Mirrors;
  private readonly ingress: ReturnType<NonNullable<AgentParts["ingress"]>> | undefined;
  private started: Promise<void> | undefined;
  private running = false;
  private ranges = "";
  /** The node's facts as the cluster last had them, so that an unchanged node writes nothing. */
  private told = "";
  /** Of the node's facts, whether or not it came to anything. */
  private lastRegistration: Promise<unknown> = Promise.resolve();
  private rebootTold = "";
  private cancelFacts = () => {};
  private conditions: NonNullable<CoreV1NodeStatus["conditions"]> = [];
  private endWatch = () => {};
  private endLease = () => {};
  private cancelSave = () => {};
  private readonly shutdown: NodeShutdown;
  /** What the runtime and the network make of the node, whatever else is to be said of it. */
  private health = { ready: false, message: "the node is not ready yet" };
  private readonly updates: Updates | undefined;
  /** What the cluster tells, in its words. */
  private tells = "";
  /** Whether `updates` knows of this connection. */
  private well = false;
  /** What the disk says is for this machine. Of a copy, the cluster has to say first what is to run here. */
  private own: boolean;

  constructor(parts: AgentParts) {
    const { node, machine, effects, log, runtime, network, dial } = parts;
    this.parts = parts;
    const { nodeApi } = parts;
    const call: Api = (...request) => this.link.call(...request);
    const api = nodeApi?.open(() => this.pods, call) ?? call;
    const host = nodeApi ? { ...parts.host(api), probed: nodeApi.probed } : parts.host(api);
    this.host = host;
    this.updates = parts.updates?.(api);
    const { state, machineId, writability } = parts;
    this.own = [undefined, machineId].includes(state.fact(MACHINE));
    writability.onChange = () => this.writabilityChanged();
    this.pods = new PodManager({
      nodeName: node,
      hostIPs: () => this.hostIPs(),
      runtime,
      host,
      network,
      effects,
      api,
      log,
      outbox: outboxOf(state),
      nodeObject: () => this.self(),
      pressures: () => this.housekeeping?.pressures ?? [],
      refuses: () => (this.shutdown.active ? refusal : undefined),
      onImages: () => this.images.outdate(),
      onGone: () => this.syncMirrors(),
    });
    if (host.ownVolumes)
      host.ownVolumes.onFailure = (volume, ...why) => this.pods.tellVolume(volume, "Warning", ...why);
    if (host.growth) {
      host.growth.onGrown = (claim, ...why) => {
        this.tellUsers(claim, "Normal", ...why);
        this.pods.tellClaim(claim, "Normal", ...why);
      };
      host.growth.onFailure = (claim, ...why) => this.tellUsers(claim, "Warning", ...why);
    }
    if (network.paths) network.paths.onChange = () => this.tellFacts();
    network.onHealthCheckFailed = (service, message) =>
      this.pods.tellService(service, "Warning", "FailedToStartServiceHealthcheck", message);
    network.onHeld = (...word) => this.link.wake(...word);
    if (host.attached) host.attached.onChange = () => this.tellFacts();
    this.statics = parts.staticPods?.(() => this.sync());
    this.ingress = parts.ingress?.({
      onChange: () => this.tellFacts(),
      warn: (reason, message) => this.pods.tellNode("Warning", reason, message),
      wake: (namespace, service) => this.link.wake(namespace, service),
    });
    this.mirrors = new Mirrors({ node, api, nodeUid: () => this.self()?.metadata?.uid, log });
    this.shutdown = new NodeShutdown({
      pods: () => this.pods.active(),
      end: (uid, verdict) => this.pods.end(uid, verdict),
      isRunning: (uid) => this.pods.isRunning(uid),
      tellNode: (...event) => this.pods.tellNode(...event),
      effects,
      log,
      changed: () => this.reportHealth(this.health.ready, this.health.message),
    });
    this.images = new ImageList(runtime);
    this.housekeeping =
      parts.housekeeping &&
      new Housekeeping({
        ...parts.housekeeping,
        pods: this.pods,
        runtime,
        images: this.images,
        effects,
        onChange: () => this.tellFacts(),
        log,
      });
    this.link = new Link(
      { dial, node, machine: machineId, effects: machine, log },
      {
        revision: () => parts.state.revision(),
        told: () => state.fact(TOLD) ?? "",
        welcome: (welcome) => {
          this.tells = welcome.told ?? "";
          effects.setBy(welcome.now);
          parts.state.setWelcome(welcome);
          nodeApi?.welcomed();
          if (this.running) network.renew(welcome.apiCertificate, welcome.apiKey);
        },
        objects: (message) => {
          parts.state.apply(message);
          state.setFact(TOLD, this.tells);
          this.letGoOfPeers();
          this.own = true;
          state.setFact(MACHINE, machineId);
          this.sync();
        },
        stream: ({ request }) => parts.serveStream(request, this.pods),
        ...(nodeApi && { usage: (pods) => nodeApi.usage(pods) }),
        history: () => void parts.metrics?.send(),
        ...(this.ingress && { traffic: () => this.seen() }),
        online: (online) => {
          log(online ? "connected to the cluster" : "not connected; pods go on");
          this.endLease();
          this.well = false;
          if (!online) return;
          this.told = "";
          this.tellFacts();
          if (parts.state.welcome()?.renewsLease) this.endLease = this.keepLease(api);
          this.pods.online();
          this.host.ownVolumes?.online();
          this.syncMirrors();
        },
      },
    );
  }

  get volumeData(): VolumeData | undefined {
    return this.host.volumeData;
  }

  start(): void {
    if (!this.own)
      this.parts.log("this disk is a copy of another machine's: nothing runs until the cluster has answered");
    if (this.parts.writability.problem()) this.saveLater();
    this.host.keptLogs?.start({
      pods: () => this.pods.present(),
      mirrors: () => this.desired().mirrors ?? new Map(),
      tell: (pod, message) => this.pods.tellPod(pod, "Warning", "LogsNotKept", message),
    });
    this.link.start();
    this.sync(); // from disk: pods start without uplink
    this.endWatch = keepWatch(this.parts.effects, (turn) => {
      if (isOnWatch(this.parts.node, this.all<CoreV1Node>("nodes").map(nameOf), turn)) this.link.look();
    });
  }

  /** The machine is about to go down: resolves when its pods have ended, or had their time. */
  shutDown(periods: readonly GracePeriod[]): Promise<void> {
    return this.shutdown.begin(periods);
  }

  /** It goes on after all. */
  cancelShutdown(): void {
    this.shutdown.cancel();
  }

  private reportHealth(ready: boolean, message: string): void {
    this.health = { ready, message };
    if (this.shutdown.active) this.link.reportHealth(false, SHUTTING_DOWN);
    else this.link.reportHealth(ready, message);
  }

  /** Containers keep running. */
  async stop(): Promise<void> {
    this.endWatch();
    this.endLease();
    this.cancelSave();
    this.statics?.stop();
    this.ingress?.stop();
    this.parts.metrics?.stop();
    this.parts.nodeApi?.stop();
    this.link.stop();
    this.host.keptLogs?.stop();
    this.housekeeping?.stop();
    await this.pods.stop();
    await this.parts.network.stop({ remove: false });
    this.parts.state.close();
  }

  private keepLease(call: Api): () => void {
    const { node, effects } = this.parts;
    return keepLease({ node, effects, call, uid: () => this.self()?.metadata?.uid });
  }

  private self(): CoreV1Node | undefined {
    return this.parts.state.of("nodes").get(`/${this.parts.node}`) as CoreV1Node | undefined;
  }

  private hostIPs(): string[] {
    const own = (this.self()?.status?.addresses ?? []).flatMap((a) => (a.type === "InternalIP" ? a.address : []));
    return own.length > 0 ? own : ["127.0.0.1"];
  }

  private sync(): void {
    const welcome = this.parts.state.welcome();
    const ranges = welcome && rangesOf(welcome, this.self());
    if (!ranges || !this.own) return;
    this.started ??= this.begin();
    this.updates?.heard(this.self());
    if (!this.running) return;
    if (JSON.stringify(ranges) !== this.ranges) return void this.move();
    this.parts.network.sync({
      services: this.all<CoreV1Service>("services"),
      endpointSlices: this.all<EndpointSlice>("endpointslices.discovery.k8s.io"),
      nodes: this.all<CoreV1Node>("nodes"),
      pods: this.all<CoreV1Pod>("pods"),
      policies: this.policies,
    });
    this.pods.sync(this.desired());
    this.syncIngress();
    const volumes = this.all<CoreV1PersistentVolume>("persistentvolumes");
    this.host.ownVolumes?.sync(volumes);
    this.host.growth?.sync(this.all<CoreV1PersistentVolumeClaim>("persistentvolumeclaims"), volumes);
    this.syncMirrors();
    if (!agreesWithExtended(this.self())) this.tellFacts();
  }

  /** Once the node has its addresses: the network, then what ran before, then everything wanted. */
  private async begin(): Promise<void> {
    await this.untilDone(async () => {
      await this.startNetwork();
      await this.statics?.start();
      await this.pods.start();
    });
    this.pods.tellNode("Normal", "Starting", "Starting kubelet.");
    this.pods.tellNode("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    this.housekeeping?.start();
    this.parts.metrics?.start();
    this.parts.watchRuntime((answers) => {
      const isBack = answers && !this.health.ready;
      this.reportHealth(answers, answers ? "" : "container runtime is down");
      if (isBack) this.tellFacts();
    });
  }

  /** The cluster was restored from another one's backup, and the node has other addresses in it. */
  private async move(): Promise<void> {
    this.parts.log("this node has other addresses now");
    this.running = false;
    await this.untilDone(() => this.startNetwork());
  }

  private async untilDone(body: () => Promise<void>): Promise<void> {
    const { log, effects } = this.parts;
    for (;;) {
      try {
        await body();
        break;
      } catch (error) {
        const message = errorText(error);
        log(`the node is not ready: ${message}`);
        this.reportHealth(false, message);
        await effects.sleep(RETRY_MS);
      }
    }
    this.running = true;
    this.sync();
    this.reportHealth(true, "");
    this.tellUpdates();
  }

  private tellUpdates(): void {
    if (this.well || !this.link.online || !this.running || !this.told) return;
    this.well = true;
    void this.updates?.online();
  }

  private async startNetwork(): Promise<void> {
    const welcome = this.parts.state.welcome();
    const ranges = welcome && rangesOf(welcome, this.self());
    if (!ranges) throw new Error("the cluster has taken this node's addresses back");
    const { upstream, network } = this.parts;
    const { apiCertificate, apiKey } = welcome;
    await network.start({ ...ranges, apiCertificate, apiKey, upstream });
    this.ranges = JSON.stringify(ranges);
  }

  /** What requests the node has seen. */
  private async seen(): Promise<NodeUsage> {
    const [traffic, connections] = await Promise.all([this.ingress?.traffic(), this.parts.network.connections?.()]);
    return {
      at: this.parts.effects.now(),
      ...(traffic && { traffic: { ...traffic, ...(connections && { connections }) } }),
    };
  }

  /** What was counted of them since it was last asked so. */
  async requests(): Promise<Taken[]> {
    return (await this.ingress?.taken()) ?? [];
  }

  private syncIngress(): void {
    const { state } = this.parts;
    this.ingress?.sync({
      ingresses: this.all(INGRESSES),
      classes: this.all(INGRESS_CLASSES),
      services: state.of("services") as unknown as ReadonlyMap<string, CoreV1Service>,
      slices: this.all("endpointslices.discovery.k8s.io"),
      secrets: state.of("secrets") as unknown as Desired["secrets"],
      gateways: state.of(TABLES).get(`/${TABLES_NAME}`) as unknown as GatewayTables | undefined,
    });
  }

  /** Without static pods there may still be what stood for them, when the folder is no longer named. */
  private syncMirrors(): void {
    if (!this.link.online || !this.running) return;
    this.mirrors.sync(this.statics?.pods.values() ?? [], this.all<CoreV1Pod>("pods"), (name) =>
      this.pods.isPresent(name),
    );
  }

  /** A pod whose end was told is still held to what selects it. */
  private readonly policies: PolicyState = {
    rules: () => this.parts.state.of(POLICY_RULES) as unknown as ReadonlyMap<string, PolicyRules>,
    peers: () => this.parts.state.of(POLICY_PEERS) as unknown as ReadonlyMap<string, PolicyPeers>,
    podOf: (namespace) => this.pods.podOf(parseSandboxName(namespace).uid),
  };

  /** What the rules of NetworkPolicies no longer speak of. */
  private letGoOfPeers(): void {
    const { state } = this.parts;
    const changes = orphanedPeers((resource) => state.of(resource));
    if (changes.length > 0) state.apply({ type: "changes", revision: state.revision(), changes });
  }

  private all<T>(resource: string): T[] {
    return [...this.parts.state.of(resource).values()] as T[];
  }

  private desired(): Desired {
    const pods = this.all<CoreV1Pod>("pods");
    const own = pods.filter((pod) => mirrored(pod) === undefined);
    return {
      pods: new Map([...own.map((pod) => [pod.metadata?.uid ?? "", pod] as const), ...(this.statics?.pods ?? [])]),
      mirrors: new Map(
        pods.flatMap((pod) => (mirrored(pod) === undefined ? [] : [[mirrored(pod) ?? "", pod] as const])),
      ),
      configMaps: this.parts.state.of("configmaps") as unknown as Desired["configMaps"],
      secrets: this.parts.state.of("secrets") as unknown as Desired["secrets"],
      claims: this.parts.state.of("persistentvolumeclaims") as unknown as Desired["claims"],
      persistentVolumes: this.parts.state.of("persistentvolumes") as unknown as Desired["persistentVolumes"],
      attached: new Set(this.self()?.status?.volumesAttached?.map(({ name }) => name)),
      nodeLabels: this.self()?.metadata.labels,
      services: this.all<CoreV1Service>("services"),
    };
  }

  /** Registers the node and keeps its facts current while online. Resolves to whether the cluster knows them. */
  private async tellFacts(): Promise<boolean> {
    if (!this.link.online) return false;
    const { effects, log } = this.parts;
    const again = (ms: number) => {
      this.cancelFacts(); // what an earlier connection began
      this.cancelFacts = effects.after(ms, () => this.tellFacts());
    };
    return this.registerInTurn()
      .then(() => {
        this.parts.nodeApi?.registered();
        this.tellUpdates();
        again(FACTS_EVERY_MS);
        return true;
      })
      .catch((error: unknown) => {
        log(`the node could not be registered: ${errorText(error)}`);
        again(RETRY_MS);
        return false;
      });
  }

  /** The disk takes nothing more, or takes all again. */
  private writabilityChanged(): void {
    const { writability, log } = this.parts;
    const problem = writability.problem();
    log(problem ? `state cannot be saved: ${problem}` : "state is saved again");
    if (problem) this.pods.tellNode("Warning", "StateNotWritable", `The agent cannot save its state: ${problem}`);
    else this.pods.tellNode("Normal", "StateWritable", "The agent can save its state again");
    if (problem) this.saveLater();
    this.tellFacts();
  }

  private saveLater(): void {
    const { state, effects } = this.parts;
    this.cancelSave();
    this.cancelSave = effects.after(SAVE_AGAIN_MS, () => {
      state.save();
      if (state.unsaved) this.saveLater();
    });
  }

  /** One after the other: what is under way may be of facts that are no more, and is not to be the last word. */
  private registerInTurn(): Promise<void> {
    const turn = this.lastRegistration.then(() => this.register());
    this.lastRegistration = turn.catch(() => {});
    return turn;
  }

  private async register(): Promise<void> {
    const { node, facts, writability, effects, registration } = this.parts;
    const images = await this.images.all();
    const self = this.self();
    const known = this.conditions.length ? this.conditions : (self?.status?.conditions ?? []);
    const found = facts(images, known, this.housekeeping?.pressures ?? []);
    const writable = writableCondition(writability.problem(), known, effects.now());
    const listens = this.ingress?.condition(known, effects.now());
    const allocatable = { ...found.allocatable, ...extendedAllocatable(self) } as Record<string, string>;
    const status = {
      ...found,
      allocatable,
      conditions: [...(found.conditions ?? []), writable, ...(listens ? [listens] : [])],
      ...this.attachedVolumes(),
    };
    this.conditions = status.conditions;
    for (const event of pressureChanges(status.conditions, known))
      this.pods.tellNode("Normal", event, `Node ${node} status is now: ${event}`);
    this.tellReboot(self?.status?.nodeInfo?.bootID, found.nodeInfo?.bootID);
    const { path, unbounded = SIZES_ENFORCED } = this.host.ownVolumes ?? {};
    const ways = this.parts.network.paths?.annotations(self?.metadata.annotations);
    const volumes = path !== undefined && {
      [VOLUMES_PATH]: path,
      [VOLUME_SIZES]: unbounded,
      [VOLUMES_THROUGH]: BUCKET,
    };
    const annotations: Record<string, string> = { ...volumes, ...ways };
    const text = JSON.stringify({ status, ways }, (key, value) => (key === "lastHeartbeatTime" ? undefined : value));
    if (text === this.told && agreesWithExtended(self)) return;
    this.told = ""; // what the cluster has is not known until it answers
    await registerNode({
      name: node,
      status,
      annotations,
      ...registration,
      call: (...request) => this.link.call(...request),
    });
    this.told = text;
  }

  /** Whoever detaches volumes waits until they are not in use. */
  private attachedVolumes(): { volumesInUse?: string[] } | undefined {
    const names = this.host.attached?.inUse();
    // In a patch, null is none.
    return names && { volumesInUse: names.length > 0 ? [...names] : (null as unknown as string[]) };
  }

  /** An event about each pod here that has a claim. */
  private tellUsers(claim: CoreV1PersistentVolumeClaim, ...event: ["Normal" | "Warning", string, string]): void {
    for (const { pod } of this.pods.active()) if (usesClaim(pod, claim)) this.pods.tellPod(pod, ...event);
  }

  private tellReboot(before: string | undefined, now: string | undefined): void {
    if (!before || !now || before === now || this.rebootTold === now) return;
    this.rebootTold = now;
    const { node } = this.parts;
    this.pods.tellNode("Warning", "Rebooted", `Node ${node} has been rebooted, boot id: ${now}`);
  }
}
