import { memoryFiles } from "../../../agent/images/testing/model.ts";
import type { PolicyState } from "../../../agent/network/types.ts";
import { PAUSE_IMAGE } from "../../../agent/node/pause-image.ts";
import { parseSandboxName } from "../../../agent/pods/memory.ts";
import { Label } from "../../../agent/pods/observe.ts";
import type { ContainerOptions, RuntimeEvent } from "../../../agent/runtime.ts";
import type { CoreV1Pod } from "../../../worker/kinds/generated/types.ts";
import { matchesSelector } from "../../../worker/lib/selectors.ts";
import type { ContainerFact, Part, SimNodeOptions } from "../contract.ts";
import { between } from "../world/random.ts";
import { type Program, programOf } from "./programs.ts";
import type { ModelProxy } from "./proxy.ts";
import type { Life, NodeTime } from "./time.ts";

export type Task = {
  pid: number;
  startTicks: string;
  startedAt: number;
  /** The same, whatever the machine's own clock says. */
  begun: number;
  program: Program;
  /** Requests that it has not answered: each hears whether there is an answer. */
  asked: Set<(isAnswered: boolean) => void>;
  /** It was told to stop: it takes no more requests, and ends when it has answered those that it has. */
  stops?: true;
  onIdle?: () => void;
  /** Absent while it runs. */
  end?: { at: number; code: number; oom: boolean };
};

export type Container = {
  id: string;
  image: string;
  labels: Record<string, string>;
  createdAt: number;
  /** Absent for one that was never started, or not since the machine was. */
  task?: Task;
  /** Its keeper (shim) was killed: the runtime takes it for one that never ran. */
  lost?: true;
};

export type Watcher = { onEvent(event: RuntimeEvent): void; onEnd(): void };

/** The container of a pod that answers requests, as the workload names it. */
const SERVER = "c";
const FIRST_PID = 300;
const TICK_MS = 10;

/**
 * A machine with containerd on it: containers, their processes, addresses and images, as they are, whatever an agent
 * believes. What lies on disk outlives a loss of power; processes do not.
 */
export class Machine {
  readonly containers = new Map<string, Container>();
  readonly images = new Set<string>([PAUSE_IMAGE]);
  readonly imageRecords = memoryFiles();
  /** Attached volumes that are mounted for pods, as `UID VOLUME`. */
  readonly mounts = new Set<string>();
  /** Network namespaces of pods, each with its address. */
  readonly networks = new Map<string, string>();
  /** What the agent has told its network of NetworkPolicies. */
  policies: PolicyState | undefined;
  /** containerd answers. */
  answers = true;
  /** Steps may fail. */
  troubled = false;
  /** How many agents there were so far. */
  agents = 0;
  /** Commands of agents before this one are ended. */
  endedBefore = 0;
  onAnswers: (answers: boolean) => void = () => {};
  /** Called when a process of a pod's may write to the pod's volumes. */
  writes: (podUid: string) => void = () => {};
  /** Once there is an Ingress to serve. */
  proxy: ModelProxy | undefined;
  /** Called when the power goes: who waits for an answer gets none. */
  readonly visitors = new Set<() => void>();
  readonly watchers = new Set<Watcher>();
  /** Called when a process has ended. */
  readonly mourners = new Set<() => void>();
  /** From power on to power off. */
  life: Life;
  readonly time: NodeTime;
  readonly #name: string;
  readonly #part: Part;
  readonly #observe: SimNodeOptions["observe"];
  readonly #processes = new Map<number, Container>();
  #bootedAt = 0;
  #nextPid = FIRST_PID;
  #podCIDR = "";
  #lastAddress = 1;

  constructor(time: NodeTime, { name, part, observe }: SimNodeOptions) {
    this.time = time;
    this.#name = name;
    this.#part = part;
    this.#observe = observe;
    this.life = time.life();
    this.life.end();
  }

  get random(): () => number {
    return this.#part.random;
  }

  powerOn(): void {
    this.life = this.time.life();
    this.answers = true;
    this.#bootedAt = this.time.wall();
    this.#nextPid = FIRST_PID;
  }

