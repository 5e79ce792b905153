/** Carries out the steps of a script in a world. */
import { podClaims } from "../../../worker/kinds/core/pod-claims.ts";
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import { CLASS_NAME } from "../../../worker/kinds/ingress/class.ts";
import { IDLE_ANNOTATION } from "../../../worker/kinds/ingress/idle.ts";
import { BUCKET, MOVE_THROUGH, MOVE_TO, VOLUME_NODE } from "../../../worker/lib/local-volumes.ts";
import type { KubeObject } from "../../../worker/lib/object.ts";
import { EVICTION_GRACE_SECONDS, FINALIZER_PREFIX, marked } from "../invariants/marker.ts";
import { part } from "../world/part.ts";
import type { World } from "../world/world.ts";
import { attaching, DRIVER } from "./attacher.ts";
import { Client, type Reply, type Sent } from "./client.ts";
import { hurt, isFault } from "./hurt.ts";
import { APP, IMPORTANT, NAMESPACES, TAINT, UNSTEADY } from "./objects.ts";
import { type List, pages, type Reader, watch } from "./reading.ts";
import { CLIENTS, type Deed, type Mishap, nth, REST_MS, type Script, type Step } from "./script.ts";
import { hostOf, type Server, serve, visit } from "./serving.ts";

type Pod = KubeObject & { spec?: { nodeName?: string }; status?: { phase?: string } };
type Volume = KubeObject & {
  spec?: { claimRef?: { namespace?: string; name?: string } };
  status?: { phase?: string };
};
type Node = KubeObject & { spec?: { taints?: { key: string; effect: string }[] } };
type Do<Name extends Deed["do"]> = Extract<Deed, { do: Name }>;

const HOSTNAME = "kubernetes.io/hostname";
const TRIES = 3;
const TRY_AGAIN_MS = 2_000;
const EVICT_AGAIN_MS = 5_000;
const EVICT_TRIES = 8;
const BIND_TRIES = 12;
const VISITS_AFTER_MS = 3_000;
const LOOK_BEFORE_MS = 60_000;

