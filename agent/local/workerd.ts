/** Runs the Worker on this machine: raw workerd with durable state on disk, the same bundle that Cloudflare runs. */
import type { ChildProcess } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join } from "node:path";
import { spawn } from "../process.ts";
import { files, type Home, writeFile } from "./home.ts";
import { hashOfCa } from "./join.ts";
import type { LoginSettings } from "./logins.ts";

/** Also in wrangler.toml; a test holds them equal. */
export const COMPATIBILITY_DATE = "2026-11-01";
/** V8's own choice grows it to 48 MB of a process that needs 90; a third of that costs no time that could be measured. */
const YOUNG_GENERATION = "--max-semi-space-size=4";
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** Where TLS is ended before workerd: a socket for bytes as they come, and one whose requests say how TLS was. */
export type FrontSockets = { plain: string; shown: string };

/** The header whose value becomes `request.cf`, on the second of these sockets alone. */
export const CF_HEADER = "x-skerry-cf";

const quote = (text: string) => JSON.stringify(text);

/** `heapMb` bounds the JavaScript of each isolate, in MB, as Cloudflare does; without it, the machine's memory does. */
export type WorkerdOptions = {
  home: Home;
  secret: string;
  config: string;
  heapMb?: number;
  logins?: LoginSettings;
  front?: FrontSockets;
  /** The folder of the page's files; absent where there is none. */
  page?: string;
};

/**
 * workerd's configuration: https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp
 * All in one value: of each constant that another one names workerd keeps a copy, 1.6 MB where it is the Worker.
 */
function workerdConfig(options: WorkerdOptions): string {
  const paths = files(options.home.path);
  const { tokens, authentication, loginClients, issuerAuthorities } = options.logins ?? {};
  const flags = [YOUNG_GENERATION, ...(options.heapMb ? [`--max-old-space-size=${options.heapMb}`] : [])];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = [${flags.map(quote).join(", ")}],
  services = [
    (name = "skerry", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      durableObjectNamespaces = [
        (className = "Cluster", uniqueKey = "skerry-cluster", enableSql = true),
        (className = "Relay", uniqueKey = "skerry-relay", enableSql = true),
        (className = "Registry", uniqueKey = "skerry-registry", enableSql = true),
        (className = "Metrics", uniqueKey = "skerry-metrics", enableSql = true),
      ],
      durableObjectStorage = (localDisk = "storage"),
      bindings = [
        (name = "CLUSTER", durableObjectNamespace = "Cluster"),
        (name = "RELAY", durableObjectNamespace = "Relay"),
        (name = "REGISTRY", durableObjectNamespace = "Registry"),
        (name = "METRICS", durableObjectNamespace = "Metrics"),
        (name = "SKERRY_SECRET", text = ${quote(options.secret)}),
        (name = "SKERRY_CA_HASH", text = ${quote(hashOfCa(readFileSync(paths.caCertificate, "utf8")))}),
        (name = "SKERRY_CONFIG", text = ${quote(options.config)}),
        ${options.page ? '(name = "PAGE", service = "page"),' : ""}
        (name = "SKERRY_API_HOSTS", text = ${quote(hostname().toLowerCase())}),
        (name = "BUCKET_DISK", service = "bucket"),
        ${tokens ? `(name = "SKERRY_TOKENS", text = ${quote(tokens)}),` : ""}
        ${authentication ? `(name = "SKERRY_AUTHENTICATION", text = ${quote(authentication)}),` : ""}
        ${loginClients ? `(name = "SKERRY_LOGIN_CLIENTS", text = ${quote(loginClients)}),` : ""}
        (name = "RECEIVERS", service = "receivers"),
        ${issuerAuthorities ? '(name = "ISSUERS", service = "issuers"),' : ""}
      ],
    )),
    ${issuerAuthorities ? nearNetwork("issuers", issuerAuthorities) : ""}
    ${nearNetwork("receivers", [])}
    (name = "bucket", disk = (path = ${quote(paths.bucket)}, writable = true)),
    ${options.page ? `(name = "page", disk = (path = ${quote(options.page)})),` : ""}
    (name = "storage", disk = (path = ${quote(paths.storage)}, writable = true)),
  ],
  sockets = [${options.front ? unixSockets(options.front) : httpsSocket(options)}],
);
`;
}

const unixSockets = ({ plain, shown }: FrontSockets) => `
    (name = "plain", address = ${quote(`unix:${plain}`)}, service = "skerry", http = ()),
    (name = "shown", address = ${quote(`unix:${shown}`)}, service = "skerry", http = (cfBlobHeader = ${quote(CF_HEADER)})),
  `;

function httpsSocket(options: WorkerdOptions): string {
  const paths = files(options.home.path);
  return `
    (name = "https", address = ${quote(`*:${options.home.port}`)}, service = "skerry", https = (
      options = (),
      tlsOptions = (keypair = (
        privateKey = ${quote(readFileSync(paths.key, "utf8"))},
        certificateChain = ${quote(readFileSync(paths.certificate, "utf8") + readFileSync(paths.caCertificate, "utf8"))},
      )),
    )),
  `;
}

/** A way to those who may be near, issuers of ID tokens or receivers of alerts; nothing else of the Worker's goes by it. */
const nearNetwork = (name: string, authorities: readonly string[]) => `(name = ${quote(name)}, network = (
      allow = ["public", "private"],
      tlsOptions = (trustBrowserCas = true, trustedCertificates = [${authorities.map(quote).join(", ")}]),
    )),`;

/** workerd's own program; the npm package's launcher would stay in memory beside it. */
export function workerdBinary(): string {
  const { resolve } = createRequire(import.meta.url);
  return resolve(`@cloudflare/workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}/bin/workerd`);
}

/** Writes what workerd reads when it starts. */
export function prepareWorkerd(options: WorkerdOptions & { bundle: string }): void {
  const paths = files(options.home.path);
  for (const folder of [paths.storage, paths.bucket]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (options.front) {
    rmSync(paths.sockets, { recursive: true, force: true });
    mkdirSync(paths.sockets, { mode: 0o700 }); // whoever reaches them may say what certificate was shown
  }
  copyFileSync(options.bundle, paths.worker); // beside the configuration: workerd embeds files relative to it
  writeFile(paths.workerConfig, workerdConfig(options));
}

/**
 * Starts workerd. The kernel ends it when this process dies, however that happens, so the port is never held by an
 * orphan. The caller owns the process; an open client stream keeps workerd from obeying SIGTERM, so follow with SIGKILL.
 */
export function startWorkerd(options: WorkerdOptions & { bundle: string }): ChildProcess {
  prepareWorkerd(options);
  const { logs, workerConfig } = files(options.home.path);
  const log = openLog(join(logs, "workerd.log"));
  const child = spawn("setpriv", ["--pdeathsig", "KILL", workerdBinary(), "serve", workerConfig], {
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return child;
}

/** Opened for appending; one older file is kept. */
export function openLog(path: string): number {
  mkdirSync(join(path, ".."), { recursive: true });
  if (existsSync(path) && statSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}