  powerOff(): void {
    this.life.end();
    for (const mount of this.mounts) this.setMounted(mount, false);
    this.proxy = undefined;
    for (const leave of this.visitors) leave();
    this.watchers.clear();
    this.mourners.clear();
    const orphans = this.running().filter(({ id }) => !this.containers.has(id));
    this.#processes.clear();
    for (const container of orphans) this.#tell(container, "removed");
    for (const name of this.networks.keys()) this.closeNetwork(name);
    for (const container of this.containers.values()) {
      const ran = container.task && !container.task.end;
      container.task = undefined;
      container.lost = undefined;
      if (ran) this.#tell(container, "exited");
    }
  }

  /** What the network was told. */
  addressesFrom(podCIDR: string): void {
    this.#podCIDR = podCIDR;
  }

  create(options: ContainerOptions): Container {
    const id = Array.from({ length: 4 }, () => this.#part.uid().replaceAll("-", "").slice(0, 16)).join("");
    const labels = options.labels ?? {};
    const container: Container = { id, image: options.image, labels, createdAt: this.time.wall() };
    this.containers.set(id, container);
    this.#tell(container, "created");
    return container;
  }

  start(container: Container): void {
    if (!this.containers.has(container.id)) throw new Error(`no such container: ${container.id}`);
    const pid = this.#nextPid++;
    const startTicks = `${Math.floor((this.time.wall() - this.#bootedAt) / TICK_MS)}`;
    const program = programOf(container.image, this.random);
    const begun = this.life.effects.now();
    const task: Task = { pid, startTicks, startedAt: this.time.wall(), begun, program, asked: new Set() };
    container.task = task;
    this.#processes.set(pid, container);
    this.#tell(container, "running");
    this.writes(container.labels[Label.podUid] ?? "");
    if (program.ends) this.#endsIn(container, task, program.ends.afterMs, program.ends.code);
  }

  /** As `nerdctl rm -f`. A process without its keeper goes on. */
  remove(id: string): void {
    const container = this.containers.get(id);
    if (!container) return;
    const { task, lost } = container;
    if (task && !task.end && !lost) this.#end(container, task, 137);
    this.containers.delete(id);
    if (!task || task.end) this.#tell(container, "removed");
  }

  process(pid: number): Task | undefined {
    return this.#processes.get(pid)?.task;
  }

  signal(pid: number, name: string): void {
    const container = this.#processes.get(pid);
    const task = container?.task;
    if (!container || !task) return;
    if (name === "SIGKILL") this.#endsIn(container, task, between(this.random, 1, 20), 137);
    else if (task.program.onTerm) this.#stops(container, task, task.program.onTerm);
  }

  #stops(container: Container, task: Task, { afterMs, code }: NonNullable<Program["onTerm"]>): void {
    task.stops = true;
    const end = () => this.#end(container, task, code);
    this.life.effects.after(afterMs, () => {
      if (task.asked.size === 0) end();
      else task.onIdle = end;
    });
  }

  /** The programs that take requests, by the uids of their pods. */
  servers(): Map<string, Task> {
    const tasks = this.running().flatMap(({ labels, task }) =>
      labels[Label.container] === SERVER && task && !task.stops ? [[labels[Label.podUid] ?? "", task] as const] : [],
    );
    return new Map(tasks);
  }

