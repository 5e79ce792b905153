/**
 * A node without a machine: the agent's own link, watch and registration, and pods that start at once. What it tells
 * the cluster of a pod is what an agent tells of one container that starts without trouble.
 */
import { effects } from "../../../agent/effects.ts";
import { Link } from "../../../agent/link.ts";
import { dialLink, type LinkAddress, type LinkSocket } from "../../../agent/link-socket.ts";
import { registerNode } from "../../../agent/node/register.ts";
import { isOnWatch, keepWatch } from "../../../agent/watchman.ts";
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import { timestamp } from "../../../worker/lib/effects.ts";
import type { NodeChange, NodeUsage } from "../../../worker/protocol/link.ts";

const PATCH = "application/strategic-merge-patch+json";

export class ModelNode {
  readonly name: string;
  private readonly link: Link;
  private readonly nodes = new Set<string>();
  /** What was done about pods, by uid. */
  private readonly pods = new Map<string, { pod: CoreV1Pod; state: "running" | "gone" }>();
  private work: Promise<unknown> = Promise.resolve();
  private revision = 0;
  private online = () => {};
  private silent = false;
  private endWatch = () => {};

  constructor(address: LinkAddress) {
    this.name = address.node;
    const dial = () => this.silenced(dialLink(address, () => {}));
    this.link = new Link(
      { dial, node: address.node, effects, log: () => {} },
      {
        revision: () => this.revision,
        welcome: () => {},
        objects: (message) => {
          this.revision = message.revision;
          for (const change of message.type === "snapshot" ? message.objects : message.changes) this.heard(change);
        },
        stream: () => {},
        usage: async () => this.usage(),
        online: (online) => online && this.online(),
      },
    );
  }

  /** Resolves when the node is registered and has said that it is ready. */
  async start(): Promise<void> {
    const connected = new Promise<void>((resolve) => {
      this.online = resolve;
    });
    this.link.start();
    await connected;
    await registerNode({ name: this.name, status: status(this.name), call: (...call) => this.link.call(...call) });
    this.link.reportHealth(true, "");
    this.endWatch = keepWatch(effects, (turn) => {
      if (isOnWatch(this.name, [...this.nodes], turn)) this.link.look();
    });
  }

  /** Each pod uses half of a tenth of a processor, a little more or less each time. */
  private usage(): NodeUsage {
    const at = effects.now();
    const running = [...this.pods.values()].filter(({ state }) => state === "running");
    const figures = { cpu: 50_000_000 + (at % 1000) * 1000, memory: 64 * 1024 * 1024, windowMs: 10_000 };
    const pods = running.map(({ pod: { metadata, spec } }) => ({
      uid: metadata.uid ?? "",
      containers: spec.containers.map(({ name }) => ({ name, ...figures })),
    }));
    return { at, node: figures, pods };
  }

  /** Power is cut: nothing more is said, and no socket closes. */
  fallSilent(): void {
    this.silent = true;
  }

  stop(): void {
    this.silent = false;
    this.endWatch();
    this.link.stop();
  }

