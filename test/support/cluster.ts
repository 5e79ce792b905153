/** A whole Skerry on this machine for a test file: `skerry up` in a home of its own, used through the real kubectl. */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { administrator } from "../../agent/local/credentials.ts";
import { cachePath } from "../../agent/local/home.ts";
import { type Finished, run, spawn } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";
import { freePort } from "./free-port.ts";
import { type ImageOptions, writeBusyboxImage } from "./image.ts";
import type { Machine } from "./machine.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "agent/main.ts");
const START_TIMEOUT_MS = 300_000;
/** Nothing here asserts how fast anything is: a machine that has other things to do is given time. */
const PATIENCE_MS = 300_000;
/** kubectl waits as long, and then says for what. */
const PATIENCE = `--timeout=${PATIENCE_MS / 1000}s`;
const KUBECTL_TIMEOUT_MS = PATIENCE_MS + 30_000;
/** Go gives a handshake ten seconds, for which the whole machine may stand still: nothing was asked by then. */
const NOT_ASKED = /net\/http: TLS handshake timeout/;
const MOST_TRIES = 3;
/** Long enough to load an archive of many images. */
const NERDCTL_TIMEOUT_MS = 300_000;

/** What a node in tests does is not to follow from how full the disk is that the tests run on. */
export const STEADY_NODE = ["--eviction-hard", "memory.available<100Mi", "--image-gc-high-threshold", "100"];

/** Whoever has just been told to end may write a last word into a folder that is being removed. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const;

export type Output = Finished & { all: string };
export type StartOptions = {
  flags?: readonly string[];
  nodeIp?: string;
  /** What runs; the sources when absent. */
  program?: string;
  /** Starts it, with flags after it; `up` of the program when absent. */
  starter?: readonly [string, ...string[]];
  /** Beside what every test's environment has. */
  environment?: NodeJS.ProcessEnv;
  beside?(cluster: TestCluster): Promise<void>;
};
export type KubectlOptions = { input?: string; timeoutMs?: number; kubectl?: string };
export type Following = { said(): string; stop(): Promise<void> };
type Who = "supervisor" | "workerd" | "agent" | "containerd";

export class TestCluster {
  readonly home: string;
  readonly port: number;
  private readonly flags: readonly string[];
  private readonly program: string;
  private readonly starter: readonly [string, ...string[]];
  private readonly extra: NodeJS.ProcessEnv;
  private supervisor: ChildProcess | undefined;
  private output = "";

  /** Machines that joined, to be ended with the cluster. */
  readonly machines: Machine[] = [];

  private constructor(home: string, port: number, options: StartOptions) {
    const { flags, nodeIp, program = MAIN, environment = {} } = options;
    this.home = home;
    this.port = port;
    this.flags = flags ?? ["--node-name", "node-a", ...(nodeIp ? ["--node-ip", nodeIp] : [])];
    this.program = program;
    this.starter = options.starter ?? [process.execPath, program, "up"];
    this.extra = environment;
  }

  /**
   * Starts a cluster with one node, `node-a`, whose containerd has `busybox:test`; or the control plane alone. `beside`
   * runs meanwhile: it starts what the node needs to become Ready, where the cluster has no controllers of its own.
   */
  static async start(options: StartOptions = {}): Promise<TestCluster> {
    const home = mkdtempSync(join(tmpdir(), "skerry-"));
    const cluster = new TestCluster(home, await freePort(), options);
    await Promise.all([cluster.up(), options.beside?.(cluster)]);
    if (cluster.hasAgent) await cluster.load();
    return cluster;
  }