  /** Whether there is an answer; nobody hears of one that the machine's end cuts off. */
  ask(task: Task, answerMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isAnswered: boolean) => {
        if (!task.asked.delete(settle)) return;
        resolve(isAnswered);
        if (task.asked.size === 0) task.onIdle?.();
      };
      task.asked.add(settle);
      this.life.effects.after(answerMs, () => settle(true));
    });
  }

  running(): Container[] {
    return [...this.#processes.values()];
  }

  /** The kernel takes memory from a container by force. */
  runOutOfMemory(container: Container): void {
    if (!container.task) return;
    this.#emit("/tasks/oom", { container_id: container.id });
    this.#end(container, container.task, 137, true);
  }

  loseKeeper(container: Container): void {
    container.lost = true;
  }

  /** containerd is killed and comes back; containers go on. */
  restartContainerd(ms: number): void {
    if (!this.answers) return;
    this.#setAnswers(false);
    for (const watcher of this.watchers) this.life.effects.after(1, watcher.onEnd);
    this.watchers.clear();
    this.life.effects.after(ms, () => this.#setAnswers(true));
  }

  #setAnswers(answers: boolean): void {
    this.answers = answers;
    this.onAnswers(answers);
  }

  #endsIn(container: Container, task: Task, ms: number, code: number): void {
    this.life.effects.after(ms, () => this.#end(container, task, code));
  }

  #end(container: Container, task: Task, code: number, oom = false): void {
    if (task.end) return;
    this.writes(container.labels[Label.podUid] ?? "");
    task.end = { at: this.time.wall(), code, oom };
    for (const settle of [...task.asked]) settle(false);
    this.#processes.delete(task.pid);
    this.#tell(container, this.containers.has(container.id) ? "exited" : "removed");
    if (!container.lost) this.#emit("/tasks/exit", { container_id: container.id, id: container.id, exit_status: code });
    for (const mourner of this.mourners) mourner();
  }

  #emit(topic: string, payload: Record<string, unknown>): void {
    for (const watcher of this.watchers) {
      if (this.troubled && this.random() < 0.1) continue; // lost on the way
      this.life.effects.after(between(this.random, 2, 30), () => {
        if (this.watchers.has(watcher)) watcher.onEvent({ topic, payload });
      });
    }
  }

  /** Gives out the next free address after the last. */
  openNetwork(name: string, pod: CoreV1Pod): string {
    this.closeNetwork(name);
    const taken = new Set(this.networks.values());
    const [base = "", bits = "24"] = this.#podCIDR.split("/");
    if (!base) throw new Error("no network of that name");
    const [a = 0, b = 0, c = 0, d = 0] = base.split(".").map(Number);
    const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    const size = 2 ** (32 - Number(bits));
    for (let tries = 0; tries < size; tries++) {
      this.#lastAddress = this.#lastAddress + 1 < size - 1 ? this.#lastAddress + 1 : 2;
      const address = first + this.#lastAddress;
      const ip = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
      if (taken.has(ip)) continue;
      this.networks.set(name, ip);
      this.#tellNetwork(name, ip, "running", this.#policiesOf(pod));
      return ip;
    }
    throw new Error("no address is free");
  }

  closeNetwork(name: string): void {
    const ip = this.networks.get(name);
    if (ip === undefined) return;
    this.networks.delete(name);
    this.#tellNetwork(name, ip, "removed");
  }

  /** `mount` is as `mounts` has it. */
  setMounted(mount: string, mounted: boolean): void {
    if (this.mounts.has(mount) === mounted) return;
    if (mounted) this.mounts.add(mount);
    else this.mounts.delete(mount);
    const [podUid = "", volume = ""] = mount.split(" ");
    this.#observe({ type: "mount", node: this.#name, podUid, volume, mounted });
  }

  /** What is in a folder of a volume on the node's own disk goes. */
  folderRemoved(folder: string, users: readonly string[]): void {
    this.#observe({ type: "removal", node: this.#name, folder, users });
  }

  #policiesOf({ metadata }: CoreV1Pod): string[] {
    return [...(this.policies?.rules() ?? [])].flatMap(([key, { podSelector }]) =>
      key.startsWith(`${metadata?.namespace}/`) && matchesSelector(podSelector, metadata?.labels) ? [key] : [],
    );
  }

  #tellNetwork(id: string, ip: string, state: "running" | "removed", policies?: readonly string[]): void {
    const fact: ContainerFact = { id, podUid: parseSandboxName(id).uid, namespace: "", pod: "", name: "POD", ip };
    this.#observe({ type: "container", node: this.#name, container: fact, state, ...(policies && { policies }) });
  }

  #tell(container: Container, state: "created" | "running" | "exited" | "removed"): void {
    const { labels } = container;
    const fact: ContainerFact = {
      id: container.id,
      podUid: labels[Label.podUid] ?? "",
      namespace: labels[Label.podNamespace] ?? "",
      pod: labels[Label.podName] ?? "",
      name: labels[Label.container] ?? "",
    };
    this.#observe({ type: "container", node: this.#name, container: fact, state });
  }
}
