/** Another machine of the cluster: a network namespace joined to this one by a veth pair, with a containerd of its own. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { cachePath } from "../../agent/local/home.ts";
import { which } from "../../agent/local/install.ts";
import { run, spawn } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";
import { isAlive, REMOVAL, STEADY_NODE } from "./cluster.ts";
import { writeBusyboxImage } from "./image.ts";
import { killAll, processesOf } from "./power.ts";
import { checked } from "./programs.ts";

const MAIN = join(import.meta.dirname, "../../agent/main.ts");
/** Long enough to load an archive of many images. */
const NERDCTL_TIMEOUT_MS = 300_000;
const COMMAND_TIMEOUT_MS = 300_000;

/** The bridge in a network's own namespace. */
const BRIDGE = "br0";

/** So many networks have an address range of their own. */
const MOST_LANS = 200;

/** A network between this machine and others: `host` is this machine's address on it, `switch` the namespace of its bridge. */
export type Lan = {
  switch: string;
  host: string;
  address(n: number): string;
  /** Where its machines have a second one, this machine's as `ipv6(1)`. */
  ipv6?(n: number): string;
  remove(): Promise<void>;
};

/**
 * The switch is no part of any machine. Were it this one's bridge, the kernel could translate a packet's destination
 * while it is still being bridged (br_netfilter), and never send it back by the cable that it came from.
 */
export async function makeLan(options: { ipv6?: true } = {}): Promise<Lan> {
  const name = `sktest-${process.pid}-lan`;
  await checked("ip", ["netns", "add", name]);
  await checked("ip", ["-n", name, "link", "add", BRIDGE, "type", "bridge"]);
  await checked("ip", ["-n", name, "link", "set", BRIDGE, "up"]);
  const id = await addCable(name);
  const cable = cableOf(id);
  const address = (n: number) => `172.31.${id}.${n}`;
  await checked("ip", ["-n", name, "link", "set", "host", "master", BRIDGE, "up"]);
  const ipv6 = options.ipv6 && ((n: number) => `2001:db8:${id}::${n}`);
  await checked("ip", ["address", "add", `${address(1)}/24`, "dev", cable]);
  if (ipv6) await checked("ip", ["address", "add", `${ipv6(1)}/64`, "dev", cable, "nodad"]);
  await checked("ip", ["link", "set", cable, "up"]);
  const remove = async () => {
    await run("ip", ["link", "delete", cable]);
    await run("ip", ["netns", "delete", name]);
  };
  return { switch: name, host: address(1), address, ...(ipv6 && { ipv6 }), remove };
}

const cableOf = (id: number) => `sktest${id}`;

/** Joins the switch to this machine by a cable of a number that no other network has, which a killed test may have left. */
async function addCable(name: string): Promise<number> {
  for (let tries = 0; ; tries++) {
    const id = (process.pid + tries) % MOST_LANS;
    const args = ["link", "add", cableOf(id), "type", "veth", "peer", "name", "host", "netns", name];
    const { code, stderr } = await run("ip", args);
    if (code === 0) return id;
    if (!stderr.includes("File exists") || tries === MOST_LANS) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
  }
}

export class Machine {
  readonly name: string;
  readonly home: string;
  readonly address: string;
  private readonly lan: Lan;
  private agent: ChildProcess | undefined;
  /** What its agent finds in its environment beside what every machine's does. */
  extra: NodeJS.ProcessEnv = {};
  private output = "";

  private constructor(name: string, lan: Lan, n: number) {
    this.name = name;
    this.lan = lan;
    this.address = lan.address(n);
    this.home = mkdtempSync(join(tmpdir(), "skerry-"));
  }

