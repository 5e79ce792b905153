/** Where a cluster or a joined node keeps its state on this machine. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

export type Home = {
  path: string;
  /** The port of the API. */
  port: number;
};

/** Of a machine that has one cluster. */
export const DEFAULT_HOME = "/var/lib/skerry";

export function homeFromEnvironment(environment: NodeJS.ProcessEnv): Home {
  const port = Number(environment.SKERRY_PORT ?? 6443);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new Error(`SKERRY_PORT is not a port: ${environment.SKERRY_PORT}`);
  return { path: checkedHome(environment.SKERRY_HOME ?? DEFAULT_HOME), port };
}

/** What the kernel shows as files keeps none of ours, and some of it makes who looks for a file there wait for good. */
function checkedHome(path: string): string {
  if (/^\/(proc|sys)(\/|$)/.test(resolve(path)))
    throw new Error(`SKERRY_HOME is no folder of a disk: ${path} belongs to the kernel`);
  return path;
}

/** Programs that several homes share: built or downloaded once a machine. */
export const cachePath = (environment: NodeJS.ProcessEnv) => environment.SKERRY_CACHE ?? "/var/cache/skerry";

export const files = (home: string) => ({
  secret: join(home, "secret"),
  caCertificate: join(home, "tls/ca.crt"),
  caKey: join(home, "tls/ca.key"),
  certificate: join(home, "tls/server.crt"),
  key: join(home, "tls/server.key"),
  kubeconfig: join(home, "kubeconfig"),
  storage: join(home, "storage"),
  /** Where backups of volumes lie. */
  bucket: join(home, "bucket"),
  sockets: join(home, "sockets"),
  workerConfig: join(home, "workerd.capnp"),
  worker: join(home, "worker.js"),
  supervisorPid: join(home, "supervisor.pid"),
  ranges: join(home, "ranges.json"),
  node: join(home, "node.json"),
  agentState: join(home, "agent.db"),
  /** WireGuard's private key of the node. */
  wireguardKey: join(home, "wireguard.key"),
  logs: join(home, "log"),
});

/** Whether the home has a cluster of this machine's own. A folder of one of these names alone may be anybody's. */
export const hasControlPlane = (home: string): boolean =>
  existsSync(files(home).storage) && existsSync(files(home).secret);

/** Whether there is a home that this user may not look into. */
export function isClosed(home: string): boolean {
  try {
    accessSync(home, constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}

/** The path of a SQLite database that its owner alone may read: what lies beside it is made with the same mode. */
export function privateDatabase(path: string): string {
  closeSync(openSync(path, "a", 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
  return path;
}

/** Writes only what is not there already: a disk that can take nothing more keeps nobody from what is as it should be. */
export function keepFile(path: string, content: string, mode = 0o644): void {
  if (!existsSync(path) || readFileSync(path, "utf8") !== content) writeFile(path, content, mode);
}

/** Whole or not at all, also when the machine stops in the middle. Secrets are for their owner alone. */
export function writeFile(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.new`;
  writeFileSync(temporary, content, { mode, flush: true });
  renameSync(temporary, path);
}
