/** What the agent does, counted as kubelets count it: https://kubernetes.io/docs/reference/instrumentation/metrics/ */
import type { CoreV1PodStatus } from "../../worker/kinds/generated/types.ts";
import type { Reply } from "../link.ts";
import type { PodMemory } from "../pods/memory.ts";
import type { Finished } from "../process.ts";
import type { Api } from "../volumes/tokens.ts";
import type { Exposition } from "./exposition.ts";
import type { PodOnNode } from "./node.ts";
import { Counter, exponentialBounds, Histogram } from "./tallies.ts";

const START_BOUNDS = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const STATUS_BOUNDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 20, 30, 45, 60];
const RUNTIME_BOUNDS = exponentialBounds(0.005, 2.5, 14);
const REST_BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const SECOND_MS = 1000;

/** What nerdctl's commands are called where a runtime is asked by CRI. */
const OPERATIONS: Readonly<Record<string, string>> = {
  create: "create_container",
  exec: "exec_sync",
  image: "image_status",
  images: "list_images",
  inspect: "container_status",
  kill: "stop_container",
  ps: "list_containers",
  pull: "pull_image",
  rm: "remove_container",
  rmi: "remove_image",
  run: "run_podsandbox",
  update: "update_container_resources",
  version: "version",
};
const CONTAINER_TYPES: Readonly<Record<string, string>> = {
  app: "container",
  ephemeral: "ephemeral_container",
  init: "init_container",
};

/** By what an evicted pod is told. */
const EVICTION_SIGNALS: readonly [RegExp, string][] = [
  [/low on resource: memory\b/, "memory.available"],
  [/low on resource: ephemeral-storage\b/, "nodefs.available"],
  [/low on resource: inodes\b/, "nodefs.inodesFree"],
  [/low on resource: pids\b/, "pid.available"],
  [/^Usage of EmptyDir volume /, "emptydirfs.limit"],
  [/^Pod ephemeral local storage usage exceeds /, "ephemeralpodfs.limit"],
  [/^Container \S+ exceeded its local ephemeral storage limit /, "ephemeralcontainerfs.limit"],
];

/** One probe, and how it ended. */
export type Probed = {
  type: string;
  result: "successful" | "failed" | "unknown";
  container: string;
  seconds: number;
};

type Clock = () => number;