  /** A machine that is on the network and has joined nothing yet. */
  static async make(name: string, lan: Lan, n: number): Promise<Machine> {
    const machine = new Machine(name, lan, n);
    const { namespace, cable } = machine;
    await checked("ip", ["netns", "add", namespace]);
    for (const args of [
      ["add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace],
      ["set", cable, "master", BRIDGE, "up"],
    ])
      await checked("ip", ["-n", lan.switch, "link", ...args]);
    for (const args of [
      ["address", "add", `${machine.address}/24`, "dev", "eth0"],
      ...(lan.ipv6 ? [["address", "add", `${lan.ipv6(n)}/64`, "dev", "eth0", "nodad"]] : []),
      ["link", "set", "eth0", "up"],
      ["link", "set", "lo", "up"],
      ["route", "add", "default", "via", lan.host],
    ])
      await checked("ip", ["-n", namespace, ...args]);
    return machine;
  }

  get namespace(): string {
    return `sktest-${process.pid}-${this.name}`;
  }

  private get cable(): string {
    return `skt${process.pid % 10_000}${this.name.slice(-6)}`.slice(0, 15);
  }

  private get environment(): NodeJS.ProcessEnv {
    return { ...process.env, SKERRY_HOME: this.home, ...this.extra };
  }

  private inside(command: string, args: readonly string[]): [string, string[]] {
    // nsenter and not `ip netns exec`, which mounts another /sys, where runc finds no cgroups.
    return ["nsenter", [`--net=/var/run/netns/${this.namespace}`, command, ...args]];
  }

  /** Runs the printed `skerry join …` command here, or with only the URL to resume. */
  async join(args: readonly string[]): Promise<void> {
    await this.resume(...args);
    await this.loadBusybox();
  }

  /** The same, on a machine that has its images. Resolves when it is connected. */
  async resume(...args: readonly string[]): Promise<void> {
    const child = this.start(...args);
    let isOver = false; // with all that it said, which may come after its end
    child.once("close", () => {
      isOver = true;
    });
    while (!this.output.includes("connected to the cluster")) {
      if (isOver) throw new Error(`${this.name} did not join:\n${this.output}`);
      await effects.sleep(50);
    }
  }

  /** Starts the agent, whatever becomes of it. */
  start(...args: readonly string[]): ChildProcess {
    this.output = "";
    const named = args.includes("--node-name") ? [] : ["--node-name", this.name];
    const command = [MAIN, "join", ...STEADY_NODE, ...args, ...named, "--node-ip", this.address];
    const child = spawn(...this.inside(process.execPath, command), {
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.agent = child;
    const collect = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    return child;
  }

  /** Runs a skerry command on this machine. */
  skerry(...args: string[]) {
    return run(...this.inside(process.execPath, [MAIN, ...args]), {
      env: this.environment,
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }

  private async loadBusybox(): Promise<void> {
    const archive = join(this.home, "busybox.tar");
    await writeBusyboxImage(archive);
    const loaded = await this.nerdctl("load", "-i", archive);
    if (loaded.code !== 0) throw new Error(`busybox did not load on ${this.name}: ${loaded.stderr}`);
  }

  nerdctl(...args: string[]) {
    const binary = which("nerdctl", [join(cachePath(process.env), "bin")]) ?? "nerdctl";
    const env = { ...process.env, NERDCTL_TOML: join(this.home, "containerd/nerdctl.toml") };
    return run(...this.inside(binary, args), { env, timeoutMs: NERDCTL_TIMEOUT_MS });
  }

  run(command: string, ...args: string[]) {
    return run(...this.inside(command, args), { timeoutMs: COMMAND_TIMEOUT_MS });
  }

  log(): string {
    return this.output.slice(-4000);
  }

  /** Power cut: the agent, containerd and every container are gone at once. */
  async powerOff(): Promise<void> {
    await this.kill();
    await run("ip", ["-n", this.lan.switch, "link", "set", this.cable, "down"]);
    await killAll(async () => {
      const own = await run("ip", ["netns", "pids", this.namespace]);
      // With what runs in containers, whose command lines tell nothing of the home.
      return [...own.stdout.split("\n").filter(Boolean).map(Number), ...processesOf(this.home)].filter(isAlive);
    });
  }

  /** The machine is on again: the network is back, and nothing runs yet. */
  async powerOn(): Promise<void> {
    await unmountAll(this.home);
    rmSync(join(this.home, "containerd/state"), REMOVAL);
    await checked("ip", ["-n", this.lan.switch, "link", "set", this.cable, "up"]);
  }

  /** kill -9 of the agent alone; containers go on. */
  async kill(): Promise<void> {
    const child = this.agent;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends all that runs on the machine. */
  async end(): Promise<void> {
    await this.kill();
    await this.skerry("down", "--pods");
  }

  /** Takes the machine away with all that ran on it. */
  async remove(): Promise<void> {
    await this.end();
    await run("ip", ["-n", this.lan.switch, "link", "delete", this.cable]);
    await run("ip", ["netns", "delete", this.namespace]);
    await unmountAll(this.home);
    rmSync(this.home, REMOVAL);
  }
}

/** The words of the printed join command after `skerry join`, with the server's address on `lan`. */
export function joinArguments(printed: string, lan: Lan): string[] {
  const words = printed.trim().split(/\s+/).slice(2);
  const url = new URL(words[0] ?? "");
  url.hostname = lan.host;
  return [url.toString().replace(/\/$/, ""), ...words.slice(1)];
}
