import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTAINERD_NAMESPACE, Containerd } from "../../agent/containerd.ts";
import { effects } from "../../agent/effects.ts";
import { cachePath } from "../../agent/local/home.ts";
import { ensureTools } from "../../agent/local/install.ts";
import { Nerdctl } from "../../agent/nerdctl.ts";
import { removeNode } from "../../agent/pods/cgroups.ts";
import { run } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";
import { REMOVAL } from "./cluster.ts";

/** A real containerd of its own under a temporary folder. `stop` leaves nothing behind. */
export type TestRuntime = {
  home: string;
  containerd: Containerd;
  nerdctl: Nerdctl;
  stop(): Promise<void>;
};

export async function startRuntime(): Promise<TestRuntime> {
  const home = mkdtempSync(join(tmpdir(), "skerry-test-"));
  const containerd = new Containerd({ home, timers: effects, log: () => {} });
  await containerd.start();
  const { nerdctl: binary } = await ensureTools(cachePath(process.env), () => {});
  const nerdctl = new Nerdctl({ binary, toml: containerd.paths.nerdctlToml, namespace: CONTAINERD_NAMESPACE });
  return { home, containerd, nerdctl, stop: () => stopRuntime(home, containerd, nerdctl) };
}

async function stopRuntime(home: string, containerd: Containerd, nerdctl: Nerdctl): Promise<void> {
  const all = await run(nerdctl.binary, ["ps", "-a", "-q", "--no-trunc"], { env: nerdctl.environment });
  await nerdctl.remove(all.stdout.split("\n").filter(Boolean));
  containerd.detach();
  const pid = containerd.pid();
  if (pid) process.kill(pid, "SIGTERM");
  while (pid && existsSync(`/proc/${pid}`)) await effects.sleep(50);
  await unmountAll(home);
  removeNode(home);
  rmSync(home, REMOVAL);
}
