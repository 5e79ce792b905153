import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { run, spawn } from "../../process.ts";
import type { Commands } from "./inside.ts";

/** On a machine that has other things to do. */
const COMMAND_TIMEOUT_MS = 300_000;

/** A network namespace with our process in it. */
export class Namespace {
  readonly name: string;
  readonly #child: ReturnType<typeof spawn>;
  readonly #waiting: { resolve: (result: unknown) => void; reject: (error: Error) => void }[] = [];

  static async create(name: string): Promise<Namespace> {
    await sh(`ip netns add ${name} && ip -n ${name} link set lo up`);
    return new Namespace(name);
  }

  /** A second process in a namespace that another one owns. */
  static enter(name: string): Promise<Namespace> {
    return Promise.resolve(new Namespace(name));
  }

  private constructor(name: string) {
    this.name = name;
    const script = new URL("./inside.ts", import.meta.url).pathname;
    // nsenter and not `ip netns exec`: namespaces that are made inside have to be seen from outside.
    this.#child = spawn("nsenter", [`--net=/run/netns/${name}`, process.execPath, script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (!this.#child.stdout) throw new Error("no pipe");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const { result, error } = JSON.parse(line) as { result?: unknown; error?: string };
      const next = this.#waiting.shift();
      if (error === undefined) next?.resolve(result);
      else next?.reject(new Error(error));
    });
    this.#child.on("close", () => {
      for (const { reject } of this.#waiting) reject(new Error(`the process in ${name} ended`));
    });
  }

  do<K extends keyof Commands>(name: K, argument: Commands[K]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ name, argument })}\n`);
    });
  }

  async probe(name: "tcp" | "udp", argument: Commands["tcp"]): Promise<string[]> {
    return (await this.do(name, argument)) as string[];
  }

  /** Runs a program here and returns what it printed, on both streams. */
  async exec(command: string): Promise<string> {
    const { stdout, stderr } = await run("ip", ["netns", "exec", this.name, "sh", "-c", command], {
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
    return stdout + stderr;
  }

  /** /etc/resolv.conf for programs started by `exec`. */
  resolvConf(text: string): void {
    mkdirSync(`/etc/netns/${this.name}`, { recursive: true });
    writeFileSync(`/etc/netns/${this.name}/resolv.conf`, text);
  }

  async remove(): Promise<void> {
    this.#child.kill("SIGKILL");
    await sh(`ip netns del ${this.name}`).catch(() => {});
    rmSync(`/etc/netns/${this.name}`, { recursive: true, force: true });
  }
}

export async function sh(script: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stdout, stderr } = await run("sh", ["-ec", script], {
    env: { ...process.env, ...env },
    timeoutMs: COMMAND_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`${script}: ${stderr || stdout}`);
  return stdout;
}
