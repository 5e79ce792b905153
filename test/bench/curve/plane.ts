/** One control plane on workerd with a small heap, over state that can be changed while it is stopped. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../../agent/effects.ts";
import { buildWorker } from "../../../agent/local/bundle.ts";
import { ensureCertificates } from "../../../agent/local/certificates.ts";
import { ensureSecret } from "../../../agent/local/credentials.ts";
import { files } from "../../../agent/local/home.ts";
import type { Endpoint } from "../../../agent/local/http.ts";
import { startWorkerd } from "../../../agent/local/workerd.ts";
import { administratorToken } from "../../../worker/lib/administrator.ts";
import { freePort } from "../../support/free-port.ts";
import { memoryOf } from "../processes.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** What Cloudflare gives an isolate. */
const HEAP_MB = 128;
const START_TIMEOUT_MS = 300_000;
const REQUEST_TIMEOUT_MS = 120_000;
const REST_TIMEOUT_MS = 1_200_000;
/** It rests when it takes less than a tenth of a processor for some seconds. */
const CALM_TICKS = 10;
const CALM_SECONDS = 3;

export type Answered = { code: number; text: string };

export class CurvePlane {
  readonly server: Required<Endpoint>;
  private readonly home: { path: string; port: number };
  private readonly agent: Agent;
  private readonly bundle: string;
  private readonly secret: string;
  private workerd: ChildProcess | undefined;

  private constructor(
    home: { path: string; port: number },
    server: Required<Endpoint>,
    bundle: string,
    secret: string,
  ) {
    this.home = home;
    this.server = server;
    this.bundle = bundle;
    this.secret = secret;
    this.agent = new Agent({ keepAlive: true, ca: server.ca });
  }

  static async create(): Promise<CurvePlane> {
    const path = mkdtempSync(join(tmpdir(), "skerry-curve-"));
    const bundle = join(path, "bundle.js");
    await buildWorker(ROOT, bundle);
    await ensureCertificates(path, effects.now());
    const secret = ensureSecret(path);
    const home = { path, port: await freePort() };
    const ca = readFileSync(files(path).caCertificate, "utf8");
    const token = await administratorToken(secret, "default");
    return new CurvePlane(home, { url: `https://127.0.0.1:${home.port}`, ca, token }, bundle, secret);
  }

  /** The time until the administrator's first answer, in ms. */
  async start({ controllers }: { controllers: boolean }): Promise<number> {
    const start = performance.now();
    const { home, bundle, secret } = this;
    const config = JSON.stringify({ controllers });
    this.workerd = startWorkerd({ home, bundle, secret, config, heapMb: HEAP_MB });
    for (;;) {
      const answer = await this.ask("GET", "/api/v1/namespaces/default").catch(() => undefined);
      if (answer?.code === 200) return performance.now() - start;
      if (this.ended || performance.now() - start > START_TIMEOUT_MS) throw new Error(`no answer: ${this.log()}`);
      await effects.sleep(5);
    }
  }

  get ended(): boolean {
    return this.workerd === undefined || this.workerd.exitCode !== null || this.workerd.signalCode !== null;
  }

  log(): string {
    return readFileSync(join(files(this.home.path).logs, "workerd.log"), "utf8").slice(-2000);
  }

  /** As a crash has it. */
  async kill(): Promise<void> {
    const child = this.workerd;
    if (!child || this.ended) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    this.agent.destroy();
    rmSync(this.home.path, { recursive: true, force: true });
  }

  rssMb(): number {
    return memoryOf("workerd", this.workerd?.pid ?? 0).rss;
  }

  /** Waits until the controllers have looked at what is new: workerd then takes little of a processor. */
  async rest(): Promise<number> {
    const start = performance.now();
    let before = this.cpuTicks();
    for (let calm = 0; calm < CALM_SECONDS; ) {
      await effects.sleep(1000);
      const now = this.cpuTicks();
      calm = now - before < CALM_TICKS ? calm + 1 : 0;
      before = now;
      if (this.ended || performance.now() - start > REST_TIMEOUT_MS) throw new Error(`no rest: ${this.log()}`);
    }
    return performance.now() - start - 1000 * CALM_SECONDS;
  }

  private cpuTicks(): number {
    const stat = readFileSync(`/proc/${this.workerd?.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  }

  /** The database file of the Cluster object. */
  get database(): string {
    const folder = join(files(this.home.path).storage, "skerry-cluster");
    const sizes = readdirSync(folder)
      .filter((name) => name.endsWith(".sqlite"))
      .map((name) => ({ path: join(folder, name), size: statSync(join(folder, name)).size }));
    return sizes.toSorted((a, b) => b.size - a.size)[0]?.path ?? "";
  }

  /** One request on a connection that is kept. */
  ask(method: string, path: string, body?: unknown, contentType = "application/json"): Promise<Answered> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const call = request(
        `${this.server.url}${path}`,
        {
          method,
          agent: this.agent,
          timeout: REQUEST_TIMEOUT_MS,
          headers: {
            authorization: `Bearer ${this.server.token}`,
            accept: "application/json",
            ...(text !== undefined && { "content-type": contentType, "content-length": Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => resolve({ code: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        },
      );
      call.on("timeout", () => call.destroy(new Error(`no answer in ${REQUEST_TIMEOUT_MS / 1000} s`)));
      call.on("error", reject);
      call.end(text);
    });
  }

  async must(method: string, path: string, body?: unknown, contentType?: string): Promise<Answered> {
    const answer = await this.ask(method, path, body, contentType);
    if (answer.code >= 300) throw new Error(`${method} ${path}: ${answer.code} ${answer.text.slice(0, 300)}`);
    return answer;
  }
}
