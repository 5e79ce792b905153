import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { errorText } from "../worker/lib/error-text.ts";
import type { Timers } from "./effects.ts";
import { keepFile } from "./local/home.ts";
import { SYSTEM_FOLDERS, which } from "./local/install.ts";
import { signalProcess } from "./pods/processes.ts";
import { spawn } from "./process.ts";

export type ContainerdPaths = { folder: string; socket: string; nerdctlToml: string; log: string };

/** The containerd namespace that all containers of a node live in. */
export const CONTAINERD_NAMESPACE = "skerry";
/** Beside the node's own, in which the same is looked for first. https://github.com/containerd/containerd/blob/main/docs/hosts.md */
const HOSTS_FOLDERS = ["/etc/containerd/certs.d", "/etc/docker/certs.d"];
const START_TIMEOUT_MS = 30_000;
const CHECK_EVERY_MS = 3_000;
const END_TIMEOUT_MS = 5_000;

/**
 * One node's own containerd: its root, state and socket lie under `HOME/containerd`, so several live side by side.
 * It is started detached: containers and their shims outlive both it and the agent.
 */
export class Containerd {
  readonly paths: ContainerdPaths;
  readonly #home: string;
  readonly #external: boolean;
  readonly #timers: Timers;
  readonly #log: (message: string) => void;
  /** Called after each look at whether containerd answers. */
  onHealth: (answers: boolean) => void = () => {};
  #stopWatching: (() => void) | undefined;

  /** `external`: another program starts it, and again when it ends. */
  constructor(deps: { home: string; timers: Timers; log: (message: string) => void; external?: boolean }) {
    this.#home = deps.home;
    this.#external = deps.external ?? false;
    this.#timers = deps.timers;
    this.#log = deps.log;
    const folder = join(deps.home, "containerd");
    this.paths = {
      folder,
      socket: join(folder, "containerd.sock"),
      nerdctlToml: join(folder, "nerdctl.toml"),
      log: join(folder, "containerd.log"),
    };
  }

  /** Writes the settings, takes over a containerd that still answers or starts one, and keeps it alive from then on. */
  async start(): Promise<void> {
    this.writeSettings();
    if (!(await answers(this.paths.socket))) await (this.#external ? this.#ready() : this.#launch());
    this.#watch();
  }

  /** Ends the watch; containerd goes on. */
  detach(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  /** The process, for those who want to end it; undefined when none of ours runs. */
  pid(): number | undefined {
    try {
      const pid = Number(readFileSync(join(this.paths.folder, "containerd.pid"), "utf8"));
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(this.paths.folder) ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  writeSettings(): void {
    const { folder, socket, nerdctlToml } = this.paths;
    mkdirSync(folder, { recursive: true });
    const unused = join(folder, "cni"); // nerdctl wants to know of one, though pods bring their networks with them
    const quote = JSON.stringify;
    keepFile(
      join(folder, "config.toml"),
      [
        "version = 2",
        `root = ${quote(join(folder, "root"))}`,
        `state = ${quote(join(folder, "state"))}`,
        'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
        "[grpc]",
        `address = ${quote(socket)}`,
        "",
      ].join("\n"),
    );
    keepFile(
      nerdctlToml,
      [
        `address = ${quote(socket)}`,
        `namespace = ${quote(CONTAINERD_NAMESPACE)}`,
        `data_root = ${quote(join(folder, "nerdctl"))}`,
        `cni_path = ${quote(unused)}`,
        `cni_netconfpath = ${quote(unused)}`,
        // The agent makes the cgroups that containers lie in, which systemd would name otherwise.
        'cgroup_manager = "cgroupfs"',
        `hosts_dir = [${[join(this.#home, "certs.d"), ...HOSTS_FOLDERS].map((folder) => quote(folder)).join(", ")}]`,
        "",
      ].join("\n"),
    );
  }

  async #launch(): Promise<void> {
    const binary = which("containerd");
    if (!binary) throw new Error("containerd is not installed");
    await this.#endUnreachable();
    const log = openLog(this.paths.log);
    const path = [process.env.PATH, ...SYSTEM_FOLDERS, join(this.#home, "bin")].filter(Boolean).join(delimiter);
    const child = spawn(binary, ["-c", join(this.paths.folder, "config.toml")], {
      detached: true, // its own session: signals to the agent's group do not reach it
      stdio: ["ignore", log, log],
      env: { ...process.env, PATH: path },
    });
    if (typeof log === "number") closeSync(log);
    const failed = new Promise<never>((_, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`containerd ended with ${code}: see ${this.paths.log}`)));
    });
    failed.catch(() => {});
    child.unref();
    this.#rememberPid(child.pid);
    await Promise.race([failed, this.#ready()]);
    this.#log(`containerd started (pid ${child.pid})`);
  }

  /** One that runs and cannot be reached holds its database, so that no other can start. */
  async #endUnreachable(): Promise<void> {
    const pid = this.pid();
    if (!pid) return;
    signalProcess(pid, "SIGKILL");
    for (let waited = 0; this.pid() === pid && waited < END_TIMEOUT_MS; waited += 50) await this.#timers.sleep(50);
  }

  #rememberPid(pid: number | undefined): void {
    try {
      if (pid) writeFileSync(join(this.paths.folder, "containerd.pid"), `${pid}`);
    } catch (error) {
      this.#log(`containerd's pid cannot be kept: ${errorText(error)}`);
    }
  }

  async #ready(): Promise<void> {
    for (let waited = 0; waited < START_TIMEOUT_MS; waited += 50) {
      if (await answers(this.paths.socket)) return;
      await this.#timers.sleep(50);
    }
    throw new Error(`containerd did not answer within ${START_TIMEOUT_MS / 1000} s: see ${this.paths.log}`);
  }

  #watch(): void {
    this.detach();
    const look = async () => {
      let healthy = await answers(this.paths.socket);
      if (!healthy && !this.#external) {
        this.#log("containerd does not answer: starting it again");
        healthy = await this.#launch().then(
          () => true,
          (error: Error) => {
            this.#log(`containerd: ${error.message}`);
            return false;
          },
        );
      }
      this.onHealth(healthy);
      if (this.#stopWatching) this.#stopWatching = this.#timers.after(CHECK_EVERY_MS, look);
    };
    this.#stopWatching = this.#timers.after(CHECK_EVERY_MS, look);
  }
}

function openLog(path: string): number | "ignore" {
  try {
    return openSync(path, "a");
  } catch {
    return "ignore";
  }
}

/** A socket file outlives its process; only an accepted connection says that someone is there. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
