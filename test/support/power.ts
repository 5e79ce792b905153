/** A machine that loses its power, for the one that tests run on: all that a cluster's home has running is gone at once. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { effects } from "../../agent/effects.ts";
import { readIdentity } from "../../agent/local/join.ts";
import { identityOf } from "../../agent/network/identity.ts";
import { run } from "../../agent/process.ts";
import { unmountAll } from "../../agent/volumes/mounts.ts";
import { killNow, REMOVAL } from "./cluster.ts";

const read = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** Processes that name the home in their command line, and all that descends from them. */
export function processesOf(home: string): number[] {
  const parents = new Map<number, number>();
  const found = new Set<number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    if (read(`/proc/${name}/cmdline`).includes(home)) found.add(Number(name));
  }
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(process.pid);
  return [...found];
}

/** kill -9 of all that is found, until there is none: who is killed may just have started another. */
export async function killAll(find: () => readonly number[] | Promise<readonly number[]>): Promise<void> {
  for (let pids = await find(); pids.length > 0; pids = await find()) {
    pids.forEach(killNow);
    await effects.sleep(20);
  }
}

/** Kills containers, shims and containerd, and forgets what only memory held: mounts, containerd's state, the network. */
export async function losePower(home: string): Promise<void> {
  await killAll(() => processesOf(home));
  await unmountAll(home);
  rmSync(join(home, "containerd/state"), REMOVAL);
  const node = readIdentity(home);
  if (!node) return;
  const clusterName = new URL(node.server).pathname.split("/")[2] ?? "default";
  const { anchor, balancers, table } = identityOf({ home, clusterName, nodeName: node.node });
  for (const link of [anchor, balancers]) await run("ip", ["link", "delete", link]);
  await run("nft", ["delete", "table", "ip", table]);
}
