/** What is left of a node. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { identityOf } from "../../agent/network/identity.ts";
import { run } from "../../agent/process.ts";

type Execute = (program: string, ...args: string[]) => Promise<{ stdout: string }>;

/** What of a node its machine has: each place with what is found there. `execute` runs a program in its network. */
export async function traces(
  home: string,
  nodeName: string,
  execute: Execute = (program, ...args) => run(program, args),
): Promise<Record<string, string[]>> {
  const own = identityOf({ home, clusterName: "default", nodeName });
  const digest = createHash("sha256").update(home).digest("hex").slice(0, 8);
  const lines = async (what: RegExp | string, program: string, ...args: string[]) =>
    (await execute(program, ...args)).stdout
      .split("\n")
      .filter((line) => (typeof what === "string" ? line.includes(what) : what.test(line)));
  const folders = (at: string) => (existsSync(at) ? readdirSync(at) : []);
  const cgroups = ["/sys/fs/cgroup", ...folders("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name))];
  const processes = readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(home);
    } catch {
      return false;
    }
  });
  return {
    links: await lines(own.anchor, "ip", "-o", "link"),
    routes: await lines(own.anchor, "ip", "route"),
    tables: await lines(own.table, "nft", "list", "tables"),
    firewall: await lines(own.table, "iptables-save"),
    namespaces: await lines(own.namespace, "ip", "netns", "list"),
    shared: folders("/run/skerry").filter((name) => name === digest),
    cgroups: cgroups.map((at) => join(at, "skerry", digest)).filter((at) => existsSync(at)),
    mounts: readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(home) || line.includes(digest)),
    processes,
    files: existsSync(home) ? [home] : [],
  };
}
