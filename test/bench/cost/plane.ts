/** The metered control plane on raw workerd, with a kubeconfig for the real kubectl, and nodes that are models. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../../agent/effects.ts";
import { buildWorker, ensurePage } from "../../../agent/local/bundle.ts";
import { ensureCertificates } from "../../../agent/local/certificates.ts";
import { ensureSecret } from "../../../agent/local/credentials.ts";
import { files, writeFile } from "../../../agent/local/home.ts";
import { type Endpoint, send, sendChecked } from "../../../agent/local/http.ts";
import { kubeconfig } from "../../../agent/local/kubeconfig.ts";
import { startWorkerd } from "../../../agent/local/workerd.ts";
import { administratorToken } from "../../../worker/lib/administrator.ts";
import { freePort } from "../../support/free-port.ts";
import { ModelNode } from "./node.ts";
import { between, type Usage } from "./usage.ts";

const ROOT = join(import.meta.dirname, "../../..");
const START_TIMEOUT_MS = 300_000;

export class MeteredPlane {
  readonly home: string;
  readonly server: Required<Endpoint>;
  private readonly workerd: ChildProcess;
  private readonly nodes: ModelNode[] = [];

  private constructor(home: string, server: Required<Endpoint>, workerd: ChildProcess) {
    this.home = home;
    this.server = server;
    this.workerd = workerd;
  }

  static async start(): Promise<MeteredPlane> {
    const path = mkdtempSync(join(tmpdir(), "skerry-cost-"));
    try {
      return await MeteredPlane.startIn(path);
    } catch (error) {
      rmSync(path, { recursive: true, force: true });
      throw error;
    }
  }

  private static async startIn(path: string): Promise<MeteredPlane> {
    const bundle = join(path, "metered.js");
    await buildWorker(ROOT, bundle, join(import.meta.dirname, "metered.ts"));
    await ensureCertificates(path, effects.now());
    const secret = ensureSecret(path);
    const home = { path, port: await freePort() };
    const server = {
      url: `https://127.0.0.1:${home.port}`,
      ca: readFileSync(files(path).caCertificate, "utf8"),
      token: await administratorToken(secret, "default"),
    };
    writeFile(files(path).kubeconfig, kubeconfig({ name: "skerry", server: server.url, ...server }));
    const plane = new MeteredPlane(
      path,
      server,
      startWorkerd({ home, bundle, secret, config: "{}", page: await ensurePage(ROOT) }),
    );
    const end = effects.now() + START_TIMEOUT_MS;
    while ((await send(server, "GET", "/readyz").catch(() => undefined))?.code !== 200) {
      if (effects.now() > end) {
        const log = readFileSync(join(path, "log/workerd.log"), "utf8");
        await plane.stop();
        throw new Error(`no answer: ${log}`);
      }
      await effects.sleep(50);
    }
    return plane;
  }

  get kubeconfig(): string {
    return files(this.home).kubeconfig;
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    return (await sendChecked(this.server, method, path, body)).body as T;
  }

  /** The meter's reading; wakes no object and counts nothing. */
  async usage(): Promise<Usage> {
    return (await sendChecked(this.server, "GET", "/meter")).body as Usage;
  }

  /** What is used while `body` runs. */
  async measure(body: () => Promise<unknown>): Promise<Usage> {
    const before = await this.usage();
    await body();
    return between(before, await this.usage());
  }

  /** Joins, connects and registers nodes; they are Ready when this resolves. */
  async addNodes(names: readonly string[]): Promise<ModelNode[]> {
    const { token } = await this.ask<{ token: string }>("POST", "/skerry/tokens", { ttlSeconds: 3600 });
    const added: ModelNode[] = [];
    for (const name of names) {
      const joined = await this.ask<{ token: string }>("POST", "/skerry/join", { token, name });
      const { url: server, ca } = this.server;
      const node = new ModelNode({ server, ca, node: name, token: joined.token });
      this.nodes.push(node);
      added.push(node);
      await node.start();
    }
    return added;
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) node.stop();
    const gone = new Promise((resolve) => this.workerd.once("exit", resolve));
    this.workerd.kill("SIGKILL");
    await gone;
    rmSync(this.home, { recursive: true, force: true });
  }
}