  get hasAgent(): boolean {
    return !this.flags.includes("--no-agent");
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...this.extra,
      SKERRY_HOME: this.home,
      SKERRY_PORT: String(this.port),
      KUBECONFIG: join(this.home, "kubeconfig"),
      // What kubectl remembers of an address may be of another cluster, which had its port before.
      KUBECACHEDIR: join(this.home, "kube-cache"),
    };
  }

  /** `skerry up`, with more flags than those of the cluster; resolves when it says that the cluster runs. */
  async up(more: readonly string[] = []): Promise<void> {
    this.output = "";
    const node = this.hasAgent ? STEADY_NODE : [];
    const [command, ...args] = this.starter;
    const child = spawn(command, [...args, ...more, ...node, ...this.flags], {
      cwd: ROOT,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.supervisor = child;
    const collect = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    let isOver = false; // with all that it said, which may come after its end
    child.once("close", () => {
      isOver = true;
    });
    const end = effects.now() + START_TIMEOUT_MS;
    while (!this.output.includes("In another terminal")) {
      if (isOver || effects.now() > end) throw new Error(`skerry up did not come up:\n${this.output}\n${this.logs()}`);
      await effects.sleep(50);
    }
  }

  /** Runs a skerry command of this cluster. */
  skerry(...args: string[]): Promise<Finished> {
    return run(process.execPath, [this.program, ...args], { env: this.environment, timeoutMs: PATIENCE_MS });
  }

  /** The process that a name of this cluster's supervision stands for; 0 when there is none. */
  pid(who: Who): number {
    if (who === "supervisor") return this.supervisor?.pid ?? 0;
    if (who === "containerd") return Number(readFileSync(join(this.home, "containerd/containerd.pid"), "utf8"));
    const mark = who === "workerd" ? join(this.home, "workerd.capnp") : "skerry.js\0agent";
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const command = readText(`/proc/${pid}/cmdline`);
      if (!command.includes(mark)) continue;
      if (who === "workerd" || readText(`/proc/${pid}/environ`).includes(`SKERRY_HOME=${this.home}\0`))
        return Number(pid);
    }
    return 0;
  }

  /** kill -9 of all of them at once; resolves when they are gone, so that none of them answers what is asked next. */
  async kill(...names: readonly Who[]): Promise<void> {
    const pids = names.map((name) => [name, this.pid(name)] as const);
    for (const [name, pid] of pids) if (pid < 2) throw new Error(`no ${name} runs`);
    for (const [, pid] of pids) killNow(pid);
    for (const [name, pid] of pids) await eventually(`${name} is gone`, async () => !isAlive(pid));
  }

  async kubectl(args: string | readonly string[], options: KubectlOptions = {}): Promise<Output> {
    const list = typeof args === "string" ? args.split(" ") : args;
    const { input, timeoutMs = KUBECTL_TIMEOUT_MS, kubectl = "kubectl" } = options;
    let done = await run(kubectl, list, { env: this.environment, input, timeoutMs });
    for (let tries = 1; done.code !== 0 && NOT_ASKED.test(done.stderr) && tries < MOST_TRIES; tries++)
      done = await run(kubectl, list, { env: this.environment, input, timeoutMs });
    return { ...done, all: done.stdout + done.stderr };
  }

  /** kubectl that goes on until it is stopped; what it has said so far. */
  follow(args: string | readonly string[], options: { kubectl?: string } = {}): Following {
    const list = typeof args === "string" ? args.split(" ") : args;
    const child = spawn(options.kubectl ?? "kubectl", list, {
      env: this.environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const stop = () => {
      child.kill("SIGKILL");
      return ended;
    };
    return { said: () => said, stop };
  }

  /** kubectl that must succeed; its standard output. What it waits for may take as long as anything here. */
  async ok(args: string | readonly string[], options: KubectlOptions = {}): Promise<string> {
    const timeoutMs = Math.max(options.timeoutMs ?? 0, KUBECTL_TIMEOUT_MS);
    const done = await this.kubectl(patient(typeof args === "string" ? args.split(" ") : args), {
      ...options,
      timeoutMs,
    });
    if (done.code !== 0)
      throw new Error(
        `kubectl ${typeof args === "string" ? args : args.join(" ")} ended with ${done.code}:\n${done.all}`,
      );
    return done.stdout;
  }

  apply(yaml: string, ...flags: string[]): Promise<string> {
    return this.ok(["apply", "-f", "-", ...flags], { input: yaml });
  }

  async json<T = Record<string, unknown>>(args: string): Promise<T> {
    return JSON.parse(await this.ok(`${args} -o json`)) as T;
  }

  nerdctl(...args: string[]): Promise<Finished> {
    return this.nerdctlWith({}, ...args);
  }

  private nerdctlWith(environment: NodeJS.ProcessEnv, ...args: string[]): Promise<Finished> {
    const binary = existsSync(join(cachePath(process.env), "bin/nerdctl"))
      ? join(cachePath(process.env), "bin/nerdctl")
      : "nerdctl";
    return run(binary, args, {
      env: { ...process.env, ...environment, NERDCTL_TOML: join(this.home, "containerd/nerdctl.toml") },
      timeoutMs: NERDCTL_TIMEOUT_MS,
    });
  }

  /** Loads an image with busybox and more into the node's containerd. */
  async load(options: ImageOptions = {}): Promise<void> {
    const archive = join(this.home, "image.tar");
    await writeBusyboxImage(archive, options);
    const loaded = await this.nerdctl("load", "-i", archive);
    if (loaded.code !== 0) throw new Error(`the image did not load: ${loaded.stderr}`);
    rmSync(archive);
  }

  /** Moves an image from the node's containerd to the registry that it is named for, the cluster's own. */
  async push(image: string): Promise<void> {
    const [host = ""] = image.split("/");
    const folder = join(this.home, "push");
    const { token, ca = "" } = await administrator({ path: this.home, port: this.port });
    mkdirSync(join(folder, host), { recursive: true });
    writeFileSync(join(folder, host, "ca.crt"), ca);
    writeFileSync(
      join(folder, host, "hosts.toml"),
      `server = "https://${host}"\n[host."https://${host}"]\n  ca = "ca.crt"\n`,
    );
    const auth = Buffer.from(`anybody:${token}`).toString("base64");
    writeFileSync(join(folder, "config.json"), JSON.stringify({ auths: { [host]: { auth } } }));
    const done = await this.nerdctlWith({ DOCKER_CONFIG: folder }, "--hosts-dir", folder, "push", "-q", image);
    if (done.code !== 0) throw new Error(`the image was not pushed: ${done.stderr}`);
    await this.nerdctl("rmi", "-f", image);
    rmSync(folder, REMOVAL);
  }

  /** What the cluster's parts have said, for failure messages. */
  logs(): string {
    return ["agent.log", "workerd.log"]
      .map((name) => `--- ${name}\n${readText(join(this.home, "log", name)).slice(-4000)}`)
      .join("\n");
  }

  /** Waits for the supervisor that something else has ended. */
  async supervisorGone(): Promise<void> {
    while (this.supervisor && this.supervisor.exitCode === null && this.supervisor.signalCode === null)
      await effects.sleep(20);
  }

  /** Ends everything and leaves nothing: containers, namespaces, tables, mounts, files. */
  async stop(): Promise<void> {
    for (const machine of this.machines) await machine.remove();
    const end = () => this.skerry("down", ...(this.hasAgent ? ["--pods"] : []));
    let down = await end();
    // It waits a minute, for which the whole machine may stand still.
    for (let tries = 1; down.code !== 0 && tries < MOST_TRIES; tries++) down = await end();
    if (down.code !== 0) throw new Error(`skerry down failed: ${down.stderr}`);
    await this.supervisorGone();
    await unmountAll(this.home);
    rmSync(this.home, REMOVAL);
  }
}

/** Waiting commands give up after 30 s or at a `--timeout` of their own, which is made longer. */
function patient(args: readonly string[]): readonly string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const own = args.slice(0, end);
  const rest = own.filter((word) => !word.startsWith("--timeout="));
  const waits = rest.length < own.length || rest.includes("wait");
  return waits ? [...rest, PATIENCE, ...args.slice(end)] : args;
}

/** kill -9. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself, or with another.
  }
}

/** Whoever has ended may wait for its parent to notice. */
export function isAlive(pid: number): boolean {
  const status = readText(`/proc/${pid}/status`);
  return status !== "" && !/^State:\s+[ZX]/m.test(status);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Polls until `check` gives a value that is not undefined or false; the error tells what was seen last. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const end = effects.now() + timeoutMs;
  let last: unknown;
  while (effects.now() < end) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await effects.sleep(100);
  }
  throw new Error(
    `${what}: not within ${timeoutMs / 1000} s; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}
