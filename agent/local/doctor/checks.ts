/** The usual faults of a machine that is, or is to be, a node: each a pure judgement of what `reader.ts` has read. */
import { meshMtu } from "../../network/mesh/device.ts";
import type { Dropping } from "./firewall.ts";
import type { Port } from "./ports.ts";

/** `undefined` throughout: it could not be found out. */
export type Facts = {
  cgroups?: { version: 1 | 2; controllers: readonly string[] };
  /** Of what the node's network and containers need, whether the kernel did it just now. */
  kernel?: readonly { what: string; modules: readonly string[]; works: boolean; said: string }[];
  clock?: { server: string; aheadMs: number };
  dns?: { servers: readonly { address: string; answers: boolean }[] };
  /** Chains of nftables through which pods' packets pass, and that drop what they do not know. */
  firewall?: readonly Dropping[];
  mtu?: { device: string; bytes: number; tunnel?: { device: string; bytes: number } };
  disk?: {
    folder: string;
    freeBytes: number;
    totalBytes: number;
    freeInodes: number;
    totalInodes: number;
    isWritable: boolean;
  };
  ports?: readonly Port[];
  nerdctl?: readonly { path: string; version: string }[];
  uplink?: { hasRoute: boolean; server?: { url: string; error?: string } };
};

/** A fault keeps a node from its work; a warning may. */
export type Finding = { severity: "fault" | "warning"; cause: string; remedy: string };

/** `judge` gives nothing where all is well, and `unknown` why nothing can be said. */
export type Check = { name: string; looksAt: string; judge(facts: Facts): readonly Finding[] | "unknown" };

type Judge<K extends keyof Facts> = (fact: NonNullable<Facts[K]>) => readonly (Finding | false)[];

const check = <K extends keyof Facts>(name: K, looksAt: string, judge: Judge<K>): Check => ({
  name,
  looksAt,
  judge(facts) {
    const fact = facts[name];
    return fact === undefined ? "unknown" : judge(fact as NonNullable<Facts[K]>).filter((found) => found !== false);
  },
});

const fault = (cause: string, remedy: string): Finding => ({ severity: "fault", cause, remedy });
const warning = (cause: string, remedy: string): Finding => ({ severity: "warning", cause, remedy });

const CONTROLLERS = ["cpu", "memory", "pids"];
/** Certificates and registries' tokens bear no more, ms. */
const MOST_CLOCK_ERROR_MS = 60_000;
/** What IPv6 asks of every link: https://datatracker.ietf.org/doc/html/rfc8200#section-5 */
const LEAST_MTU = 1280;
/** A kubelet evicts pods below this share, and removes images below half as much again. */
const LEAST_FREE = 0.1;
const SCARCE_FREE = 0.15;
const LEAST_FREE_INODES = 0.05;
const GIB = 2 ** 30;

const percent = (share: number) => `${Math.floor(share * 100)}%`;

