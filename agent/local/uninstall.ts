/** `skerry uninstall`: takes this machine's node away, and its control plane where it has one, and leaves nothing of them. */
import { existsSync, lstatSync, readdirSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import type { Effects } from "../../worker/lib/effects.ts";
import { errorText } from "../../worker/lib/error-text.ts";
import { kubeletRoot } from "../csi/root.ts";
import { steadyEffects, type Timers } from "../effects.ts";
import { endAgent } from "../node/shutdown-request.ts";
import { removeUnits, unitsOfHome } from "../systemd/command.ts";
import { mountPoints, mountPointsOfHome, unmountHome } from "../volumes/mounts.ts";
import { down } from "./commands.ts";
import { administrator } from "./credentials.ts";
import { cachePath, DEFAULT_HOME, type Home, hasControlPlane } from "./home.ts";
import { send, sendChecked } from "./http.ts";
import type { Progress } from "./install.ts";
import { type NodeIdentity, readIdentity } from "./join.ts";
import { type Reach, reach } from "./reach.ts";

export type UninstallOptions = Reach & { yes?: boolean };
type Context = { home: Home; progress: Progress; effects: Effects & Timers };

/** Who has just been told to end may write a last word. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const;
/** What several homes share, and nobody needs any more once it is empty. */
const SHARED_FOLDERS = ["/run/skerry", "/sys/fs/cgroup/skerry"];
const CGROUPS = "/sys/fs/cgroup";
/** Of what drivers find in a kubelet's folder the profiles of seccomp are the user's. */
const OF_DRIVERS = ["plugins", "plugins_registry", "pods"];
/** A kubelet keeps it in the same folder, and we do not. */
const OF_A_KUBELET = "cpu_manager_state";

export async function uninstall({ home, progress, effects }: Context, options: UninstallOptions): Promise<void> {
  const { path } = home;
  const identity = readIdentity(path);
  const isHost = hasControlPlane(path);
  if (!identity && !isHost)
    throw new Error(`${path} holds neither a node nor a cluster: SKERRY_HOME names another home`);
  if (process.getuid?.() !== 0 && identity) throw new Error("a node's containers and network are root's: use sudo");
  const others = isHost ? await otherNodes(home, identity) : [];
  if (!options.yes) await ask(question(path, isHost, identity, others));
  const units = unitsOfHome(path);
  await removeUnits(units, progress);
  await down(home, false, progress, effects);
  await endAgent(path, effects);
  if (identity) {
    const { removePods } = await import("../agent.ts");
    await removePods(home, steadyEffects, progress);
    if (!isHost) await tell(home, identity, options, progress);
  }
  await unmountHome(path);
  removeFiles(path, progress);
  progress(`nothing of ${path} is left; packages that were installed for it stay, and so does this program`);
}

export function question(
  path: string,
  isHost: boolean,
  identity: NodeIdentity | undefined,
  others: readonly string[],
): string {
  const lines = [
    ...(identity
      ? [`node ${identity.node}: its containers, network, images, and the data of volumes on its disk`]
      : []),
    ...(isHost
      ? [
          "the control plane: all that its clusters hold (`skerry backup` keeps it), and what lies in its bucket: backups of volumes, images, logs",
        ]
      : []),
    ...(others.length
      ? [`${others.join(", ")} lose their cluster; their containers go on until they are uninstalled`]
      : []),
    `${path}, with all that is in it`,
    ...(path === DEFAULT_HOME
      ? [`what drivers have left in ${kubeletRoot(path)}, and ${nerdctlOfCache()}, unless others use them`]
      : []),
  ];
  return `This removes:\n${lines.map((line) => `  - ${line}\n`).join("")}Type yes to go on: `;
}

async function ask(text: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new Error("this removes data for good, and there is no terminal to ask at: say --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(text).finally(() => terminal.close());
  if (answer.trim().toLowerCase() !== "yes") throw new Error("nothing was removed");
}

/** None where the control plane does not run. */
async function otherNodes(home: Home, identity: NodeIdentity | undefined): Promise<string[]> {
  try {
    const { body } = await sendChecked(await administrator(home), "GET", "/api/v1/nodes");
    const names = (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    return names.filter((name) => name !== identity?.node);
  } catch {
    return [];
  }
}

/** A node may not delete itself, unless the cluster's roles let it: then somebody else has to. */
async function tell(home: Home, { node, server, ca, token }: NodeIdentity, options: Reach, progress: Progress) {
  const isNamed = options.kubeconfig ?? options.context ?? options.server;
  try {
    const to = isNamed ? await reach(home, options) : { url: server, ca, token };
    const { code, body } = await send(to, "DELETE", `/api/v1/nodes/${encodeURIComponent(node)}`);
    if (code >= 300 && code !== 404) throw new Error(String(body.message ?? `code ${code}`));
    progress(`the cluster has no node ${node} any more`);
  } catch (error) {
    progress(`the cluster still has the node, which this machine may not delete: ${errorText(error)}`);
    progress(`  kubectl delete node ${node}`);
  }
}

function removeFiles(path: string, progress: Progress): void {
  const [mounted] = mountPointsOfHome(path);
  if (mounted) throw new Error(`${mounted} is still mounted: unmount it, and say this again; no file was removed`);
  removeOfDrivers(kubeletRoot(path), progress);
  remove(realpathSync(path));
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(path);
  // With version 1 of cgroups each controller has a folder of its own.
  const cgroups = existsSync(CGROUPS) ? readdirSync(CGROUPS).map((name) => join(CGROUPS, name, "skerry")) : [];
  const shared = [...SHARED_FOLDERS, ...cgroups];
  for (const folder of shared) removeEmpty(folder);
  const nerdctl = nerdctlOfCache();
  if (!existsSync(nerdctl)) return;
  if (path !== DEFAULT_HOME || shared.some(existsSync))
    return progress(`${nerdctl} stays: other homes of this machine share it`);
  rmSync(nerdctl);
  for (const folder of [dirname(nerdctl), cachePath(process.env)]) removeEmpty(folder);
}

const nerdctlOfCache = () => join(cachePath(process.env), "bin/nerdctl");

/** Removes a folder. A disk that is mounted there stays, empty, for it is in the machine's fstab(5). */
export function remove(folder: string): void {
  if (mountPoints(folder).length === 0) return rmSync(folder, REMOVAL);
  for (const name of readdirSync(folder)) remove(join(folder, name));
  removeEmpty(folder);
}

/** The volumes of a kubelet that lives there too are not ours to delete, nor is what is mounted there still. */
export function removeOfDrivers(kubelet: string, progress: Progress): void {
  const isShared = existsSync(join(kubelet, OF_A_KUBELET)) || mountPoints(kubelet).length > 0;
  if (isShared) return progress(`${kubelet} stays: a kubelet has been there too, or something is mounted there`);
  for (const name of OF_DRIVERS) rmSync(join(kubelet, name), REMOVAL);
  removeEmpty(kubelet);
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is not there, or others have something in it.
  }
}
