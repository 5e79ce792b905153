/** What pods take of the machine that a test's cluster has its node on. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { effects } from "../../agent/effects.ts";
import { identityOf } from "../../agent/network/identity.ts";
import { nodeCgroup } from "../../agent/pods/cgroups.ts";
import { mountPoints } from "../../agent/volumes/mounts.ts";
import { eventually, type TestCluster } from "./cluster.ts";
import { checked } from "./programs.ts";

const CGROUPS = "/sys/fs/cgroup";

export const count = (folder: string): number => {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
};

const LOOK_EVERY_MS = 1_000;
/** On a busy machine a second or two may pass in the midst of it. */
const SAME_LOOKS = 5;

/** What is taken where no pod is left, once nothing of the last ones goes any more. */
export async function takenAtRest(cluster: TestCluster): Promise<Taken> {
  let last = "";
  let same = 0;
  return eventually("nothing runs", async () => {
    await effects.sleep(LOOK_EVERY_MS);
    const now = await taken(cluster);
    same = JSON.stringify(now) === last ? same + 1 : 1;
    last = JSON.stringify(now);
    return now.containers + now.shims + now.folders + now.logs === 0 && same >= SAME_LOOKS && now;
  });
}

export type Taken = Awaited<ReturnType<typeof taken>>;

/** Everything that a pod takes of a machine. */
export async function taken(cluster: TestCluster) {
  const { home } = cluster;
  const { namespace, table } = identityOf({ home, clusterName: "default", nodeName: "node-a" });
  const containers = await cluster.nerdctl("ps", "-a", "-q", "--no-trunc");
  const rules = await checked("nft", ["list", "table", "ip", table]);
  // Other clusters of this machine have pods too, and its own addresses come and go: only what bears this node's pods' is counted.
  const cidr = await cluster.ok("get node node-a -o jsonpath={.spec.podCIDR}");
  const ofPods = (address: string) => ipaddr.parse(address).match(ipaddr.parseCIDR(cidr));
  const routes = await checked("ip", ["-4", "route", "show", "root", cidr]);
  return {
    containers: containers.stdout.split("\n").filter(Boolean).length,
    shims: processes(join(home, "containerd/containerd.sock")),
    routes: routes.stdout.split("\n").filter((line) => line.includes("veth")).length,
    namespaces: readdirSync("/run/netns").filter((name) => name.startsWith(namespace)).length,
    addressesInRules: rules.stdout.match(/\d+\.\d+\.\d+\.\d+/g)?.filter(ofPods).length ?? 0,
    mounts: mountPoints(home).length,
    folders: count(join(home, "pods")),
    cgroups: cgroupsUnder(join(CGROUPS, existsSync(join(CGROUPS, "memory")) ? "memory" : "", nodeCgroup(home))),
    logs: count(join(home, "log/pods")),
  };
}

function cgroupsUnder(folder: string): number {
  const inner = foldersIn(folder);
  return inner.reduce((sum, { name }) => sum + 1 + cgroupsUnder(join(folder, name)), 0);
}

/** None of what goes while it is looked at. */
function foldersIn(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return [];
  }
}

function processes(mark: string): number {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(`-address\0${mark}`);
    } catch {
      return false;
    }
  }).length;
}
