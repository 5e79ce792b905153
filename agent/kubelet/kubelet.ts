/**
 * A node's own HTTP API, as far as a kubelet's paths mean something here. Who may ask is others' affair: the API's proxy
 * has asked already, and `server.ts` asks for those who come by the node's port.
 */
import type { NodeUsage } from "../../worker/protocol/link.ts";
import { type Answer, json, notFound, parsed, pathOf, type Question, text } from "./answer.ts";
import { cadvisorMetrics } from "./cadvisor.ts";
import { type Cgroup, machineCgroup } from "./cgroup.ts";
import { kubeletConfiguration, type Settings } from "./configuration.ts";
import { containerLogs, type Find } from "./container-logs.ts";
import { DiskUsages } from "./disk.ts";
import { EXPOSITION_TYPE, Exposition } from "./exposition.ts";
import { kubeletMetrics, processMetrics } from "./kubelet-metrics.ts";
import { machineFacts } from "./machine.ts";
import { type KubeletNode, runningIn } from "./node.ts";
import { nodeLogs } from "./node-logs.ts";
import type { Observations } from "./observations.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import { type NodeFigures, Sampler } from "./sampler.ts";
import { type SummaryParts, summary } from "./summary.ts";
import { nodeUsage } from "./usage.ts";
import { volumesOf } from "./volumes.ts";

export type KubeletParts = KubeletNode & {
  version: string;
  find: Find;
  settings(cgroupVersion: 1 | 2): Settings;
  imageBytes(): number;
  runtimePid(): number | undefined;
  certificateEnds(): number | undefined;
  /** Whether pods are looked after: why not, where they are not. */
  health(): string | undefined;
  observations: Observations;
  cgroup?: Cgroup;
};

type Handler = (question: Question, rest: string, query: URLSearchParams) => Answer | Promise<Answer>;

const exposed = (metrics: string): Answer => text(200, metrics, EXPOSITION_TYPE);
const disabled = (what: string) => (): Answer => text(405, `${what} endpoint is disabled.\n`);

export class Kubelet {
  readonly observations: Observations;
  readonly #parts: KubeletParts;
  readonly #cgroup: Cgroup;
  readonly #sampler: Sampler;
  readonly #usages: DiskUsages;
  readonly #summary: SummaryParts;
  /** By path; what ends with a slash also answers for what lies below. */
  readonly #routes: Readonly<Record<string, Handler>>;

