import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CONTAINERD_NAMESPACE, Containerd, findBinary } from "../../agent/containerd.ts";
import { effects } from "../../agent/effects.ts";
import { Nerdctl } from "../../agent/nerdctl.ts";
import { run } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";

/** A real containerd of its own under a temporary folder, with a bridge network. `stop` leaves nothing behind. */
export type TestRuntime = {
  home: string;
  containerd: Containerd;
  nerdctl: Nerdctl;
  network: string;
  stop(): Promise<void>;
};

/** Why no containers can be run on this machine, or undefined. */
export function missingForContainers(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const program of ["containerd", "runc", "nerdctl"])
    if (!findBinary(program, extraHome())) return `no ${program}`;
  return undefined;
}

/** Where a test machine keeps programs that are not on its PATH. */
const extraHome = () => process.env.SKERRY_TEST_BIN ?? "/var/lib/skerry";

export async function startRuntime(subnet: string): Promise<TestRuntime> {
  const home = mkdtempSync(join(tmpdir(), "skerry-test-"));
  const containerd = new Containerd({ home, timers: effects, log: () => {} });
  await containerd.start();
  const binary = findBinary("nerdctl", extraHome()) ?? "nerdctl";
  const nerdctl = new Nerdctl({ binary, toml: containerd.paths.nerdctlToml, namespace: CONTAINERD_NAMESPACE });
  const network = `skt${process.pid % 100_000}`;
  await nerdctl.createNetwork(network, ["--subnet", subnet]);
  return { home, containerd, nerdctl, network, stop: () => stopRuntime(home, containerd, nerdctl, network) };
}

async function stopRuntime(home: string, containerd: Containerd, nerdctl: Nerdctl, network: string): Promise<void> {
  const all = await run(nerdctl.binary, ["ps", "-a", "-q", "--no-trunc"], { env: nerdctl.environment });
  await nerdctl.remove(all.stdout.split("\n").filter(Boolean));
  await run(nerdctl.binary, ["network", "rm", network], { env: nerdctl.environment });
  containerd.detach();
  const pid = containerd.pid();
  if (pid) process.kill(pid, "SIGTERM");
  while (pid && existsSync(`/proc/${pid}`) && isRunning(pid)) await effects.sleep(50);
  await unmountAll(home);
  rmSync(home, { recursive: true, force: true });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readdirSync(`/proc/${pid}`).includes("gone");
  } catch {
    return false;
  }
}

/** PATH with the folder of a program that lies elsewhere. */
export const withPath = (folder: string) => [folder, process.env.PATH].join(delimiter);
