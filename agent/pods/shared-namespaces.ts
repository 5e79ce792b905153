/**
 * What a pod's containers share beside the network: System V and POSIX IPC with /dev/shm, and the host name. None of it
 * belongs to a process, so it outlives every container of the pod.
 * https://man7.org/linux/man-pages/man7/namespaces.7.html
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname as machineName } from "node:os";
import { join } from "node:path";
import type { CoreV1Pod, CoreV1Sysctl } from "../../worker/kinds/generated/types.ts";
import { type Command, CommandError } from "../network/commands.ts";
import { isNamespace } from "../network/namespace-file.ts";
import { mountPoints } from "../volumes/mounts.ts";
import { sysctlsOf } from "./sysctls.ts";

/** For each namespace the file that stands for it, or `host` for the machine's own; `shm` is what is at /dev/shm. */
export type SharedPaths = { ipc: string; uts: string; shm: string };

export type SharedGiven = {
  pod: CoreV1Pod;
  hostname: string;
  /** The file that stands for the sandbox's network; undefined with the machine's own. */
  network: string | undefined;
};

export interface SharedNamespaces {
  /** Makes what is not there yet, with the pod's sysctls. */
  open(sandbox: string, given: SharedGiven): Promise<SharedPaths>;
  /** Those that are not there count as closed. */
  close(sandbox: string): Promise<void>;
  /** The names of all sandboxes that have any. */
  opened(): string[];
}

const FOLDER = "/run/skerry";

/** As containerd has it: in its own network every container may listen on low ports and ping. */
const DEFAULTS: CoreV1Sysctl[] = [
  { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
  { name: "net.ipv4.ping_group_range", value: "0 2147483647" },
];
/** As container runtimes give a pod. */
const SHM = "nosuid,nodev,noexec,mode=1777,size=64m";
/** The place of the shared memory if it is the pod's own, the host name, then names and values of sysctls. */
const SETTINGS = `[ -z "$1" ] || mount -t tmpfs -o ${SHM} shm "$1"
echo "$2" >/proc/sys/kernel/hostname; shift 2
while [ $# -gt 0 ]; do
  [ -e "/proc/sys/$1" ] || { echo "open /proc/sys/$1: no such file or directory" >&2; exit 1; }
  echo "$2" 2>/dev/null >"/proc/sys/$1" || { echo "write /proc/sys/$1: invalid argument" >&2; exit 1; }
  shift 2
done`;

/** Those of this machine, apart from those of other nodes on it. */
export function machineNamespaces(home: string, command: Command): SharedNamespaces {
  const root = join(FOLDER, createHash("sha256").update(home).digest("hex").slice(0, 8));
  const close = async (sandbox: string) => {
    const folder = join(root, sandbox);
    const mounted = mountPoints(folder);
    // Lazily, as nobody waits for the last user.
    if (mounted.length) await command("umount", ["-l", ...mounted]);
    rmSync(folder, { recursive: true, force: true });
    if (existsSync(root) && !readdirSync(root).length) rmdirSync(root);
  };
  return {
    async open(sandbox, given) {
      const { pod, hostname, network } = given;
      const folder = join(root, sandbox);
      const paths: SharedPaths = {
        ipc: pod.spec.hostIPC ? "host" : join(folder, "ipc"),
        // A node that bears another name than its machine is one of several on it.
        uts: pod.spec.hostNetwork && hostname === machineName() ? "host" : join(folder, "uts"),
        shm: pod.spec.hostIPC ? "/dev/shm" : join(folder, "shm"),
      };
      const { ipc, uts } = paths;
      const own = Object.entries({ ipc, uts }).filter(([, path]) => path !== "host");
      if (own.every(([, path]) => isNamespace(path))) return paths;
      await close(sandbox);
      mkdirSync(join(folder, "shm"), { recursive: true });
      for (const [, path] of own) writeFileSync(path, "");
      const settings = [...(network ? DEFAULTS : []), ...sysctlsOf(pod)].flatMap(({ name, value }) => [
        fileOf(name),
        value,
      ]);
      const words = [
        ...(network ? ["nsenter", `--net=${network}`] : []),
        ...["unshare", ...own.map(([kind, path]) => `--${kind}=${path}`)],
        ...["sh", "-ec", SETTINGS, "sh", pod.spec.hostIPC ? "" : paths.shm, hostname, ...settings],
      ];
      try {
        await command(words[0] ?? "", words.slice(1));
      } catch (error) {
        await close(sandbox);
        throw error instanceof CommandError && error.stderr ? new Error(error.stderr) : error;
      }
      return paths;
    },
    close,
    opened: () => (existsSync(root) ? readdirSync(root) : []),
  };
}

/** Below /proc/sys: a dot within a part is written as a slash. */
const fileOf = (name: string) => name.replace(/[./]/g, (sign) => (sign === "." ? "/" : "."));