  constructor(parts: KubeletParts) {
    this.#parts = parts;
    this.#cgroup = parts.cgroup ?? machineCgroup();
    this.observations = parts.observations;
    this.#sampler = new Sampler(parts, this.#cgroup);
    this.#usages = new DiskUsages(parts.effects.now);
    const { name, home, imageBytes, runtimePid } = parts;
    this.#summary = { nodeName: name, home, cgroup: this.#cgroup, usages: this.#usages, imageBytes, runtimePid };
    this.#routes = {
      "/healthz": (_, __, query) => this.#healthz(query),
      "/healthz/ping": () => text(200, "ok"),
      "/healthz/log": () => text(200, "ok"),
      "/healthz/syncloop": () => this.#check(),
      "/pods": () => json(podList(parts.pods())),
      "/runningpods/": (_, rest) => (rest === "" ? json(podList(this.#running())) : notFound()),
      "/stats/summary": (_, __, query) => this.#stats(query),
      "/metrics": async () => exposed(await this.#metrics()),
      "/metrics/cadvisor": async () => exposed(await this.#cadvisor()),
      "/metrics/resource": () => exposed(resourceMetrics(this.#sampler.look(), this.#cgroup)),
      "/metrics/slis": () => exposed(this.#slis()),
      "/metrics/probes": () => exposed(this.#probes()),
      "/configz": () => json({ kubeletconfig: kubeletConfiguration(parts.settings(this.#cgroup.version)) }),
      "/logs/": ({ url }) => nodeLogs(parsed(url).pathname.replace(/^\/logs\/?/, "")),
      "/containerLogs/": (_, rest, query) => {
        const names = rest.split("/");
        return names.length === 3 ? containerLogs(parts, parts.find, names, query) : notFound();
      },
      "/debug/pprof/": disabled("profiling"),
      "/debug/flags/v": disabled("flags"),
    };
  }

  /** Never rejects. */
  async answer(question: Question): Promise<Answer> {
    const began = this.#parts.effects.now();
    try {
      const found = this.#find(question);
      const answer = await found.handler(question);
      this.observations.served(question.method, found.bucket, (this.#parts.effects.now() - began) / 1000);
      return answer;
    } catch (error) {
      this.#parts.log(`${question.method} ${question.url}: ${(error as Error).message}`);
      return text(500, `Internal Error: ${(error as Error).message}`);
    }
  }

  /** What the node and, where they are asked for, its pods use now. */
  async usage(withPods: boolean): Promise<NodeUsage> {
    return nodeUsage(await this.#sampler.rates(), withPods);
  }

  /** What the kernel has counted by now. */
  look(): NodeFigures {
    return this.#sampler.look();
  }

  stop(): void {
    this.#sampler.stop();
  }

  #find({ method, url }: Question): { bucket: string; handler: (question: Question) => Answer | Promise<Answer> } {
    const unknown = { bucket: "other", handler: () => notFound() };
    const path = pathOf(url);
    if (path === undefined) return unknown;
    const { searchParams } = parsed(url);
    const exact = this.#routes[path] ?? this.#routes[path.replace(/(.)\/$/, "$1")] ?? this.#routes[`${path}/`];
    const below = Object.keys(this.#routes).find((prefix) => prefix.endsWith("/") && path.startsWith(prefix));
    const handler = exact ?? (below === undefined ? undefined : this.#routes[below]);
    if (!handler) return unknown;
    const bucket = path
      .split("/")
      .slice(1, path.startsWith("/metrics/") ? 3 : 2)
      .join("/");
    if (method !== "GET" && method !== "HEAD" && !(method === "POST" && path.startsWith("/stats/")))
      return { bucket, handler: () => text(405, "405: Method Not Allowed") };
    const rest = below === undefined ? "" : path.slice(below.length);
    return { bucket, handler: (question) => handler(question, rest, searchParams) };
  }

  /** By name, and why they fail, where they do. */
  #checks(): [string, string | undefined][] {
    return [
      ["ping", undefined],
      ["log", undefined],
      ["syncloop", this.#parts.health()],
    ];
  }

  #healthz(query: URLSearchParams): Answer {
    const excluded = new Set(query.getAll("exclude"));
    const checks = this.#checks();
    const isFailed = ([name, why]: [string, string | undefined]) => why !== undefined && !excluded.has(name);
    const lines = checks.map((check) => {
      if (excluded.has(check[0])) return `[+]${check[0]} excluded: ok\n`;
      return isFailed(check) ? `[-]${check[0]} failed: reason withheld\n` : `[+]${check[0]} ok\n`;
    });
    if (checks.some(isFailed)) return text(500, `${lines.join("")}healthz check failed\n`);
    return text(200, query.has("verbose") ? `${lines.join("")}healthz check passed\n` : "ok");
  }

  #check(): Answer {
    const why = this.#parts.health();
    return why === undefined ? text(200, "ok") : text(500, `internal server error: ${why}\n`);
  }

  async #stats(query: URLSearchParams): Promise<Answer> {
    const light = query.getAll("only_cpu_and_memory").join() === "true";
    return json(await summary(this.#summary, await this.#sampler.rates(), !light));
  }

  async #metrics(): Promise<string> {
    const { home, present, pods, name, effects, version, certificateEnds } = this.#parts;
    const volumes = await Promise.all(
      present().map(async (on) =>
        on.pod.spec.volumes?.some(({ persistentVolumeClaim, ephemeral }) => persistentVolumeClaim ?? ephemeral)
          ? (await volumesOf(home, on, this.#usages)).map((volume) => ({ namespace: on.memory.namespace, volume }))
          : [],
      ),
    );
    const node = { name, pods, present };
    const { observations } = this;
    const parts = { node, cgroup: this.#cgroup, observations, version, certificateEnds, now: effects.now };
    return kubeletMetrics(parts, volumes.flat());
  }

  #cadvisor(): Promise<string> {
    const { home, version } = this.#parts;
    const parts = { home, version, cgroup: this.#cgroup, usages: this.#usages, machine: machineFacts() };
    return cadvisorMetrics(parts, this.#sampler.look());
  }

  #slis(): string {
    const to = new Exposition();
    for (const [name, why] of this.#checks())
      to.add(
        "kubernetes_healthcheck",
        "gauge",
        "This metric records the result of a single healthcheck.",
        why ? 0 : 1,
        {
          name,
          type: "healthz",
        },
      );
    return to.text();
  }

  #probes(): string {
    const to = new Exposition();
    this.observations.tellProbes(to, this.#parts.present());
    processMetrics(to);
    return to.text();
  }

  /** As the runtime has them, which is less than the cluster knows. */
  #running() {
    return this.#parts.present().flatMap((on) => {
      const { name, namespace, uid } = on.memory;
      const containers = runningIn(on).map(({ name, attempt: { imageName, image } }) => ({
        name,
        image: imageName || image,
        resources: {},
      }));
      return containers.length ? [{ metadata: { name, namespace, uid }, spec: { containers }, status: {} }] : [];
    });
  }
}

const podList = (items: readonly unknown[]) => ({ kind: "PodList", apiVersion: "v1", metadata: {}, items });
