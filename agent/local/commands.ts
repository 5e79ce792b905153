/** The smaller commands of the command line. */
import type { Effects } from "../../worker/lib/effects.ts";
import { steadyEffects, type Timers } from "../effects.ts";
import { mainAddress } from "../node/facts.ts";
import type { KubeletConfiguration } from "../node/settings.ts";
import type { Printed } from "./command-options.ts";
import { cachePath, type Home, isClosed } from "./home.ts";
import { sendChecked } from "./http.ts";
import { ensureTools, type Progress } from "./install.ts";
import { choose, fetchCa, hashOfCa, join, readIdentity } from "./join.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { runningSupervisor } from "./prepare.ts";
import { type Reach, reach } from "./reach.ts";
import { printJson } from "./terminal.ts";

const STOP_TIMEOUT_MS = 60_000;

export async function down(home: Home, pods: boolean, progress: Progress, effects: Effects & Timers): Promise<void> {
  const pid = runningSupervisor(home.path);
  if (pid) {
    process.kill(pid, "SIGTERM");
    const end = effects.now() + STOP_TIMEOUT_MS;
    while (runningSupervisor(home.path) === pid) {
      if (effects.now() > end) throw new Error(`the supervisor (pid ${pid}) does not stop`);
      await effects.sleep(50);
    }
    progress("stopped the control plane and the agent");
  } else if (isClosed(home.path)) throw new Error(`what ${home.path} holds is root's: use sudo`);
  else progress(`nothing of ${home.path} is running`);
  if (!pods) return;
  const { removePods } = await import("../agent.ts");
  await removePods(home, steadyEffects, progress);
}

export type JoinCommand = {
  server: string;
  token?: string;
  caHash?: string;
  nodeName: string;
  nodeIp?: string;
  kubeletPort?: number;
  configuration?: KubeletConfiguration;
};

export async function joinCluster(home: Home, command: JoinCommand, progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("running containers needs root: use sudo");
  const { server } = command;
  await ensureTools(cachePath(process.env), progress);
  const known = readIdentity(home.path);
  const chosen = { kubeletPort: command.kubeletPort, configuration: command.configuration };
  if (known && !command.token) {
    if (known.server !== server)
      throw new Error(`this machine is a node of ${known.server}: give a token to join ${server}`);
    return choose(home.path, chosen);
  }
  if (!command.token) throw new Error("joining needs a token: `skerry token create` on the cluster's side prints one");
  const ca = command.caHash ? await fetchCa(server, command.caHash) : undefined;
  const { token, nodeName: node, nodeIp: address } = command;
  await join(home.path, { server, token, node, ca, address });
  choose(home.path, chosen);
  progress(`joined ${server} as node ${command.nodeName}`);
}

export async function createToken(home: Home, options: Reach & { ttl: number; replace?: boolean }): Promise<void> {
  const server = await reach(home, options);
  const { body } = await sendChecked(server, "POST", "/skerry/tokens", {
    ttlSeconds: options.ttl,
    replace: options.replace,
  });
  const address = readIdentity(home.path)?.address ?? mainAddress() ?? "127.0.0.1";
  const url = server.url.replace("127.0.0.1", address);
  const hash = server.ca ? ` --ca-hash ${hashOfCa(server.ca)}` : "";
  process.stdout.write(`skerry join ${url} --token ${body.token}${hash}\n`);
}

type JoinToken = { id: string; expires?: string };

export async function listTokens(home: Home, { json, ...options }: Reach & Printed): Promise<void> {
  const { body } = await sendChecked(await reach(home, options), "GET", "/skerry/tokens");
  const tokens = (body.items ?? []) as JoinToken[];
  if (json) printJson(tokens);
  else for (const { id, expires } of tokens) process.stdout.write(`${id}\texpires ${expires ?? "never"}\n`);
}

export async function revokeToken(home: Home, id: string, options: Reach): Promise<void> {
  await sendChecked(await reach(home, options), "DELETE", `/skerry/tokens/${encodeURIComponent(id)}`);
}

export async function printKubeconfig(home: Home, options: Reach): Promise<void> {
  const { cluster } = options;
  const { url, ca, token = "" } = await reach(home, options);
  process.stdout.write(kubeconfig({ name: cluster === "default" ? "skerry" : cluster, server: url, ca, token }));
}

export async function printPage(home: Home, options: Reach): Promise<void> {
  const { url, token } = await reach(home, options);
  process.stdout.write(`${url}/ui/\n\nlog in with this token, which may do all that you may:\n\n${token}\n`);
}