  /** An ordinary request of the agent; must succeed. */
  async call(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown> {
    const reply = await this.link.call(method, path, body, contentType);
    if (reply.code >= 300 && reply.code !== 404) throw new Error(`${method} ${path}: ${JSON.stringify(reply)}`);
    return reply.body;
  }

  private silenced(socket: LinkSocket): LinkSocket {
    return {
      ...socket,
      send: (text) => this.silent || socket.send(text),
      close: (code) => this.silent || socket.close(code),
      terminate: () => this.silent || socket.terminate(),
    };
  }

  private heard({ resource, name, object }: NodeChange): void {
    if (resource === "nodes") {
      if (object) this.nodes.add(name);
      else this.nodes.delete(name);
    }
    if (resource !== "pods" || !object) return;
    const pod = object as unknown as CoreV1Pod;
    const known = this.pods.get(pod.metadata.uid ?? "");
    if (pod.metadata.deletionTimestamp) {
      if (known?.state !== "gone") this.queue(pod, "gone", () => this.end(pod));
    } else if (!known) this.queue(pod, "running", () => this.begin(pod));
  }

  /** One after another, as one socket carries it. */
  private queue(pod: CoreV1Pod, state: "running" | "gone", body: () => Promise<unknown>): void {
    this.pods.set(pod.metadata.uid ?? "", { pod, state });
    this.work = this.work.then(body).catch((error: unknown) => {
      if (!this.silent) throw error;
    });
  }

  private async begin(pod: CoreV1Pod): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const account = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? "default"}`;
    await this.call("POST", `${account}/token`, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [], expirationSeconds: 3607, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    });
    await this.report(pod, { phase: "Pending", ready: false, waiting: true });
    for (const [reason, message] of [
      ["Pulled", "Container image already present on machine"],
      ["Created", "Container created"],
      ["Started", "Container started"],
    ] as const)
      await this.event(pod, reason, message);
    await this.report(pod, { phase: "Running", ready: true, waiting: false });
  }

  private async end(pod: CoreV1Pod): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    await this.event(pod, "Killing", "Stopping container");
    await this.report(pod, { phase: "Running", ready: false, waiting: false });
    const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, preconditions: { uid } };
    await this.call("DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`, body);
  }

  /** What the node says of one of its pods when a container of it has restarted. */
  async restart(restarts: number): Promise<void> {
    const [first] = [...this.pods.values()].filter(({ state }) => state === "running");
    if (!first) throw new Error(`${this.name} runs no pod`);
    await this.report(first.pod, { phase: "Running", ready: true, waiting: false, restarts });
    await this.event(first.pod, "Started", `Container started, ${restarts}`);
  }

  private report(
    pod: CoreV1Pod,
    { phase, ready, waiting, restarts = 0 }: { phase: string; ready: boolean; waiting: boolean; restarts?: number },
  ): Promise<unknown> {
    const { namespace, name } = pod.metadata;
    const now = timestamp(effects.now());
    const condition = (type: string, is: boolean) => ({
      type,
      status: is ? "True" : "False",
      lastTransitionTime: now,
    });
    const state = waiting ? { waiting: { reason: "ContainerCreating" } } : { running: { startedAt: now } };
    const status = {
      phase,
      startTime: now,
      hostIP: "192.0.2.1",
      hostIPs: [{ ip: "192.0.2.1" }],
      ...(waiting ? {} : { podIP: "10.244.0.9", podIPs: [{ ip: "10.244.0.9" }] }),
      conditions: [
        condition("PodReadyToStartContainers", !waiting),
        condition("Initialized", true),
        condition("Ready", ready),
        condition("ContainersReady", ready),
      ],
      containerStatuses: pod.spec.containers.map(({ name: container, image = "" }) => ({
        name: container,
        image,
        imageID: `docker.io/library/${image}@sha256:${"0".repeat(64)}`,
        containerID: waiting ? "" : `containerd://${"0".repeat(64)}`,
        ready,
        started: !waiting,
        restartCount: restarts,
        state,
        lastState: {},
      })),
    };
    return this.call("PATCH", `/api/v1/namespaces/${namespace}/pods/${name}/status`, { status }, PATCH);
  }

  private event(pod: CoreV1Pod, reason: string, message: string): Promise<unknown> {
    const { namespace, name, uid } = pod.metadata;
    const now = timestamp(effects.now());
    return this.call("POST", `/api/v1/namespaces/${namespace}/events`, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${effects.uid()}`, namespace },
      involvedObject: { apiVersion: "v1", kind: "Pod", namespace, name, uid },
      reason,
      message,
      type: "Normal",
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: "kubelet", host: this.name },
      reportingComponent: "kubelet",
      reportingInstance: this.name,
    });
  }
}

const status = (name: string) => ({
  capacity: { cpu: "4", memory: "8388608Ki", "ephemeral-storage": "104857600Ki", pods: "110" },
  allocatable: { cpu: "4", memory: "8388608Ki", "ephemeral-storage": "94371840Ki", pods: "110" },
  addresses: [
    { type: "InternalIP", address: "192.0.2.1" },
    { type: "Hostname", address: name },
  ],
  conditions: ["MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => ({ type, status: "False" })),
});
