import { limiter } from "../../../agent/limiter.ts";
import { NerdctlError } from "../../../agent/nerdctl.ts";
import type {
  ContainerOptions,
  Inspected,
  InspectedImage,
  Runtime,
  RuntimeEvent,
  Urgency,
} from "../../../agent/runtime.ts";
import { between, weighted } from "../world/random.ts";
import type { Container, Machine, Watcher } from "./machine.ts";
import { MISSING } from "./programs.ts";
import type { Life } from "./time.ts";

/** How a nerdctl process may go, when the machine is in trouble. */
type Fate =
  | "well"
  /** Before it has done anything. */
  | "refused"
  /** In the middle: by the kernel, by hand. */
  | "killed"
  /** In the middle, until the agent's patience ends. */
  | "hangs"
  /** It says that it failed, having done everything. */
  | "lies";

const FATES: readonly (readonly [number, Fate])[] = [
  [88, "well"],
  [5, "refused"],
  [3, "killed"],
  [1, "hangs"],
  [3, "lies"],
];

const CONCURRENT_COMMANDS = 4;
const PATIENCE_MS = 120_000;

/** One run of nerdctl. Each `step` takes time, and may be its last. */
type Process = { step(low: number, high: number): Promise<void> };

/** nerdctl for one life of an agent, on a machine. Its processes may outlive the agent. */
export class ModelNerdctl implements Runtime {
  readonly #machine: Machine;
  readonly #agent: Life;
  readonly #turns = limiter(CONCURRENT_COMMANDS);
  /** Whether what the agent started ends with it, as its service manager has it. */
  readonly #childrenDie: boolean;
  readonly #number: number;

  constructor(machine: Machine, agent: Life) {
    this.#machine = machine;
    this.#agent = agent;
    this.#childrenDie = machine.random() < 0.5;
    this.#number = ++machine.agents;
  }

  /** Ends what earlier agents began. */
  endLeftovers(): void {
    this.#machine.endedBefore = this.#number;
  }

