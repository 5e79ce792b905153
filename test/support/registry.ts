/** A registry on loopback, whose front can ask for passwords and go wrong in every way that a registry can. */
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { spawn } from "../../agent/process.ts";
import { createAuthority, issueServer } from "../../worker/lib/certificates.ts";
import { REMOVAL } from "./cluster.ts";
import { freePort } from "./free-port.ts";
import { upstreamProgram } from "./upstream.ts";

export type Descriptor = { mediaType: string; digest: string; size: number };
export type Layer = { mediaType: string; content: Buffer; annotations?: Record<string, string> };

/** Answers in the registry's place; false leaves it to the registry. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";

export const digestOf = (data: Buffer | string) => `sha256:${createHash("sha256").update(data).digest("hex")}`;

export class TestRegistry {
  /** `127.0.0.1:PORT`, over plain HTTP. */
  readonly host: string;
  /** The same over TLS, by an authority whose certificate is `ca`. */
  readonly tlsHost: string;
  readonly ca: string;
  /** What was asked of its front, as `METHOD PATH`. */
  readonly asked: string[] = [];
  /** Who may read repositories with these beginnings: `user:password`. */
  readonly users = new Map<string, string>();
  readonly faults: Fault[] = [];
  readonly #direct: string;
  readonly #process: ChildProcess;
  readonly #fronts: Server[];
  readonly #folder: string;

  private constructor(parts: { direct: string; process: ChildProcess; fronts: Server[]; folder: string; ca: string }) {
    this.#direct = parts.direct;
    this.#process = parts.process;
    this.#fronts = parts.fronts;
    this.#folder = parts.folder;
    this.ca = parts.ca;
    const [plain, tls] = parts.fronts.map((front) => `127.0.0.1:${(front.address() as AddressInfo).port}`);
    this.host = plain ?? "";
    this.tlsHost = tls ?? "";
    for (const front of parts.fronts) front.on("request", (asked, answer) => this.#serve(asked, answer));
  }

  static async start(): Promise<TestRegistry> {
    const program = await upstreamProgram("registry", console.log);
    const folder = mkdtempSync(join(tmpdir(), "skerry-registry-"));
    const direct = `127.0.0.1:${await freePort()}`;
    const settings = {
      version: 0.1,
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: join(folder, "data") } },
      http: { addr: direct },
    };
    writeFileSync(join(folder, "settings.yaml"), JSON.stringify(settings));
    const process = spawn(program, ["serve", join(folder, "settings.yaml")], { stdio: "ignore" });
    const authority = await createAuthority("registry-ca", effects.now());
    const made = await issueServer(authority, "registry", { dns: ["localhost"], ip: ["127.0.0.1"] }, effects.now());
    const fronts = [createServer(), createTlsServer({ key: made.key, cert: made.certificate }) as unknown as Server];
    for (const front of fronts) await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    while (!(await fetch(`http://${direct}/v2/`).catch(() => undefined))?.ok) await effects.sleep(20);
    return new TestRegistry({ direct, process, fronts, folder, ca: authority.certificate });
  }

  /** Puts an image with these layers there; returns its manifest's digest. */
  async push(
    repository: string,
    tag: string,
    layers: readonly Layer[],
    config: object = imageConfig(layers),
  ): Promise<string> {
    const described = await Promise.all(layers.map((layer) => this.#describe(repository, layer)));
    const content = Buffer.from(JSON.stringify(config));
    const manifest = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: await this.#describe(repository, { mediaType: CONFIG, content }),
      layers: described,
    };
    return this.#put(repository, tag, manifest, MANIFEST);
  }

  /** An index of one manifest that is there already, for a platform. */
  async pushIndex(repository: string, tag: string, digest: string, platform: object): Promise<string> {
    const found = await fetch(`http://${this.#direct}/v2/${repository}/manifests/${digest}`, {
      headers: { accept: MANIFEST },
    });
    const size = (await found.arrayBuffer()).byteLength;
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [{ mediaType: MANIFEST, digest, size, platform }] };
    return this.#put(repository, tag, index, INDEX);
  }

  async #describe(repository: string, { mediaType, content, annotations }: Layer): Promise<Descriptor> {
    const digest = digestOf(content);
    const begun = await fetch(`http://${this.#direct}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const place = new URL(begun.headers.get("location") ?? "", `http://${this.#direct}`);
    place.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    const done = await fetch(place, { method: "PUT", headers, body: new Uint8Array(content) });
    if (done.status !== 201) throw new Error(`the registry answered ${done.status}: ${await done.text()}`);
    return { mediaType, digest, size: content.length, ...(annotations && { annotations }) };
  }

  async #put(repository: string, tag: string, manifest: object, type: string): Promise<string> {
    const body = JSON.stringify(manifest);
    const place = `http://${this.#direct}/v2/${repository}/manifests/${tag}`;
    const done = await fetch(place, { method: "PUT", headers: { "content-type": type }, body });
    if (done.status !== 201) throw new Error(`the registry answered ${done.status}: ${await done.text()}`);
    return digestOf(body);
  }

  #serve(asked: IncomingMessage, answer: ServerResponse): void {
    const { method, url = "", headers } = asked;
    this.asked.push(`${method} ${url}`);
    if (this.faults.some((fault) => fault(asked, answer))) return;
    const login = this.#loginFor(url);
    if (login && headers.authorization !== `Basic ${Buffer.from(login).toString("base64")}`) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="registry"' });
      return void answer.end(
        JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }),
      );
    }
    const [hostname, port] = this.#direct.split(":");
    const passed = request({ hostname, port, method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 500, found.headers);
      found.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  }

  #loginFor(url: string): string | undefined {
    for (const [beginning, login] of this.users) if (url.startsWith(`/v2/${beginning}`)) return login;
    return undefined;
  }

  stop(): void {
    for (const front of this.#fronts) {
      front.closeAllConnections();
      front.close();
    }
    this.#process.kill("SIGKILL");
    rmSync(this.#folder, REMOVAL);
  }
}

/** What an image runs as on this machine; layers are not compressed. */
export function imageConfig(layers: readonly Layer[], given: object = {}): object {
  return {
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Env: ["PATH=/bin"], Cmd: ["sh"] },
    rootfs: { type: "layers", diff_ids: layers.map(({ content }) => digestOf(content)) },
    ...given,
  };
}
