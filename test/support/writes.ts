/** A client that writes and one that watches while parts of the cluster die, and what both may rely on afterwards. */
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { effects } from "../../agent/effects.ts";
import type { Server } from "../../agent/local/http.ts";

type Meta = { name: string; namespace?: string; resourceVersion: string };
type ConfigMap = { metadata: Meta; data?: Record<string, string> };
type List = { metadata: { resourceVersion: string }; items: ConfigMap[] };
type Event = { type: string; object: ConfigMap & { code?: number; message?: string } };
export type Acknowledged = { name: string; value: string; revision: number };

const PATH = "/api/v1/namespaces/default/configmaps";
const SELECTOR = "labelSelector=written%3Dhere";
const ANSWER_TIMEOUT_MS = 60_000;
const AGAIN_MS = 100;

/** Opens a request on a kept-alive connection; on another where that was closed while it lay idle. */
function open(server: Server, agent: Agent, method: string, path: string, body?: unknown): Promise<IncomingMessage> {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const headers = { accept: "application/json", authorization: `Bearer ${server.token}`, "content-type": type };
  return new Promise((resolve, reject) => {
    const call = request(server.url + path, { method, ca: server.ca, agent, headers }, resolve);
    call.on("error", (error: NodeJS.ErrnoException) => {
      if (call.reusedSocket && error.code === "ECONNRESET") resolve(open(server, agent, method, path, body));
      else reject(error);
    });
    call.setTimeout(ANSWER_TIMEOUT_MS, () => call.destroy(new Error("no answer in time")));
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function json<T>(response: IncomingMessage): Promise<T> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  if ((response.statusCode ?? 0) >= 300) throw new Error(`answered ${response.statusCode}: ${text}`);
  return JSON.parse(text) as T;
}

async function list(server: Server, agent: Agent): Promise<List> {
  return json<List>(await open(server, agent, "GET", `${PATH}?${SELECTOR}`));
}

/** Creates ConfigMaps and updates one, one after another and several at a time; what fails is left behind. */
export class Writer {
  readonly acknowledged: Acknowledged[] = [];
  failures = 0;
  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly lines: Promise<void>[] = [];
  private stopping = false;

  constructor(server: Server, options: { name: string; lines: number }) {
    this.server = server;
    for (let line = 0; line < options.lines; line++) this.lines.push(this.write(`${options.name}-${line}`));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.lines);
    this.agent.destroy();
  }

  private async write(line: string): Promise<void> {
    for (let n = 0; !this.stopping; n++) {
      const value = String(n);
      await this.attempt("POST", PATH, `${line}-${n}`, value);
      await this.attempt(n === 0 ? "POST" : "PATCH", n === 0 ? PATH : `${PATH}/${line}-last`, `${line}-last`, value);
    }
  }

  private async attempt(method: string, path: string, name: string, value: string): Promise<void> {
    const body = { metadata: { name, labels: { written: "here" } }, data: { value } };
    try {
      const { metadata } = await json<ConfigMap>(await open(this.server, this.agent, method, path, body));
      this.acknowledged.push({ name, value, revision: Number(metadata.resourceVersion) });
    } catch {
      this.failures++;
      await effects.sleep(AGAIN_MS);
    }
  }
}

/** Lists once, then watches, and resumes by the last revision it saw whenever its watch breaks. */
export class Watcher {
  /** As told: the state that a client's cache would hold. */
  readonly state = new Map<string, { value: string; revision: number }>();
  readonly seen = new Set<number>();
  /** What no watch may do. */
  readonly faults: string[] = [];
  resumed = 0;
  private readonly server: Server;
  private readonly agent = new Agent({ keepAlive: true });
  private revision = 0;
  private current: IncomingMessage | undefined;
  private running: Promise<void> | undefined;
  private stopping = false;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(server: Server): Promise<Watcher> {
    const watcher = new Watcher(server);
    const { metadata, items } = await list(server, watcher.agent);
    watcher.revision = Number(metadata.resourceVersion);
    for (const item of items) watcher.keep(item);
    watcher.running = watcher.follow();
    return watcher;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.current?.destroy();
    await this.running;
    this.agent.destroy();
  }

  /** Whether all that the cluster now has was told, and nothing else. */
  async agrees(): Promise<boolean> {
    const { items } = await list(this.server, this.agent);
    const told = [...this.state].map(([name, { revision }]) => `${name}@${revision}`).toSorted();
    const real = items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted();
    return JSON.stringify(told) === JSON.stringify(real);
  }

  private async follow(): Promise<void> {
    while (!this.stopping) {
      try {
        const path = `${PATH}?watch=1&allowWatchBookmarks=true&${SELECTOR}&resourceVersion=${this.revision}`;
        const response = await open(this.server, this.agent, "GET", path);
        if (response.statusCode !== 200) throw new Error(`the watch was answered ${response.statusCode}`);
        this.current = response;
        response.socket.setTimeout(0);
        let rest = "";
        for await (const chunk of response.setEncoding("utf8")) {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) this.take(JSON.parse(line) as Event);
        }
      } catch {
        // Broken off; what matters is whether resuming makes it whole.
      }
      this.resumed++;
      if (!this.stopping) await effects.sleep(AGAIN_MS);
    }
  }

  private take({ type, object }: Event): void {
    if (type === "ERROR") this.faults.push(`${object.code} ${object.message}`);
    if (type === "ERROR") return;
    const revision = Number(object.metadata.resourceVersion);
    if (revision < this.revision || (type !== "BOOKMARK" && revision === this.revision))
      this.faults.push(`${type} ${object.metadata.name}@${revision} came after ${this.revision}`);
    this.revision = revision;
    if (type === "BOOKMARK") return;
    if ((type === "ADDED") === this.state.has(object.metadata.name))
      this.faults.push(`${type} of ${object.metadata.name}, which is ${type === "ADDED" ? "known" : "unknown"}`);
    this.seen.add(revision);
    if (type === "DELETED") this.state.delete(object.metadata.name);
    else this.keep(object);
  }

  private keep({ metadata, data }: ConfigMap): void {
    this.state.set(metadata.name, { value: data?.value ?? "", revision: Number(metadata.resourceVersion) });
  }
}

/** Acknowledged writes that the cluster does not have, and revisions that were given out twice or went back. */
export async function lostWrites(server: Server, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const agent = new Agent();
  const { items, metadata } = await list(server, agent);
  agent.destroy();
  const now = new Map(items.map((item) => [item.metadata.name, item]));
  const newest = Number(metadata.resourceVersion);
  const faults: string[] = [];
  const revisions = new Set<number>();
  for (const { name, value, revision } of acknowledged) {
    if (revisions.has(revision)) faults.push(`revision ${revision} was given twice`);
    revisions.add(revision);
    if (revision > newest) faults.push(`revision ${revision} of ${name} is newer than the list's ${newest}`);
    const item = now.get(name);
    const found = item && { value: Number(item.data?.value), revision: Number(item.metadata.resourceVersion) };
    if (!found || found.revision < revision || found.value < Number(value))
      faults.push(`${name}=${value}@${revision} is lost: ${JSON.stringify(found)}`);
  }
  return faults;
}