export class Players {
  readonly #world: World;
  readonly #clients: readonly Client[];
  readonly #keeper: Client;
  readonly #sleep: (ms: number) => Promise<void>;
  #writes = 0;
  #isAttaching = false;
  #isHealed = false;
  /** Names that the edge has been asked for, or is to be. */
  readonly #hosts = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#clients = Array.from({ length: CLIENTS }, (_, i) => new Client(world, `client-${i}`));
    this.#keeper = new Client(world, "keeper");
    this.#sleep = (ms) => part(world.clock, world.seed, "players").sleep(ms);
  }

  /** Sets everything up to happen when its time comes. */
  schedule(script: Script): void {
    const { clock } = this.#world;
    for (const node of this.#world.nodes) node.start();
    this.#background(this.#setUp());
    for (const step of script.steps) clock.after(step.at, () => this.#perform(step));
    clock.after(script.heals, () => this.#heal());
  }

  #perform(step: Step): void {
    if (isFault(step)) hurt(this.#world, step);
    else this.#background(this.#act(step));
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#world.fail(error));
  }

  #heal(): void {
    const world = this.#world;
    this.#isHealed = true;
    hurt(world, { do: "heal" });
    world.observe({ at: world.clock.now, type: "healed" });
    this.#background(this.#tidyUp());
    this.#background(this.#lookAtEdge());
  }

  /** Once all is quiet. */
  async #lookAtEdge(): Promise<void> {
    await this.#sleep(REST_MS - LOOK_BEFORE_MS);
    for (const host of this.#hosts) await this.#world.edge.look(host);
  }

  async #setUp(): Promise<void> {
    const priority = { metadata: { name: IMPORTANT }, value: 1000 };
    await this.#until(this.#keeper, {
      method: "POST",
      path: "/apis/scheduling.k8s.io/v1/priorityclasses",
      body: priority,
    });
    for (const name of [...NAMESPACES.slice(1), UNSTEADY])
      await this.#until(this.#keeper, { method: "POST", path: "/api/v1/namespaces", body: { metadata: { name } } });
  }

  /** What the hurting left behind and no controller would mend. */
  async #tidyUp(): Promise<void> {
    for (const node of this.#world.nodes)
      await this.#until(this.#keeper, {
        method: "PATCH",
        path: `/api/v1/nodes/${node.name}`,
        body: { spec: { unschedulable: null } },
        contentType: "application/merge-patch+json",
      });
    for (const [node] of this.#world.nodes.entries()) await this.#taint(this.#keeper, { node, effect: undefined });
    await this.#until(this.#keeper, { method: "DELETE", path: `/api/v1/namespaces/${UNSTEADY}` });
    for (const volume of await this.#list<Volume>(this.#keeper, "/api/v1/persistentvolumes"))
      if (volume.metadata?.annotations?.[MOVE_TO]) await this.#endUsers(this.#keeper, volume, 1, homeOf(volume));
  }

  /** Asks until the server has said something of its own. */
  async #until(client: Client, sent: Sent): Promise<void> {
    for (;;) {
      const reply = await this.#once(client, sent);
      if (reply && reply.code < 500 && reply.code !== 429) return;
      await this.#sleep(TRY_AGAIN_MS);
    }
  }

  /** One attempt, under a mark of its own. */
  #once(client: Client, sent: Sent): Promise<Reply | undefined> {
    const isMarked = typeof sent.body === "object" && !Array.isArray(sent.body) && sent.method !== "DELETE";
    const isWhole = !/\/(scale|status|eviction|binding)(\?|$)/.test(sent.path);
    if (!isMarked || !isWhole) return client.ask(sent);
    this.#writes += 1;
    return client.ask({ ...sent, body: marked(sent.body, { client: client.name, write: String(this.#writes) }) });
  }

  async #ask(client: Client, sent: Sent): Promise<Reply | undefined> {
    for (let tries = 1; ; tries++) {
      const reply = await this.#once(client, sent);
      if ((reply && reply.code < 500) || tries === TRIES) return reply;
      await this.#sleep(TRY_AGAIN_MS * tries);
    }
  }

  async #act(deed: Deed): Promise<void> {
    const client = this.#clients[deed.client % CLIENTS] as Client;
    switch (deed.do) {
      case "ask":
        return void (await this.#ask(client, deed.sent));
      case "edit":
        return this.#edit(client, deed);
      case "evict":
        return this.#evict(client, deed);
      case "kill":
        return this.#kill(client, deed);
      case "bind":
        return this.#bind(client, deed);
      case "hold":
        return this.#hold(client, deed);
      case "own":
        return this.#own(client, deed);
      case "drain":
        return this.#drain(client, deed);
      case "uncordon":
        return void (await this.#cordon(client, deed.node, null));
      case "taint":
        return this.#taint(client, deed);
      case "forget-node":
        return this.#forgetNode(client, deed);
      case "site":
        return this.#site(client, deed);
      case "move":
        return this.#move(client, deed);
      case "disk":
        return this.#disk(client, deed);
      case "visit":
        return this.#visit(client, deed);
      case "front":
        this.#hosts.add(hostOf(deed.namespace));
        return serve(this.#server(client), deed);
      case "pages":
        return pages(this.#reader(client), deed);
      case "watch":
        return watch(this.#reader(client), deed);
    }
  }

  #reader(client: Client): Reader {
    const { clock } = this.#world;
    return { client, ask: (sent) => this.#ask(client, sent), sleep: this.#sleep, now: () => clock.now };
  }

  #server(client: Client): Server {
    return {
      world: this.#world,
      ask: (sent) => this.#ask(client, sent),
      sleep: this.#sleep,
      background: (work) => this.#background(work),
      pods: (namespace, selector) =>
        this.#list(client, `/api/v1/namespaces/${namespace}/pods?${new URLSearchParams({ labelSelector: selector })}`),
      evict: (pod) => this.#evictPod(client, pod),
      drain: (node) => this.#drain(client, { node }),
      uncordon: async (node) => void (await this.#cordon(client, node, null)),
      hurt: (fault) => {
        if (!this.#isHealed) hurt(this.#world, fault);
      },
    };
  }

  async #make(client: Client, objects: readonly [path: string, body: object][]): Promise<void> {
    for (const [path, body] of objects) await this.#ask(client, { method: "POST", path, body });
  }

  async #edit(client: Client, { path, change, ms = 0 }: Do<"edit">): Promise<void> {
    const read = await this.#ask(client, { method: "GET", path });
    if (read?.code !== 200) return;
    await this.#sleep(ms);
    await this.#ask(client, { method: "PUT", path, body: merge(read.body, change) as object });
  }

  async #list<T extends KubeObject>(client: Client, path: string): Promise<T[]> {
    const reply = await this.#ask(client, { method: "GET", path });
    return reply?.code === 200 ? ((reply.body as List).items as T[]) : [];
  }

  async #evictPod(client: Client, { metadata }: KubeObject): Promise<Reply | undefined> {
    const { namespace, name } = metadata ?? {};
    return client.ask({
      method: "POST",
      path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
      body: {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace },
        deleteOptions: { gracePeriodSeconds: EVICTION_GRACE_SECONDS },
      },
    });
  }

  async #evict(client: Client, { namespace, nth: first, count }: Do<"evict">): Promise<void> {
    const pods = await this.#list<Pod>(client, `/api/v1/namespaces/${namespace}/pods`);
    for (let i = 0; i < Math.min(count, pods.length); i++) {
      const pod = nth(pods, first + i);
      if (pod) await this.#evictPod(client, pod);
    }
  }

  async #nthPod(client: Client, namespace: string, n: number): Promise<{ path: string; uid?: string } | undefined> {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const pod = nth(await this.#list<Pod>(client, pods), n);
    return pod && { path: `${pods}/${pod.metadata?.name}`, uid: pod.metadata?.uid };
  }

  async #kill(client: Client, { namespace, nth: n, grace }: Do<"kill">): Promise<void> {
    const pod = await this.#nthPod(client, namespace, n);
    const body = { preconditions: { uid: pod?.uid }, ...(grace !== undefined && { gracePeriodSeconds: grace }) };
    if (pod) await this.#ask(client, { method: "DELETE", path: pod.path, body });
  }

  async #bind(client: Client, { namespace, nth: n, node }: Do<"bind">): Promise<void> {
    const pod = await this.#nthPod(client, namespace, n);
    const name = nth(this.#world.nodes, node)?.name;
    const metadata = { name: pod?.path.split("/").at(-1) };
    const body = { apiVersion: "v1", kind: "Binding", metadata, target: { kind: "Node", name } };
    if (pod) await this.#ask(client, { method: "POST", path: `${pod.path}/binding`, body });
  }

  async #hold(client: Client, { namespace, ms }: Do<"hold">): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const body = { metadata: { name: "held", finalizers: [`${FINALIZER_PREFIX}hold`] } };
    await this.#ask(client, { method: "POST", path, body });
    await this.#ask(client, { method: "DELETE", path: `${path}/held` });
    await this.#sleep(ms);
    await this.#until(client, {
      method: "PATCH",
      path: `${path}/held`,
      body: { metadata: { finalizers: null } },
      contentType: "application/merge-patch+json",
    });
  }

  async #own(client: Client, { namespace, name, owners, ends }: Do<"own">): Promise<void> {
    const ownerReferences: object[] = [];
    for (const path of owners) {
      const reply = await this.#ask(client, { method: "GET", path });
      const { apiVersion, kind, metadata } = (reply?.code === 200 ? reply.body : {}) as KubeObject;
      if (metadata)
        ownerReferences.push({ apiVersion, kind, name: metadata.name, uid: metadata.uid, blockOwnerDeletion: true });
    }
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    if (ownerReferences.length > 0)
      await this.#ask(client, { method: "POST", path, body: { metadata: { name, ownerReferences } } });
    if (!ends || !owners[0]) return;
    await this.#sleep(ends.ms);
    const body = { propagationPolicy: ends.propagationPolicy };
    await this.#ask(client, { method: "DELETE", path: owners[0], body });
  }

  async #cordon(client: Client, node: number, unschedulable: true | null): Promise<void> {
    const machine = nth(this.#world.nodes, node);
    if (!machine) return;
    await this.#ask(client, {
      method: "PATCH",
      path: `/api/v1/nodes/${machine.name}`,
      body: { spec: { unschedulable } },
      contentType: "application/merge-patch+json",
    });
  }

  /** Puts its own taint on a node, or takes it off. */
  async #taint(client: Client, { node, effect }: Pick<Do<"taint">, "node" | "effect">): Promise<void> {
    const path = `/api/v1/nodes/${nth(this.#world.nodes, node)?.name}`;
    for (let tries = 0; tries < TRIES; tries++) {
      const read = await this.#ask(client, { method: "GET", path });
      if (read?.code !== 200) return;
      const { spec, ...rest } = read.body as Node;
      const others = (spec?.taints ?? []).filter(({ key }) => key !== TAINT);
      const taints = effect ? [...others, { key: TAINT, effect }] : others;
      const reply = await this.#ask(client, { method: "PUT", path, body: { ...rest, spec: { ...spec, taints } } });
      if (reply?.code !== 409) return;
    }
  }

  /** Nobody deletes a node whose machine goes on without starting its agent anew. */
  async #forgetNode(client: Client, { node }: Pick<Do<"forget-node">, "node">): Promise<void> {
    const machine = nth(this.#world.nodes, node);
    if (!machine) return;
    machine.powerOff();
    await this.#ask(client, { method: "DELETE", path: `/api/v1/nodes/${machine.name}` });
    machine.start();
  }

  async #site(client: Client, { node, zone, policies, lostMs }: Do<"site">): Promise<void> {
    const machine = nth(this.#world.nodes, node);
    if (!machine) return;
    await this.#ask(client, {
      method: "PATCH",
      path: `/api/v1/nodes/${machine.name}`,
      body: { metadata: { labels: { "topology.kubernetes.io/zone": zone } } },
      contentType: "application/merge-patch+json",
    });
    const path = "/api/v1/namespaces/kube-system/configmaps";
    const body = { metadata: { name: "site-policies" }, data: policies };
    const reply = await this.#ask(client, { method: "POST", path, body });
    const data = { a: null, b: null, default: null, ...policies };
    if (reply?.code === 409)
      await this.#ask(client, {
        method: "PATCH",
        path: `${path}/site-policies`,
        body: { data },
        contentType: "application/merge-patch+json",
      });
    if (lostMs !== undefined) hurt(this.#world, { do: "cut", ms: lostMs, place: machine.name });
  }

  async #move(client: Client, { namespace, store, nth: n, moves }: Do<"move">): Promise<void> {
    const sets = `/apis/apps/v1/namespaces/${namespace}/statefulsets`;
    await this.#ask(client, { method: "POST", path: sets, body: store });
    for (const { node, grace, ms, rest, drops, through, mishap } of moves) {
      const volume = await this.#bound(client, namespace, n);
      const to = nth(this.#world.nodes, node)?.name;
      if (!volume || !to) return;
      if (drops) {
        const { name } = volume.spec?.claimRef ?? {};
        await this.#ask(client, {
          method: "DELETE",
          path: `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`,
        });
      } else await this.#wish(client, volume, to, through);
      if (mishap) this.#background(this.#befall(client, mishap, { from: homeOf(volume) ?? "", to }));
      if (grace !== undefined) await this.#endUsers(client, volume, grace, drops ? undefined : homeOf(volume));
      if (ms !== undefined) {
        await this.#sleep(ms);
        await this.#wish(client, volume, null);
      }
      await this.#sleep(rest);
    }
  }

  async #befall(client: Client, mishap: Mishap, ends: { from: string; to: string }): Promise<void> {
    const { after, whose, what, ms } = mishap;
    const world = this.#world;
    await this.#sleep(after);
    if (this.#isHealed) return;
    if (whose === "cluster") return hurt(world, { do: "die" });
    const place = ends[whose];
    const node = world.nodes.findIndex(({ name }) => name === place);
    if (what === "cut") return hurt(world, { do: "cut", ms, place });
    if (what !== "lost") return hurt(world, { do: what, node, ms });
    world.nodes[node]?.powerOff();
    hurt(world, { do: "lose-disk", node });
    await this.#forgetNode(client, { node });
  }

  async #disk(client: Client, { namespace, name, app, steps }: Do<"disk">): Promise<void> {
    if (!this.#isAttaching) this.#background(attaching({ ask: (sent) => this.#keeper.ask(sent), sleep: this.#sleep }));
    this.#isAttaching = true;
    const spec = { accessModes: ["ReadWriteOnce"], storageClassName: "" }; // bound by the volume's word
    const size = { storage: "1Gi" };
    const volume = {
      metadata: { name },
      spec: { ...spec, capacity: size, claimRef: { namespace, name }, csi: { driver: DRIVER, volumeHandle: name } },
    };
    const claim = { metadata: { name }, spec: { ...spec, resources: { requests: size } } };
    const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const objects: [path: string, body: object][] = [
      ["/api/v1/persistentvolumes", volume],
      [`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, claim],
      [deployments, app],
    ];
    await this.#make(client, objects);
    for (const { node, grace, rest } of steps) {
      await this.#sleep(rest);
      const nodeSelector = node === undefined ? null : { [HOSTNAME]: nth(this.#world.nodes, node)?.name };
      await this.#ask(client, {
        method: "PATCH",
        path: `${deployments}/${name}`,
        body: { spec: { template: { spec: { nodeSelector } } } },
        contentType: "application/merge-patch+json",
      });
      if (grace !== undefined) await this.#endUsers(client, volume, grace);
    }
  }

  async #visit(client: Client, { namespace, app, idle, visits }: Do<"visit">): Promise<void> {
    const metadata = { name: APP, annotations: { [IDLE_ANNOTATION]: idle } };
    const service = { metadata, spec: { selector: { app: APP }, ports: [{ port: 80, targetPort: 8080 }] } };
    const host = `${APP}.${namespace}.test`;
    const backend = { service: { name: APP, port: { number: 80 } } };
    const rules = [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
    const ingress = { metadata: { name: APP }, spec: { ingressClassName: CLASS_NAME, rules } };
    const objects: [path: string, body: object][] = [
      [`/apis/apps/v1/namespaces/${namespace}/deployments`, app],
      [`/api/v1/namespaces/${namespace}/services`, service],
      [`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, ingress],
    ];
    await this.#make(client, objects);
    this.#hosts.add(host);
    await this.#sleep(VISITS_AFTER_MS);
    for (const { node, answerMs, rest } of visits) {
      this.#background(visit(this.#world, node, { host, method: "GET", answerMs }));
      await this.#sleep(rest);
    }
  }

  async #bound(client: Client, namespace: string, n: number): Promise<Volume | undefined> {
    for (let tries = 0; tries < BIND_TRIES; tries++) {
      const volumes = await this.#list<Volume>(client, "/api/v1/persistentvolumes");
      const bound = volumes.filter(
        (volume) =>
          volume.status?.phase === "Bound" && volume.spec?.claimRef?.namespace === namespace && homeOf(volume),
      );
      if (bound.length > 0) return nth(bound, n);
      await this.#sleep(EVICT_AGAIN_MS);
    }
    return undefined;
  }

  /** A volume is its controller's to make and delete: it gets no mark. */
  async #wish(client: Client, { metadata }: Volume, to: string | null, through?: boolean): Promise<void> {
    const path = `/api/v1/persistentvolumes/${metadata?.name}`;
    const body = { metadata: { annotations: { [MOVE_TO]: to, [MOVE_THROUGH]: through ? BUCKET : null } } };
    await client.ask({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }

  /** All that have the volume's claim, or those of one node. */
  async #endUsers(client: Client, { spec }: Volume, gracePeriodSeconds: number, node?: string): Promise<void> {
    const { namespace = "", name = "" } = spec?.claimRef ?? {};
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    for (const pod of await this.#list<CoreV1Pod>(client, pods))
      if (podClaims(pod).some(({ claim }) => claim === name) && (node === undefined || pod.spec.nodeName === node))
        await this.#ask(client, {
          method: "DELETE",
          path: `${pods}/${pod.metadata.name}`,
          body: { gracePeriodSeconds },
        });
  }

  async #drain(client: Client, { node }: Pick<Do<"drain">, "node">): Promise<void> {
    const machine = nth(this.#world.nodes, node);
    if (!machine) return;
    await this.#cordon(client, node, true);
    for (let tries = 0; tries < EVICT_TRIES; tries++) {
      const pods = await this.#list<Pod>(client, `/api/v1/pods?fieldSelector=spec.nodeName%3D${machine.name}`);
      const left = pods.filter(({ metadata }) => !metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet"));
      if (left.length === 0) return;
      for (const pod of left) if (!pod.metadata?.deletionTimestamp) await this.#evictPod(client, pod);
      await this.#sleep(EVICT_AGAIN_MS);
    }
  }
}

/** Where a volume of a node's own disk lies. */
const homeOf = ({ metadata }: Volume) => metadata?.annotations?.[VOLUME_NODE];

/** RFC 7386, on a copy. */
function merge(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
