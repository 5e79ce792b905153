/** What comes before the start of a control plane on this machine. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { RuntimeConfig } from "../../worker/lib/config.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import { ensureBundle, ensurePage, packageRoot } from "./bundle.ts";
import { ensureCertificates } from "./certificates.ts";
import { ensureSecrets } from "./credentials.ts";
import { files, type Home, writeFile } from "./home.ts";
import type { Progress } from "./install.ts";
import type { LoginSettings } from "./logins.ts";
import { ensureRanges } from "./ranges.ts";

export type UpOptions = {
  home: Home;
  /** False: the API alone, without controllers and scheduler. */
  controllers: boolean;
  disabledControllers?: readonly string[];
  runtimeConfig?: RuntimeConfig;
  eventTtlSeconds?: number;
  /** Pods and Services have IPv6 addresses too; for a cluster's first start. */
  dualStack?: boolean;
  logins?: LoginSettings;
  /** Clients may show certificates, for which TLS is ended before workerd. */
  clientCertificates?: boolean;
  progress: Progress;
  effects: Effects & Timers;
};

export function runningSupervisor(home: string): number | undefined {
  const path = files(home).supervisorPid;
  if (!existsSync(path)) return undefined;
  const pid = Number(readFileSync(path, "utf8"));
  try {
    // A pid may have been given to another program since.
    return /skerry|main\.(ts|js)|keep\.sh/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a supervisor is `skerry up --no-agent`: that one is a shell. */
export function isAlone(supervisor: number): boolean {
  try {
    return readFileSync(`/proc/${supervisor}/cmdline`, "utf8").includes("keep.sh");
  } catch {
    return false;
  }
}

function checkPortIsFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", () => reject(new Error(`port ${port} is in use: choose another with SKERRY_PORT`)));
    server.listen(port, () => server.close(() => resolve()));
  });
}

/** This process is the one that runs the cluster of its home from now on, and that has its certificates. */
export async function prepare({ home, effects }: UpOptions): Promise<void> {
  const running = runningSupervisor(home.path);
  if (running) throw new Error(`a cluster of ${home.path} is running already (pid ${running})`);
  await checkPortIsFree(home.port);
  writeFile(files(home.path).supervisorPid, `${process.pid}\n`);
  await ensureCertificates(home.path, effects.now());
}

export async function workerdOptions(options: UpOptions) {
  const { home, controllers, disabledControllers, runtimeConfig, eventTtlSeconds, logins, clientCertificates } =
    options;
  const { sockets } = files(home.path);
  return {
    home,
    logins,
    ...(clientCertificates && { front: { plain: join(sockets, "plain"), shown: join(sockets, "shown") } }),
    bundle: await ensureBundle(packageRoot()),
    page: await ensurePage(packageRoot()),
    secret: ensureSecrets(home.path),
    config: JSON.stringify({
      controllers,
      disabledControllers,
      runtimeConfig,
      eventTtlSeconds,
      ...ensureRanges(home.path, options.dualStack),
    }),
  };
}

/** The start of a command line that runs this program. */
export const thisProgram = () => [process.execPath, ...process.execArgv, process.argv[1] ?? ""];