  #isLeftOver(): boolean {
    return this.#agent.ended && (this.#childrenDie || this.#number < this.#machine.endedBefore);
  }

  run(options: ContainerOptions, urgency?: Urgency): Promise<Inspected> {
    return this.#do(async ({ step }) => {
      await step(30, 130);
      const container = this.#machine.create(options);
      await step(60, 160);
      this.#machine.start(container);
      return this.#inspected(container);
    }, urgency);
  }

  /** As the keeper's: nerdctl creates it, and the agent asks containerd to start it, by calls that may fail as commands do. */
  runKept(options: ContainerOptions, urgency?: Urgency): Promise<Inspected> {
    const inTurn = async () => {
      const container = await this.#process(async ({ step }) => {
        await step(30, 130);
        return this.#machine.create(options);
      });
      return this.#process(async ({ step }) => {
        await step(40, 130);
        if (this.#agent.ended) throw new NerdctlError(1, "context canceled"); // nobody asks for the rest
        await step(5, 40);
        this.#machine.start(container);
        return this.#inspected(container);
      });
    };
    return this.#agent.await(this.#turns(inTurn, urgency));
  }

  update(id: string): Promise<void> {
    return this.#do(async ({ step }) => {
      await step(20, 50);
      if (!this.#machine.containers.get(id)?.task) throw new NerdctlError(1, `no such container: ${id}`);
    });
  }

  kill(id: string, signal: string): Promise<void> {
    return this.#do(async ({ step }) => {
      await step(20, 50);
      const pid = this.#machine.containers.get(id)?.task?.pid;
      if (pid === undefined) throw new NerdctlError(1, `no such container: ${id}`);
      this.#machine.signal(pid, signal);
    });
  }

  remove(ids: readonly string[]): Promise<void> {
    if (!ids.length) return Promise.resolve();
    return this.#do(async ({ step }) => {
      for (const id of ids) {
        await step(40, 90);
        this.#machine.remove(id);
      }
    });
  }

  inspect(ids: readonly string[]): Promise<Inspected[]> {
    if (!ids.length) return Promise.resolve([]);
    return this.#do(async ({ step }) => {
      await step(20, 50);
      return ids.flatMap((id) => {
        const container = this.#machine.containers.get(id);
        return container ? [this.#inspected(container)] : [];
      });
    });
  }

  list(label: string): Promise<string[]> {
    const [key = "", value] = label.split("=");
    return this.#do(async ({ step }) => {
      await step(20, 40);
      const found = this.#machine.containers.values().filter(({ labels }) => {
        const has = labels[key];
        return has !== undefined && (value === undefined || has === value);
      });
      return [...found.map(({ id }) => id)];
    });
  }

  inspectImage(image: string): Promise<InspectedImage | undefined> {
    return this.#do(async ({ step }) => {
      await step(15, 40);
      return this.#machine.images.has(image) ? imageOf(image) : undefined;
    });
  }

  removeImage(): Promise<void> {
    throw new Error("a model's disk is never full");
  }

  listImages(): Promise<InspectedImage[]> {
    return this.#do(async ({ step }) => {
      await step(30, 80);
      return [...this.#machine.images].map(imageOf);
    });
  }

  pull(image: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { random, images, troubled } = this.#machine;
    const pulled = this.#process(async ({ step }) => {
      await step(images.has(image) ? 200 : 500, images.has(image) ? 500 : 15_000);
      if (signal?.aborted) throw new NerdctlError(137, "signal: killed");
      if (image.includes(MISSING) || (troubled && random() < 0.1)) throw new NerdctlError(1, "not found");
      images.add(image);
    });
    return this.#agent.await(pulled);
  }

  events(onEvent: (event: RuntimeEvent) => void, onEnd: () => void): () => void {
    const { watchers, answers, life } = this.#machine;
    const ifAlive = (body: () => void) => () => {
      if (!this.#agent.ended) body();
    };
    if (!answers) {
      life.effects.after(50, ifAlive(onEnd));
      return () => {};
    }
    const watcher: Watcher = { onEvent: (event) => ifAlive(() => onEvent(event))(), onEnd: ifAlive(onEnd) };
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  }

  #do<T>(body: (process: Process) => Promise<T>, urgency?: Urgency): Promise<T> {
    return this.#agent.await(this.#turns(() => this.#process(body), urgency));
  }

  async #process<T>(body: (process: Process) => Promise<T>): Promise<T> {
    const { random, troubled, life } = this.#machine;
    const fate = troubled ? weighted(random, FATES) : "well";
    const slow = troubled && random() < 0.05 ? 20 : 1;
    const begun = life.effects.now();
    let ending = between(random, 0, 2); // before which step
    if (fate === "refused") throw await this.#failed("unknown error: the runtime refused");
    const step = async (low: number, high: number) => {
      if (!this.#machine.answers) throw await this.#failed("cannot access containerd socket: connection refused");
      if (fate === "killed" && ending-- <= 0) throw await this.#failed("signal: killed");
      if (fate === "hangs" && ending-- <= 0) {
        await life.effects.sleep(Math.max(0, begun + PATIENCE_MS - life.effects.now()));
        throw await this.#failed("timed out");
      }
      await life.effects.sleep(between(random, low, high) * slow);
      if (this.#isLeftOver()) throw new NerdctlError(137, "signal: killed");
    };
    const result = await body({ step });
    if (fate === "lies") throw await this.#failed("failed to clean up: device or resource busy");
    return result;
  }

  async #failed(message: string): Promise<NerdctlError> {
    await this.#machine.life.effects.sleep(between(this.#machine.random, 5, 30));
    return new NerdctlError(1, message);
  }

  #inspected({ id, image, labels, task, lost }: Container): Inspected {
    const { end } = task ?? {};
    // For a moment after its end it looks as if it had never run.
    const unseen = end !== undefined && Math.abs(this.#machine.time.wall() - end.at) < 20;
    const shown = task && !lost && !unseen ? task : undefined;
    return {
      Id: id,
      Image: image,
      State: {
        Status: shown ? (end ? "exited" : "running") : "",
        Running: shown !== undefined && !end,
        Pid: shown?.pid ?? 0,
        ExitCode: shown?.end?.code ?? 0,
        ...(shown ? { StartedAt: iso(shown.startedAt) } : {}),
        ...(shown?.end ? { FinishedAt: iso(shown.end.at) } : {}),
      },
      Config: { Labels: labels },
    };
  }
}

const iso = (ms: number) => new Date(ms).toISOString();

const imageOf = (image: string): InspectedImage => ({ Id: `sha256:${image}`, RepoTags: [image], Size: 1_000_000 });
