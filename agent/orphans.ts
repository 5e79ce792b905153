/**
 * Containers of a node that lost its disk: they run, and the containerd that began anew knows nothing of them. Their
 * pods are started anew, so what is left of them is ended first.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Timers } from "./effects.ts";
import { signalProcess } from "./pods/processes.ts";

const LOOK_EVERY_MS = 20;
const END_TIMEOUT_MS = 10_000;
const PATIENCE_MS = 2_000;
const SHIM = /(^|\/)containerd-shim-/;

/** `folder` is containerd's own, of this node; `namespace` the one that its containers live in. */
export type Runtime = { folder: string; socket: string; namespace: string };

/** Ends shims that containerd has no record of, and all that runs under them. Rejects when they do not end. */
export async function endOrphans(runtime: Runtime, timers: Timers): Promise<number> {
  const found = new Set<number>();
  // A shim that is on its way out has no record any more either.
  if (orphans(runtime).length) await timers.sleep(PATIENCE_MS);
  for (let waited = 0; waited < END_TIMEOUT_MS; waited += LOOK_EVERY_MS) {
    const left = orphans(runtime);
    if (!left.length) return found.size;
    for (const pid of left) {
      found.add(pid);
      signalProcess(pid, "SIGKILL");
    }
    await timers.sleep(LOOK_EVERY_MS);
  }
  throw new Error("containers of an earlier installation do not end");
}

/** What runs in containers first: without their shims nobody could find it any more. */
function orphans({ folder, socket, namespace }: Runtime): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  const records = join(folder, "state/io.containerd.runtime.v2.task", namespace);
  const isOrphan = (pid: number): boolean => {
    const args = read(`/proc/${pid}/cmdline`).split("\0");
    if (!SHIM.test(args[0] ?? "") || flagOf(args, "-address") !== socket) return false;
    return !existsSync(join(records, flagOf(args, "-id"))) && !serves(pid, records);
  };
  const shims = new Set(pids.filter(isOrphan));
  if (!shims.size) return [];
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const isUnder = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent > 1 && (shims.has(parent) || isUnder(parent));
  };
  const inside = pids.filter((pid) => !shims.has(pid) && isUnder(pid));
  return inside.length ? inside : [...shims];
}

/** A shim is called by the first of its containers, and stays for the others when that one is gone. */
function serves(shim: number, records: string): boolean {
  const listening = new Map(
    read("/proc/net/unix")
      .split("\n")
      .flatMap((line) => {
        const [inode, path] = line.split(/\s+/).slice(6);
        return inode && path ? [[inode, path] as const] : [];
      }),
  );
  const own = new Set(socketsOf(shim).map((inode) => listening.get(inode)));
  return namesIn(records).some((id) => own.has(addressIn(join(records, id))));
}

/** Where the shim of a container listens, as containerd remembers it: since its version 2 in the second of the files. */
function addressIn(record: string): string {
  const [address, bootstrap] = ["address", "bootstrap.json"].map((name) => read(join(record, name)));
  const url = address || /"address":\s*"([^"]*)"/.exec(bootstrap ?? "")?.[1];
  return (url ?? "").trim().replace(/^unix:\/\//, "");
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return namesIn(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(linkAt(join(folder, fd)))?.[1] ?? []);
}

const flagOf = (args: readonly string[], flag: string): string => args[args.indexOf(flag) + 1] ?? "";

/** See proc(5), /proc/pid/stat. */
function parentOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended
  }
}