export const CHECKS: readonly Check[] = [
  check("cgroups", "controllers that bound pods", ({ version, controllers }) => {
    const missing = CONTROLLERS.filter((name) => !controllers.includes(name));
    return [
      missing.length > 0 &&
        fault(
          `The kernel's cgroups (version ${version}) lack ${missing.join(", ")}: pods cannot be bounded.`,
          missing.includes("memory")
            ? "Add `cgroup_enable=memory` to the kernel's command line (on a Raspberry Pi in /boot/firmware/cmdline.txt) and reboot."
            : "Mount them: `mount -t cgroup2 none /sys/fs/cgroup`; in a virtual container its host has to.",
        ),
    ];
  }),
  check("kernel", "modules for the network and containers", (features) =>
    features
      .filter(({ works }) => !works)
      .map(({ what, modules, said }) =>
        fault(
          `The kernel has no ${what}${said ? `: ${said}` : ""}.`,
          `\`modprobe -a ${modules.join(" ")}\`; where there is none, install the distribution's full kernel (linux-image, or linux-modules-extra).`,
        ),
      ),
  ),
  check("clock", "against the cluster's", ({ server, aheadMs }) => [
    Math.abs(aheadMs) > MOST_CLOCK_ERROR_MS &&
      fault(
        `The clock is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead of" : "behind"} that of ${server}: certificates seem invalid.`,
        "`timedatectl set-ntp true`, or install chrony; without a network `date -s` sets it.",
      ),
  ]),
  check("dns", "resolvers in /etc/resolv.conf", ({ servers }) => {
    const silent = servers.filter(({ answers }) => !answers).map(({ address }) => address);
    if (servers.length === 0)
      return [
        fault("No resolver is named: images and clusters with names are not found.", "Name one in /etc/resolv.conf."),
      ];
    if (silent.length === 0) return [];
    const cause = `${silent.join(", ")} ${silent.length === 1 ? "gives" : "give"} no answer`;
    return [
      silent.length === servers.length
        ? fault(
            `${cause}: no name is found.`,
            "Name one that answers in /etc/resolv.conf, or let UDP and TCP port 53 out.",
          )
        : warning(`${cause}: each lookup that asks there first waits.`, "Take it out of /etc/resolv.conf."),
    ];
  }),
  check("firewall", "chains that drop pods' packets", (chains) =>
    chains.map(({ table, chain, hook, unless }) =>
      (unless ? warning : fault)(
        `The chain ${chain} of table ${table} drops what it does not know at ${hook}${unless ? ", unless its rules let veth* through" : ""}: an accept elsewhere does not help there.`,
        hook === "forward"
          ? `Let pods through: \`nft insert rule ${table} ${chain} iifname "veth*" accept\`, and the same with oifname.`
          : `Let pods reach the node's DNS: \`nft insert rule ${table} ${chain} iifname "veth*" accept\`.`,
      ),
    ),
  ),
  check("mtu", "of the way out, and of the tunnel", ({ device, bytes, tunnel }) => [
    bytes < LEAST_MTU &&
      fault(
        `${device} takes packets of ${bytes} bytes at most: connections hang once they have much to say.`,
        `Set at least ${LEAST_MTU}: \`ip link set ${device} mtu 1500\`, lastingly where the network is configured.`,
      ),
    tunnel !== undefined &&
      tunnel.bytes > meshMtu(bytes) &&
      fault(
        `The tunnel ${tunnel.device} sends packets of ${tunnel.bytes} bytes, too large for ${device} with its ${bytes}.`,
        "Start the agent again, which takes the size anew: `systemctl restart skerry`.",
      ),
  ]),
  check("disk", "that holds images, volumes and state", (disk) => {
    const { folder, freeBytes, totalBytes, freeInodes, totalInodes, isWritable } = disk;
    const share = freeBytes / totalBytes;
    const free = `${(freeBytes / GIB).toFixed(1)} GiB (${percent(share)})`;
    const remedy = `Remove what is not needed, put ${folder} on a larger disk, or set SKERRY_HOME.`;
    return [
      !isWritable &&
        fault(`${folder} cannot be written.`, "Look in `dmesg` for errors of the disk; mount it read-write."),
      share < LEAST_FREE
        ? fault(`The disk of ${folder} has ${free} left: pods are evicted.`, remedy)
        : share < SCARCE_FREE && warning(`The disk of ${folder} has ${free} left: images are removed.`, remedy),
      totalInodes > 0 &&
        freeInodes / totalInodes < LEAST_FREE_INODES &&
        fault(
          `The disk of ${folder} has room for ${freeInodes} more files.`,
          "Remove small files: `du --inodes` finds them.",
        ),
    ];
  }),
  check("ports", "those that a node listens on", (ports) =>
    ports
      .filter(({ holder }) => holder !== undefined)
      .map(({ port, use, holder, isNeeded }) =>
        isNeeded
          ? fault(`Port ${port}, for ${use}, is taken by ${holder}.`, "End it, or choose another port: SKERRY_PORT.")
          : warning(
              `Port ${port}, for ${use}, is taken by ${holder}: another is used.`,
              "End it if the usual port is wanted, or choose one by a flag of `skerry join`.",
            ),
      ),
  ),
  check("nerdctl", "version 2", (found) => {
    if (found.some(({ version }) => /^2\./.test(version))) return [];
    const [old] = found;
    return [
      old
        ? fault(
            `${old.path} is of version ${old.version || "unknown"}, and 2 is needed.`,
            "Remove it, or put a newer one before it on the PATH: https://github.com/containerd/nerdctl/releases; else `skerry join` brings one of its own.",
          )
        : warning("There is none.", "`skerry up` and `skerry join` install it."),
    ];
  }),
  check("uplink", "the way to the cluster", ({ hasRoute, server }) => [
    !hasRoute &&
      (server && !server.error
        ? false
        : fault(
            "There is no default route.",
            "Connect a network: `ip route` shows what there is, DHCP usually brings one.",
          )),
    server?.error !== undefined &&
      fault(
        `${server.url} is not reached: ${server.error}.`,
        "See whether the cluster runs, and whether a firewall lets TCP out to it; agents use no proxy.",
      ),
  ]),
];
