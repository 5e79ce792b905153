/** The least of a cluster that an agent needs, and one node on it, for the tests of nodes alone. */
import type { CoreV1Pod, CoreV1PodSpec } from "../../../worker/kinds/generated/types.ts";
import type { Json, NodeChange, ObjectJson, ToCluster, ToNode } from "../../../worker/protocol/link.ts";
import { PING, PONG } from "../../../worker/protocol/parse.ts";
import type { ContainerFact, Socket } from "../contract.ts";
import { Clock } from "../world/clock.ts";
import { part } from "../world/part.ts";
import { type Random, stream } from "../world/random.ts";
import { createNode, type ModelNode } from "./node.ts";

const LATENCY_MS = 5;
const START = Date.UTC(2026, 0, 1);

type Seen = { at: number; container: ContainerFact; state: string };

export class TinyCluster {
  readonly clock = new Clock(START);
  readonly node: ModelNode;
  /** Everything that happened to containers, and what they are now. */
  readonly seen: Seen[] = [];
  readonly containers = new Map<string, Seen>();
  /** What the agent said, what it wrote, and what was done to its node, with the time (ms). */
  readonly log: [number, string][] = [];
  /** Two containers of one name at once, pods let go that still run. */
  readonly breaks: string[] = [];
  online = true;
  /** Some requests are answered with 500. */
  sick = false;
  readonly #objects = new Map<string, NodeChange>();
  #mute = false;
  #revision = 1;
  readonly #random: Random;
  #socket: { send(text: string): void; drop(): void } | undefined;

  constructor(seed: number) {
    this.#random = stream(seed, "cluster");
    this.node = createNode({
      name: "n1",
      part: part(this.clock, seed, "n1"),
      connect: () => this.#connect(),
      observe: (observation) => {
        if (observation.type === "container") this.#see(observation.container, observation.state);
      },
      log: (message) => this.note(message),
    });
    this.#put("nodes", "", "n1", { metadata: { name: "n1" }, spec: { podCIDR: "10.1.0.0/24" } });
  }

