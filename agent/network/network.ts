import type { WebSocket } from "ws";
import type { Waker } from "../../worker/kinds/ingress/idle.ts";
import { contains } from "../../worker/kinds/validation/ip.ts";
import { nthAddress } from "../../worker/lib/config.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import type { Connections } from "../../worker/protocol/link.ts";
import { bothConnections } from "../../worker/protocol/traffic.ts";
import type { Timers } from "../effects.ts";
import { AnnouncedAddresses, announcedBy } from "./announced-addresses.ts";
import { ApiForwarder } from "./api-forwarder.ts";
import { attempt, type Command, command } from "./commands.ts";
import { Records } from "./dns/records.ts";
import { podResolver, type ResolverConfig, readNodeResolvers } from "./dns/resolv-conf.ts";
import { DnsServer } from "./dns/server.ts";
import { Upstream } from "./dns/upstream.ts";
import { FAMILIES, type Family, familyOf, IPV4, whyNoIPv6 } from "./family.ts";
import { type Identity, identityOf } from "./identity.ts";
import { Mesh, removeMesh } from "./mesh/mesh.ts";
import { Paths } from "./mesh/paths.ts";
import { isUsable, type MeshSettings } from "./mesh/settings.ts";
import { PodNetwork } from "./pod-network.ts";
import { PolicyGuard } from "./policies/guard.ts";
import { NodeRoutes, podCIDRsOf, type Route, wantedRoutes } from "./routes.ts";
import { ConnectionCounts } from "./services/connections.ts";
import { placeOf } from "./services/endpoints.ts";
import { HealthChecks, healthChecksFor } from "./services/health-checks.ts";
import { HeldPorts } from "./services/held-ports.ts";
import { type RulesContext, type RulesMemo, rulesFor } from "./services/rules.ts";
import { ServiceTable } from "./services/table.ts";
import type { NetworkRanges, NetworkSettings, NetworkState, Node, Pod, Service } from "./types.ts";

export type NodeNetworkOptions = {
  /** Tells this agent's names in the kernel from another's. */
  home: string;
  nodeName: string;
  clusterName: string;
  effects: Effects & Timers;
  log: (message: string) => void;
  /** In place of the machine's programs. */
  command?: Command;
  /** How nodes are reached that are on no network with this one; absent where they are not. */
  mesh?: MeshSettings;
};

/** How often what is in the kernel is compared with what should be: other programs flush tables and routes. */
const VERIFY_MS = 30_000;
const RETRY_MS = { first: 500, most: 30_000 };
/** Services count as served while what was last wanted of them is not in the kernel for no longer than this. */
const HEALTH_TIMEOUT_MS = 60_000;

/** All that a started network consists of; made by `start`, ended by `stop`. */
type Parts = {
  settings: NetworkSettings;
  pods: PodNetwork;
  routes: NodeRoutes;
  announced: AnnouncedAddresses;
  mesh: Mesh | undefined;
  /** One a family. */
  tables: readonly {
    table: ServiceTable;
    context: RulesContext;
    memo: RulesMemo;
    counts: ConnectionCounts;
    held: HeldPorts;
  }[];
  guard: PolicyGuard;
  healthChecks: HealthChecks;
  records: Records;
  dns: DnsServer;
  api: ApiForwarder;
};