export class Observations {
  readonly #now: Clock;
  readonly #began: number;
  readonly #operations = new Counter(
    "kubelet_runtime_operations_total",
    "Cumulative number of runtime operations by operation type.",
  );
  readonly #operationErrors = new Counter(
    "kubelet_runtime_operations_errors_total",
    "Cumulative number of runtime operation errors by operation type.",
  );
  readonly #operationTimes = new Histogram(
    "kubelet_runtime_operations_duration_seconds",
    "Duration in seconds of runtime operations. Broken down by operation type.",
    RUNTIME_BOUNDS,
  );
  readonly #started = new Counter("kubelet_started_containers_total", "Cumulative number of containers started", [
    { container_type: "container" },
  ]);
  readonly #startErrors = new Counter(
    "kubelet_started_containers_errors_total",
    "Cumulative number of errors when starting containers",
  );
  readonly #podsStarted = new Counter("kubelet_started_pods_total", "Cumulative number of pods started", [{}]);
  readonly #podStart = new Histogram(
    "kubelet_pod_start_duration_seconds",
    "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
    START_BOUNDS,
    [{}],
  );
  readonly #podTotal = new Histogram(
    "kubelet_pod_start_total_duration_seconds",
    "Duration in seconds to start a pod since its creation, with pulling of images and init containers",
    START_BOUNDS,
    [{}],
  );
  readonly #statusSync = new Histogram(
    "kubelet_pod_status_sync_duration_seconds",
    "Duration in seconds to sync a pod status update.",
    STATUS_BOUNDS,
    [{}],
  );
  readonly #requests = new Counter(
    "rest_client_requests_total",
    "Number of HTTP requests, partitioned by status code, method, and host.",
  );
  readonly #requestTimes = new Histogram(
    "rest_client_request_duration_seconds",
    "Request latency in seconds. Broken down by verb, and host.",
    REST_BOUNDS,
  );
  readonly #http = new Counter(
    "kubelet_http_requests_total",
    "Number of the http requests received since the server started",
  );
  readonly #httpTimes = new Histogram(
    "kubelet_http_requests_duration_seconds",
    "Duration in seconds to serve http requests",
  );
  readonly #probes = new Counter(
    "prober_probe_total",
    "Cumulative number of a liveness, readiness or startup probe for a container by result.",
  );
  readonly #probeTimes = new Histogram("prober_probe_duration_seconds", "Duration in seconds for a probe response.");
  readonly #rejections = new Counter(
    "kubelet_admission_rejections_total",
    "Cumulative number pod admission rejections by the Kubelet.",
  );
  readonly #evictions = new Counter("kubelet_evictions", "Cumulative number of pod evictions by eviction signal");
  /** Pods whose start was counted, and their end where it was no success. */
  readonly #running = new WeakSet<PodMemory>();
  readonly #failed = new WeakSet<PodMemory>();

  constructor(now: Clock) {
    this.#now = now;
    this.#began = now();
  }

  tell(to: Exposition): void {
    for (const tally of [
      this.#operations,
      this.#operationErrors,
      this.#operationTimes,
      this.#started,
      this.#startErrors,
      this.#podsStarted,
      this.#podStart,
      this.#podTotal,
      this.#statusSync,
      this.#rejections,
      this.#evictions,
      this.#requests,
      this.#requestTimes,
      this.#http,
      this.#httpTimes,
    ])
      tally.tell(to);
  }

  /** Of the pods that are here. */
  tellProbes(to: Exposition, present: readonly PodOnNode[]): void {
    const names = new Set(present.map(({ memory }) => `${memory.namespace}/${memory.name}`));
    const uids = new Set(present.map(({ memory }) => memory.uid));
    this.#probes.keep(({ pod_uid = "" }) => uids.has(pod_uid));
    this.#probeTimes.keep(({ namespace, pod }) => names.has(`${namespace}/${pod}`));
    this.#probes.tell(to);
    this.#probeTimes.tell(to);
  }

  /** The same programs, counted. */
  counting<O>(run: (program: string, args: readonly string[], options?: O) => Promise<Finished>): typeof run {
    return async (program, args, options) => {
      const began = this.#now();
      const done = await run(program, args, options);
      this.#ran(args, done.code !== 0, (this.#now() - began) / SECOND_MS);
      return done;
    };
  }

  /** The start of a container that has been created, counted. */
  async starting<T>(kind: string, start: () => Promise<T>): Promise<T> {
    const began = this.#now();
    const container_type = CONTAINER_TYPES[kind] ?? "";
    const seconds = () => (this.#now() - began) / SECOND_MS;
    try {
      const started = await start();
      this.#started.add({ container_type });
      this.#operated("start_container", false, seconds());
      return started;
    } catch (error) {
      this.#startErrors.add({ container_type, code: "RunContainerError" });
      this.#operated("start_container", true, seconds());
      throw error;
    }
  }

  /** The same API, counted. `present` is asked which pods are here. */
  watching(api: Api, host: string, present: () => readonly PodOnNode[]): Api {
    return async (method, path, body, contentType) => {
      const began = this.#now();
      const seconds = () => (this.#now() - began) / SECOND_MS;
      try {
        const reply = await api(method, path, body, contentType);
        this.#asked(method, host, String(reply.code), seconds());
        if (method === "PATCH") this.#told(path, body, reply, seconds(), present);
        return reply;
      } catch (error) {
        this.#asked(method, host, "<error>", seconds());
        throw error;
      }
    };
  }

  served(method: string, path: string, seconds: number): void {
    const labels = { method, path, server_type: "readwrite", long_running: "false" };
    this.#http.add(labels);
    this.#httpTimes.observe(seconds, labels);
  }

  probed({ memory }: Pick<PodOnNode, "memory">, { type, result, container, seconds }: Probed): void {
    const { name: pod, namespace, uid } = memory;
    const labels = { probe_type: type, container, pod, namespace };
    this.#probes.add({ ...labels, pod_uid: uid, result });
    this.#probeTimes.observe(seconds, labels);
  }

  #ran(args: readonly string[], failed: boolean, seconds: number): void {
    const operation = OPERATIONS[args.find((arg) => Object.hasOwn(OPERATIONS, arg)) ?? ""];
    if (operation) this.#operated(operation, failed, seconds);
  }

  #operated(operation_type: string, failed: boolean, seconds: number): void {
    this.#operations.add({ operation_type });
    this.#operationTimes.observe(seconds, { operation_type });
    if (failed) this.#operationErrors.add({ operation_type });
  }

  #asked(method: string, host: string, code: string, seconds: number): void {
    this.#requests.add({ method, host, code });
    this.#requestTimes.observe(seconds, { verb: method, host });
  }

  /** What the node itself ended, or did not begin. */
  #ended(reason: string, message: string): void {
    if (message.startsWith("Pod was rejected: ")) this.#rejections.add({ reason });
    const signal = reason === "Evicted" && EVICTION_SIGNALS.find(([pattern]) => pattern.test(message))?.[1];
    if (signal) this.#evictions.add({ eviction_signal: signal });
  }

  /** A pod has started when the cluster has been told that it runs. */
  #told(path: string, body: unknown, { code }: Reply, seconds: number, present: () => readonly PodOnNode[]): void {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/status$/.exec(path) ?? [];
    if (name === undefined || code >= 300) return;
    this.#statusSync.observe(seconds);
    const { phase, reason = "", message = "" } = (body as { status?: CoreV1PodStatus } | undefined)?.status ?? {};
    if (phase !== "Running" && phase !== "Failed") return;
    const found = present().find(({ memory }) => memory.name === name && memory.namespace === namespace);
    const told = phase === "Running" ? this.#running : this.#failed;
    if (!found || told.has(found.memory)) return;
    told.add(found.memory);
    if (phase === "Failed") return this.#ended(reason, message);
    if (found.memory.startedAt < this.#began) return; // it ran before this agent did
    const now = this.#now();
    this.#podsStarted.add();
    this.#podStart.observe(Math.max(0, now - found.memory.startedAt) / SECOND_MS);
    const created = Date.parse(found.pod.metadata.creationTimestamp ?? "");
    if (created) this.#podTotal.observe(Math.max(0, now - created) / SECOND_MS);
  }
}