  #time(): string {
    return `${(this.clock.now - START) / 1000} s`;
  }

  note(message: string): void {
    this.log.push([this.clock.now, message]);
  }

  /** Lets so many virtual seconds pass. */
  async pass(seconds: number): Promise<void> {
    await this.clock.run(this.clock.now + seconds * 1000);
  }

  run(name: string, given: CoreV1PodSpec): void {
    const pod: CoreV1Pod = {
      metadata: { name, namespace: "default", uid: `uid-${name}-${this.#revision}` },
      spec: { nodeName: "n1", terminationGracePeriodSeconds: 5, ...given },
    };
    this.#change("pods", "default", name, pod as unknown as ObjectJson);
  }

  delete(name: string): void {
    const pod = this.pod(name);
    if (!pod) return;
    const metadata = { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 5 };
    this.#change("pods", "default", name, { ...pod, metadata } as unknown as ObjectJson);
  }

  /** The node hears no more of a pod, as if another cluster spoke; `give` undoes it. */
  take(name: string): NodeChange {
    const taken = this.#objects.get(`pods/default/${name}`) as NodeChange;
    this.#change("pods", "default", name, null);
    return taken;
  }

  give({ resource, namespace, name, object }: NodeChange): void {
    this.#change(resource, namespace, name, object);
  }

  pod(name: string): CoreV1Pod | undefined {
    return this.#objects.get(`pods/default/${name}`)?.object as unknown as CoreV1Pod | undefined;
  }

  /** Nothing reaches the other end, and nobody is told; what was sent meanwhile has been lost with its connection. */
  mute(on: boolean): void {
    if (this.#mute && !on) this.#socket?.drop();
    this.#mute = on;
  }

  cut(on: boolean): void {
    this.online = !on;
    if (on) this.#socket?.drop();
  }

  running(pod?: string): Seen[] {
    return [...this.containers.values()].filter(
      ({ state, container }) => state === "running" && (pod === undefined || container.pod === pod),
    );
  }

  pods(): CoreV1Pod[] {
    return [...this.#objects.values()].flatMap(({ resource, object }) =>
      resource === "pods" ? [object as unknown as CoreV1Pod] : [],
    );
  }

  #see(container: ContainerFact, state: string): void {
    const seen = { at: this.clock.now, container, state };
    this.seen.push(seen);
    if (state === "removed") this.containers.delete(container.id);
    else this.containers.set(container.id, seen);
    const same = this.running().filter(
      (other) => other.container.podUid === container.podUid && other.container.name === container.name,
    );
    if (same.length > 1) this.breaks.push(`${container.pod}/${container.name} runs twice at ${this.#time()}`);
  }

  #connect(): Socket {
    let ended = false;
    let [onOpen, onMessage, onClose] = [() => {}, (_text: string) => {}, (_code: number, _reason: string) => {}];
    const later = (body: () => void) => this.clock.after(LATENCY_MS, () => !ended && !this.#mute && body());
    const end = (code: number) => {
      if (ended) return;
      ended = true;
      onClose(code, "");
    };
    if (this.online) {
      later(() => onOpen());
      this.#socket = { send: (text) => void later(() => onMessage(text)), drop: () => end(1006) };
    } else this.clock.after(LATENCY_MS, () => end(1006));
    return {
      send: (text) => void later(() => this.#hear(text)),
      close: end,
      onOpen: (handler) => {
        onOpen = handler;
      },
      onMessage: (handler) => {
        onMessage = handler;
      },
      onClose: (handler) => {
        onClose = handler;
      },
    };
  }

  #tell(message: ToNode): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #hear(text: string): void {
    if (text === PING) return this.#socket?.send(PONG);
    const message = JSON.parse(text) as ToCluster;
    if (message.type === "hello") {
      const addresses = { dnsAddress: "10.96.0.10", apiAddress: "10.96.0.1", serviceCIDR: "10.96.0.0/12" };
      const secrets = { ca: "", apiCertificate: "", apiKey: "" };
      const cluster = { clusterId: "c", clusterDomain: "cluster.local", version: 1, now: this.clock.now };
      this.#tell({ type: "welcome", ...cluster, ...addresses, ...secrets });
      this.#tell({ type: "snapshot", revision: this.#revision, objects: [...this.#objects.values()] });
    } else if (message.type === "call") {
      this.note(`${message.method} ${message.path}`);
      const { code, body } = this.#answer(message);
      this.#tell({ type: "reply", id: message.id, code, body });
    }
  }

  #answer({ method, path, body }: Extract<ToCluster, { type: "call" }>): { code: number; body: Json } {
    if (this.sick && this.#random() < 0.5) return { code: 500, body: { message: "etcdserver: request timed out" } };
    const [, name = ""] = /\/pods\/([^/]+)/.exec(path) ?? [];
    const pod = name ? this.pod(name) : undefined;
    if (!name) return { code: 200, body: {} };
    const given = body as { metadata?: { uid: string }; preconditions?: { uid: string }; status?: object };
    if (!pod) return { code: 404, body: {} };
    if ((given.metadata ?? given.preconditions)?.uid !== pod.metadata.uid) return { code: 409, body: {} };
    const left = this.running(name).filter(({ container }) => container.podUid === pod.metadata.uid);
    if (method === "DELETE" && left.length > 0) this.breaks.push(`${name} is let go at ${this.#time()} and still runs`);
    if (method === "DELETE") this.#change("pods", "default", name, null);
    else this.#change("pods", "default", name, { ...pod, status: given.status } as unknown as ObjectJson);
    return { code: 200, body: {} };
  }

  #put(resource: string, namespace: string, name: string, object: ObjectJson | null): NodeChange {
    const change = { resource, namespace, name, object };
    const key = `${resource}/${namespace}/${name}`;
    if (object) this.#objects.set(key, change);
    else this.#objects.delete(key);
    return change;
  }

  #change(resource: string, namespace: string, name: string, object: ObjectJson | null): void {
    const change = this.#put(resource, namespace, name, object);
    this.#tell({ type: "changes", revision: ++this.#revision, changes: [change] });
  }
}
