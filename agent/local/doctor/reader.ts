/** Reads of this machine what the checks judge. Each part is read by itself: what cannot be found out is left out. */

import { Resolver } from "node:dns/promises";
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readNodeResolvers } from "../../network/dns/resolv-conf.ts";
import { cgroupVersion } from "../../pods/cgroups.ts";
import { run } from "../../process.ts";
import { cachePath, type Home, hasControlPlane } from "../home.ts";
import type { Server } from "../http.ts";
import { which } from "../install.ts";
import { readIdentity } from "../join.ts";
import type { Facts } from "./checks.ts";
import { answerOf } from "./clock.ts";
import { dropping, type Ruleset } from "./firewall.ts";
import { held } from "./ports.ts";

const COMMAND_TIMEOUT_MS = 20_000;
const NETWORK_TIMEOUT_MS = 5_000;

type Reader = { home: Home; now: () => number; server?: Server };

export async function readFacts({ home, now, server }: Reader): Promise<Facts> {
  const [network, kernel, dns, firewall, mtu, ports, nerdctl, hasRoute] = await Promise.all([
    server && answerOf(server, now),
    quietly(readKernel),
    quietly(readDns),
    quietly(readFirewall),
    quietly(readMtu),
    quietly(() => readPorts(home)),
    quietly(() => readNerdctl(cachePath(process.env))),
    quietly(async () => (await defaultDevice()) !== undefined),
  ]);
  return {
    cgroups: readCgroups(),
    kernel,
    dns,
    firewall,
    mtu,
    ports,
    nerdctl,
    disk: readDisk(home.path),
    ...(server && network?.aheadMs !== undefined && { clock: { server: server.url, aheadMs: network.aheadMs } }),
    ...(hasRoute !== undefined && {
      uplink: { hasRoute, ...(server && { server: { url: server.url, error: network?.error } }) },
    }),
  };
}

const quietly = <T>(read: () => Promise<T>): Promise<T | undefined> => read().catch(() => undefined);

async function said(program: string, ...args: string[]): Promise<string> {
  const done = await run(program, args, { timeoutMs: COMMAND_TIMEOUT_MS });
  if (done.code !== 0) throw new Error(`${program} ended with ${done.code}: ${done.stderr.trim()}`);
  return done.stdout;
}

function readCgroups(): Facts["cgroups"] {
  const version = cgroupVersion();
  try {
    if (version === 2)
      return { version, controllers: readFileSync("/sys/fs/cgroup/cgroup.controllers", "utf8").trim().split(/\s+/) };
    const mounted = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => / - cgroup /.test(line));
    const controllers = mounted.flatMap((line) => line.split(" ").at(-1)?.split(",") ?? []);
    return { version, controllers };
  } catch {
    return undefined;
  }
}

/** Tried in a network of its own, which ends with the trial: only that loads modules, and tells what is built in. */
const TRIALS = [
  { what: "virtual Ethernet", modules: ["veth"], script: "ip link add trial0 type veth peer name trial1" },
  { what: "bridges", modules: ["bridge"], script: "ip link add trial0 type bridge" },
  {
    what: "address translation by nftables",
    modules: ["nft_chain_nat", "nft_masq"],
    script: "nft 'table ip trial { chain c { type nat hook postrouting priority 100; masquerade; }; }'",
  },
  {
    what: "connection tracking in nftables",
    modules: ["nf_conntrack", "nft_ct"],
    script: "nft 'table ip trial { chain c { type filter hook forward priority 0; ct state new accept; }; }'",
  },
];

async function readKernel(): Promise<Facts["kernel"]> {
  if (process.getuid?.() !== 0) return undefined;
  const found = TRIALS.map(async ({ what, modules, script }) => {
    const program = script.split(" ")[0] ?? "";
    if (!which(program)) return [];
    const done = await run("unshare", ["--net", "sh", "-c", script], { timeoutMs: COMMAND_TIMEOUT_MS });
    return [{ what, modules, works: done.code === 0, said: done.stderr.trim().split("\n")[0] ?? "" }];
  });
  await run("modprobe", ["-q", "overlay"], { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => {});
  const overlay = /\boverlay$/m.test(readFileSync("/proc/filesystems", "utf8"));
  return [
    ...(await Promise.all(found)).flat(),
    { what: "overlay file system", modules: ["overlay"], works: overlay, said: "" },
  ];
}

async function readDns(): Promise<Facts["dns"]> {
  const { servers } = readNodeResolvers();
  const ask = async (address: string) => {
    const resolver = new Resolver({ timeout: NETWORK_TIMEOUT_MS, tries: 1 });
    resolver.setServers([address]);
    // What it says is no matter: even a refusal is an answer.
    const failed = await resolver.resolveNs(".").then(
      () => "",
      (error: NodeJS.ErrnoException) => error.code ?? "",
    );
    return { address, answers: !["ETIMEOUT", "ECONNREFUSED", "ECANCELLED", "EDESTRUCTION"].includes(failed) };
  };
  return { servers: await Promise.all(servers.map(ask)) };
}

async function readFirewall(): Promise<Facts["firewall"]> {
  return dropping(JSON.parse(await said("nft", "-j", "list", "ruleset")) as Ruleset);
}

async function defaultDevice(): Promise<string | undefined> {
  const routes = JSON.parse((await said("ip", "-j", "route", "show", "default")) || "[]") as { dev?: string }[];
  return routes[0]?.dev;
}

async function readMtu(): Promise<Facts["mtu"]> {
  const device = await defaultDevice();
  if (!device) return undefined;
  const links = JSON.parse(await said("ip", "-j", "link", "show")) as { ifname: string; mtu: number }[];
  const bytes = links.find(({ ifname }) => ifname === device)?.mtu;
  const tunnel = links.find(({ ifname }) => ifname.startsWith("sw-"));
  if (bytes === undefined) return undefined;
  return { device, bytes, ...(tunnel && { tunnel: { device: tunnel.ifname, bytes: tunnel.mtu } }) };
}

/** The home may be yet to be made. */
function readDisk(home: string): Facts["disk"] {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, blocks, bsize, ffree, files: inodes } = statfsSync(folder);
  return {
    folder,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeInodes: ffree,
    totalInodes: inodes,
    isWritable: isWritable(folder),
  };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EROFS";
  }
}

const OURS = /skerry|workerd|agent\/main\.ts/;

async function readPorts(home: Home): Promise<Facts["ports"]> {
  const isHost = hasControlPlane(home.path) || !readIdentity(home.path);
  const wanted = [
    ...(isHost ? [{ port: home.port, use: "the API", isNeeded: true }] : []),
    { port: readIdentity(home.path)?.kubeletPort ?? 10_250, use: "the node's own API", isNeeded: false },
    { port: 80, use: "Ingresses", isNeeded: false },
    { port: 443, use: "Ingresses", isNeeded: false },
  ];
  const lines = (await said("ss", "-Htlnp")).split("\n").filter(Boolean);
  const isOurs = (pid: string) => OURS.test(readText(`/proc/${pid}/cmdline`));
  return held(wanted, lines, { isOurs, seesAll: process.getuid?.() === 0 });
}

async function readNerdctl(cache: string): Promise<Facts["nerdctl"]> {
  const paths = [which("nerdctl"), join(cache, "bin/nerdctl")].filter((path) => path !== undefined && existsSync(path));
  return Promise.all(
    paths.map(async (path = "") => {
      const words = await said(path, "--version").catch(() => "");
      return { path, version: /nerdctl version v?(\S+)/.exec(words)?.[1] ?? "" };
    }),
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