/** The network of one node: its pods' addresses, Services, cluster DNS, the API for pods, routes to other nodes. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #identity: Identity;
  readonly #command: Command;
  #parts: Parts | undefined;
  #state: NetworkState | undefined;
  #dirty = false;
  #working: Promise<void> | undefined;
  #cancel: () => void = () => {};
  #stopping = new AbortController();
  #retryMs = RETRY_MS.first;
  #failingSince: number | undefined;
  /** A Service's health checks cannot be answered here. */
  onHealthCheckFailed: (service: Service, message: string) => void = () => {};
  /** Something has come for a Service that has no ready endpoint. Said again while it waits. */
  onHeld: (namespace: string, service: string, waker: Waker) => void = () => {};
  /** What the Node tells of how this node is reached, and of how it reaches others. */
  readonly paths: Paths;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    this.#identity = identityOf(options);
    this.#command = options.command ?? command;
    this.paths = new Paths(options.effects);
  }

  /**
   * Makes a network namespace for a pod, with an address that it returns; in place of one of that name. The policies that
   * select the pod are in force then.
   */
  async open(name: string, pod: Pod): Promise<string> {
    const { pods, guard } = this.#parts ?? {};
    if (!pods?.namespaces || !guard) throw new Error("the node's network is down");
    const address = await pods.namespaces.open(name);
    try {
      await guard.admit(name, this.allOf(address), pod);
      return address;
    } catch (error) {
      await attempt(this.close(name));
      throw error;
    }
  }

  /** Ends a pod's network namespace; one that is not there counts as ended. */
  async close(name: string): Promise<void> {
    await this.#parts?.pods.namespaces?.close(name);
    if (this.#parts?.guard.closed(name)) this.#work();
  }

  /** The file that stands for a namespace. */
  pathOf(name: string): string {
    return this.#parts?.pods.namespaces?.path(name) ?? "";
  }

  /** undefined for a namespace that is not there, or not any more. */
  addressOf(name: string): string | undefined {
    return this.#parts?.pods.namespaces?.addressOf(name);
  }

  /** All addresses of the pod that has this one in IPv4. */
  allOf(address: string): string[] {
    const second = this.#parts?.pods.namespaces?.secondOf(address);
    return [address, ...(second ? [second] : [])];
  }

  /** The names of all namespaces that are there. */
  opened(): string[] {
    return this.#parts?.pods.namespaces?.names() ?? [];
  }

  /** Another node's agent waits at this node's Relay, which `dial` dials. */
  acceptPeer(node: string, dial: () => WebSocket): void {
    this.#parts?.mesh?.accept(node, dial);
  }

  /** How other nodes are reached; undefined where no way leads to those that are elsewhere. */
  reports(): ReturnType<Mesh["report"]> | undefined {
    return this.#parts?.mesh?.report();
  }

  /** Other nodes whose pods cannot be reached, because no shared network and no tunnel leads to them. */
  get unreachable(): readonly Route[] {
    return this.#parts?.routes.unreachable ?? [];
  }

  /**
   * Leftovers of an earlier run are taken over. Services and routes stand after the first `sync`. After a failure, or
   * with other settings, it may be called again.
   */
  async start(settings: NetworkSettings): Promise<void> {
    await this.stop({ remove: false });
    const lack = settings.ipv6 && whyNoIPv6();
    if (lack) {
      this.#options.log(`pods here have IPv4 addresses alone: ${lack}`);
      delete settings.ipv6;
    }
    const pods = this.#podNetwork(settings);
    await pods.start();
    const routes = new NodeRoutes(this.#command, this.#identity, this.#options.log);
    await routes.load();
    const announced = this.#announcedAddresses();
    const records = new Records(settings.clusterDomain);
    records.update(withBuiltins(this.#state?.services ?? [], settings), this.#state?.endpointSlices ?? []);
    const servers = await this.#serve(settings, records, pods.gateway);
    const guard = this.#policyGuard(settings, settings.ipv6 ? FAMILIES : [IPV4], pods);
    this.#stopping = new AbortController();
    const tables = this.#serviceTables(settings, servers.own, guard);
    const healthChecks = this.#healthChecks();
    const ways = { pods, routes, announced, mesh: await this.#startMesh(pods) };
    this.#parts = { settings, ...ways, tables, guard, healthChecks, records, ...servers };
    this.#want();
    this.#verifyLater();
    if (this.#state) this.#work();
  }

  /** Opens what pods find at the two service addresses that this node answers itself. */
  async #serve(settings: NetworkSettings, records: Records, gateway: string) {
    const { effects } = this.#options;
    const { dnsAddress, apiAddress, apiCertificate: certificate, apiKey: key } = settings;
    const own = [dnsAddress, gateway];
    const servers = () => readNodeResolvers().servers.filter((server) => !own.includes(server));
    const dns = new DnsServer({ records, upstream: new Upstream({ effects, servers }), random: effects.random });
    const { url, ca } = settings.upstream;
    const api = new ApiForwarder({ upstream: new URL(url), ca, certificate, key });
    const dnsTo = { address: gateway, port: await dns.listen(gateway) };
    try {
      const apiTo = { address: gateway, port: await api.listen(gateway) };
      return {
        dns,
        api,
        own: [
          { address: dnsAddress, protocol: "udp", port: 53, to: dnsTo },
          { address: dnsAddress, protocol: "tcp", port: 53, to: dnsTo },
          { address: apiAddress, protocol: "tcp", port: 443, to: apiTo },
        ],
      };
    } catch (error) {
      await dns.close();
      throw error;
    }
  }

  #serviceTables(settings: NetworkSettings, own: RulesContext["own"], guard: PolicyGuard): Parts["tables"] {
    const { nodeName, effects } = this.#options;
    const { now } = effects;
    return FAMILIES.flatMap((family) => {
      const ranges = family === IPV4 ? settings : settings.ipv6;
      if (!ranges) return [];
      const { podCIDR, serviceCIDR } = ranges;
      const skeleton = { family, table: this.#identity.table, podCIDR, serviceCIDR };
      const table = new ServiceTable(this.#command, skeleton, now);
      const counts = new ConnectionCounts(this.#command, skeleton, now);
      const held = this.#heldPorts(family, podCIDR, guard);
      return [{ table, context: { nodeName, family, podCIDR, own }, memo: new Map(), counts, held }];
    });
  }

  #policyGuard(
    { dnsAddress, apiAddress }: Pick<NetworkSettings, "dnsAddress" | "apiAddress">,
    families: readonly Family[],
    pods?: PodNetwork,
  ) {
    return new PolicyGuard({
      families,
      command: this.#command,
      table: `${this.#identity.table}-policies`,
      own: [
        { address: dnsAddress, protocol: "UDP", port: 53, isPod: true },
        { address: dnsAddress, protocol: "TCP", port: 53, isPod: true },
        { address: apiAddress, protocol: "TCP", port: 443, isPod: false },
      ],
      opened: () => pods?.namespaces?.allAddresses ?? new Map(),
    });
  }

  #heldPorts(family: Family, podCIDR: string, guard: PolicyGuard): HeldPorts {
    const { effects, nodeName, log } = this.#options;
    return new HeldPorts({
      effects,
      log,
      family,
      address: nthAddress(podCIDR, 1),
      place: () => placeOf(nodeName, this.#state?.nodes ?? []),
      isPod: (client) => contains(podCIDR, client),
      wake: (...word) => this.onHeld(...word),
      mayJoin: (client, endpoint) => !guard.binds("egress", client) && !guard.binds("ingress", endpoint.address),
    });
  }

  /** Connections to Services that were seen here; undefined where that is not known. */
  async connections(): Promise<Connections | undefined> {
    const [parts, state] = [this.#parts, this.#state];
    if (!parts || !state) return undefined;
    const { services, endpointSlices: slices } = state;
    const figuresOf = ({ table: { began }, counts, context: { held } }: Parts["tables"][number]) => {
      const keepers = [...(held?.values() ?? [])].map(({ address, port }) => `${address}:${port}`);
      return began === undefined ? undefined : counts.figures(began, { services, slices, keepers });
    };
    try {
      return (await Promise.all(parts.tables.map(figuresOf))).reduce(bothConnections);
    } catch (error) {
      this.#options.log(`connections are not counted: ${errorText(error)}`);
      return undefined;
    }
  }

  #healthChecks(): HealthChecks {
    const { nodeName, effects } = this.#options;
    return new HealthChecks({
      nodeName,
      isServing: () => this.#failingSince === undefined || effects.now() - this.#failingSince < HEALTH_TIMEOUT_MS,
      failed: (service, message) => this.onHealthCheckFailed(service, message),
    });
  }

  /** A node that cannot have tunnels has routes all the same. */
  async #startMesh(pods: PodNetwork): Promise<Mesh | undefined> {
    const { mesh: settings, nodeName, effects, log } = this.#options;
    const { tunnel: device, port, checksPort } = this.#identity;
    if (!settings) return undefined;
    if (!(await isUsable(this.#command, device))) {
      log(
        "nodes on other networks are not reached: wg is missing, or the kernel has no WireGuard and wireguard-go or /dev/net/tun is missing",
      );
      return undefined;
    }
    const onChange = () => this.#work();
    const onGone = () => void this.verify();
    const own = { nodeName, device, port, checksPort, command: this.#command, effects, log };
    const mesh = new Mesh({ ...settings, ...own, onChange, onGone });
    try {
      await pods.admit(await mesh.start(pods.gateways, pods.mtu));
    } catch (error) {
      log(`nodes on other networks are not reached: ${errorText(error)}`);
      await mesh.stop();
      return undefined;
    }
    this.paths.reachedBy(settings.keys.publicKey, port);
    return mesh;
  }

  #announcedAddresses(): AnnouncedAddresses {
    return new AnnouncedAddresses({ command: this.#command, link: this.#identity.balancers, log: this.#options.log });
  }

  #podNetwork({ podCIDR, serviceCIDR, ipv6 }: NetworkRanges & { ipv6?: NetworkRanges }): PodNetwork {
    const ranges = { podCIDR, serviceCIDR, ...(ipv6 && { ipv6 }) };
    return new PodNetwork({ command: this.#command, identity: this.#identity, ...ranges });
  }

  /** The whole of what is wanted. Returns at once; while one state is being applied, only the last one given waits. */
  sync(state: NetworkState): void {
    this.#state = state;
    this.#want();
    this.#parts?.records.update(withBuiltins(state.services, this.#parts.settings), state.endpointSlices);
    this.#work();
  }

  #want(): void {
    const { policies, nodes } = this.#state ?? {};
    if (policies && nodes) this.#parts?.guard.want(policies, podCIDRsIn(nodes));
  }

  /** Puts back what other programs of the machine took from the kernel; done by itself every half minute. */
  async verify(): Promise<void> {
    await this.settled();
    const parts = this.#parts;
    if (!parts || this.#stopping.signal.aborted) return;
    try {
      await parts.pods.ensure();
      await parts.mesh?.verify();
      await parts.routes.load();
      parts.announced.verify();
      for (const { table } of parts.tables) await table.verify();
      await parts.guard.verify();
    } catch (error) {
      this.#options.log(`network: ${errorText(error)}`);
    }
    this.#work();
  }

  /** Resolves when the last state given to `sync` is in the kernel, or its last attempt failed and waits to be retried. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working;
  }

  /** What a pod's resolv.conf says. */
  dns(pod: Pod, warn?: (message: string) => void): ResolverConfig {
    const settings = this.#parts?.settings;
    const node = readNodeResolvers();
    if (!settings) return node;
    return podResolver(pod, { dnsAddress: settings.dnsAddress, clusterDomain: settings.clusterDomain, node }, warn);
  }

  /** A renewed certificate for `kubernetes.default`. */
  renew(certificate: string, key: string): void {
    this.#parts?.api.renew(certificate, key);
  }

  /**
   * Ends what listens. Services go on in the kernel without us, unless `remove`, which leaves nothing there or on disk;
   * that needs no start before it.
   */
  async stop({ remove }: { remove: boolean }): Promise<void> {
    this.#stopping.abort(new Error("the network stops"));
    this.#cancel();
    await this.settled();
    const parts = this.#parts;
    this.#parts = undefined;
    for (const { held } of parts?.tables ?? []) held.close();
    if (parts)
      await Promise.all([parts.dns.close(), parts.api.close(), parts.healthChecks.close(), parts.mesh?.stop()]);
    if (!remove) return;
    const unknown = { podCIDR: "", serviceCIDR: "" };
    const routes = new NodeRoutes(this.#command, this.#identity);
    await attempt(routes.load());
    await routes.remove();
    await removeMesh(this.#command, this.#identity.tunnel);
    await this.#announcedAddresses().remove();
    for (const family of FAMILIES)
      await new ServiceTable(this.#command, { family, table: this.#identity.table, ...unknown }, () => 0).remove();
    await this.#policyGuard({ dnsAddress: "", apiAddress: "" }, FAMILIES).remove();
    await this.#podNetwork(unknown).remove();
  }

  #work(): void {
    this.#dirty = true;
    if (!this.#parts || this.#stopping.signal.aborted) return;
    this.#working ??= this.#run(this.#parts).finally(() => {
      this.#working = undefined;
    });
  }

  async #run(parts: Parts): Promise<void> {
    while (this.#dirty && this.#state && !this.#stopping.signal.aborted) {
      this.#dirty = false;
      try {
        await this.#apply(parts, this.#state);
        this.#failingSince = undefined;
        // Soon at first; then whatever stands in the way is looked for along with all else.
        if (!parts.routes.hasFailed) this.#retryMs = RETRY_MS.first;
        else if (this.#retryMs < RETRY_MS.most) this.#retryLater();
      } catch (error) {
        this.#failingSince ??= this.#options.effects.now();
        this.#options.log(`network: ${errorText(error)}`);
        this.#retryLater();
        return;
      }
    }
  }

  async #apply(parts: Parts, state: NetworkState): Promise<void> {
    const { nodeName } = this.#options;
    try {
      await parts.guard.enforce();
    } finally {
      for (const { table, context, memo, held } of parts.tables) {
        context.held = await held.want(state.services, state.endpointSlices);
        await table.apply(rulesFor(state, context, memo));
        held.release();
      }
      await this.#applyRoutes(parts, state.nodes);
      await parts.announced.apply(announcedBy(state.services, nodeName));
      await parts.healthChecks.apply(healthChecksFor(state.services, state.endpointSlices, nodeName));
    }
  }

  async #applyRoutes({ settings, mesh, routes }: Parts, nodes: readonly Node[]): Promise<void> {
    const { nodeName } = this.#options;
    await mesh?.sync(nodes);
    const ways = new Map(mesh?.paths());
    const isElsewhere = (node: string) => (ways.get(node) ?? "lan") !== "lan";
    const wanted = wantedRoutes(nodes, nodeName, (node) => (isElsewhere(node) ? this.#identity.tunnel : undefined));
    await routes.apply(settings.ipv6 ? wanted : wanted.filter(({ to }) => familyOf(to) === IPV4));
    this.paths.are(ways);
  }

  #retryLater(): void {
    this.#cancel();
    this.#cancel = this.#options.effects.after(this.#retryMs, () => {
      this.#verifyLater();
      this.#work();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
  }

  #verifyLater(): void {
    this.#cancel();
    this.#cancel = this.#options.effects.after(VERIFY_MS, async () => {
      await this.verify();
      if (this.#parts && !this.#stopping.signal.aborted) this.#verifyLater();
    });
  }
}

const podCIDRsIn = (nodes: readonly Node[]): string[] => [...new Set(nodes.flatMap(({ spec }) => podCIDRsOf(spec)))];

/** The two Services that the agent itself serves have their names even before the cluster told of them. */
function withBuiltins(services: readonly Service[], settings: NetworkSettings): Service[] {
  const named = new Set(services.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`));
  const builtins = [
    builtin("default", "kubernetes", settings.apiAddress, [{ name: "https", protocol: "TCP", port: 443 }]),
    builtin("kube-system", "kube-dns", settings.dnsAddress, [
      { name: "dns", protocol: "UDP", port: 53 },
      { name: "dns-tcp", protocol: "TCP", port: 53 },
    ]),
  ];
  return [...services, ...builtins.filter(({ metadata }) => !named.has(`${metadata?.namespace}/${metadata?.name}`))];
}

function builtin(
  namespace: string,
  name: string,
  clusterIP: string,
  ports: NonNullable<Service["spec"]>["ports"],
): Service {
  return {
    metadata: { namespace, name, uid: name, resourceVersion: "0" },
    spec: { clusterIP, clusterIPs: [clusterIP], ports },
  };
}
