/** `skerry service`: this machine's node under systemd, from boot on. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Containerd } from "../containerd.ts";
import { steadyEffects } from "../effects.ts";
import { down } from "../local/commands.ts";
import { files, type Home, writeFile } from "../local/home.ts";
import { type Progress, which } from "../local/install.ts";
import { readIdentity } from "../local/join.ts";
import { runningSupervisor, thisProgram } from "../local/prepare.ts";
import { endAgent } from "../node/shutdown-request.ts";
import { run } from "../process.ts";
import { belongsTo, type ShutdownSettings, type Unit, unitsFor } from "./units.ts";

const FOLDER = "/etc/systemd/system";
/** As sd_booted(3) finds out. */
const RUNNING = "/run/systemd/system";

export type ServiceOptions = ShutdownSettings & {
  name: string;
  /** Prints the units instead. */
  print?: boolean;
  /** Flags of `up`, where this machine has the control plane. */
  flags: readonly string[];
};

function unitsOf(home: Home, options: ServiceOptions): Unit[] {
  const { name, total, critical, flags } = options;
  const hasControlPlane = existsSync(files(home.path).secret);
  if (!hasControlPlane && !readIdentity(home.path))
    throw new Error(`${home.path} belongs to no cluster yet: \`skerry join\` first, or \`skerry up\``);
  const containerd = which("containerd");
  if (!containerd) throw new Error("containerd is not installed yet: `skerry join` or `skerry up` installs it");
  return unitsFor({
    name,
    home: home.path,
    port: home.port,
    program: thisProgram(),
    containerd,
    role: hasControlPlane ? "cluster" : "agent",
    flags,
    shutdown: { total, critical },
  });
}

/** Writes the units and enables them; they start now, in the place of what runs in a terminal, and at each boot. */
export async function installService(home: Home, options: ServiceOptions, progress: Progress): Promise<void> {
  const units = unitsOf(home, options);
  if (options.print) {
    for (const { name, text } of units) process.stdout.write(`# ${join(FOLDER, name)}\n${text}\n`);
    return;
  }
  if (!existsSync(RUNNING)) throw new Error("systemd does not run this machine: --print shows the units");
  new Containerd({ home: home.path, timers: steadyEffects, log: progress }).writeSettings();
  for (const { name, text } of units) writeFile(join(FOLDER, name), text, 0o644);
  await systemctl("daemon-reload");
  if (runningSupervisor(home.path)) await down(home, false, progress, steadyEffects);
  await endAgent(home.path, steadyEffects);
  await systemctl("enable", "--now", ...units.map(({ name }) => name));
  progress(`${units.map(({ name }) => name).join(", ")} run now, and at each boot`);
}

/** Containers go on. */
export async function removeService(name: string, progress: Progress): Promise<void> {
  const names = ["-shutdown", "", "-containerd"].map((part) => `${name}${part}.service`);
  const there = names.filter((unit) => existsSync(join(FOLDER, unit)));
  if (!there.length) throw new Error(`${FOLDER} has no ${name}.service`);
  await removeUnits(there, progress);
}

/** Those of a home, whatever their names, the first to be stopped first. */
export function unitsOfHome(home: string, folder = FOLDER): string[] {
  if (!existsSync(folder)) return [];
  const units = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && isUnit(entry.name));
  const names = units
    .map(({ name }) => name)
    .filter((name) => belongsTo(home, readFileSync(join(folder, name), "utf8")));
  return names.toSorted((a, b) => b.length - a.length);
}

const isUnit = (name: string): boolean => name.endsWith(".service");

/** Takes units away. What they run goes on where it is containers. */
export async function removeUnits(units: readonly string[], progress: Progress): Promise<void> {
  if (!units.length) return;
  if (existsSync(RUNNING)) {
    // Stopping this one would end the pods: only its files go.
    await systemctl("disable", ...units);
    await systemctl("stop", ...units.filter((unit) => !unit.includes("-shutdown")));
  }
  for (const unit of units) rmSync(join(FOLDER, unit));
  if (existsSync(RUNNING)) await systemctl("daemon-reload");
  progress(`${units.join(", ")} are gone; containers go on`);
}

async function systemctl(...args: string[]): Promise<void> {
  const { code, stderr } = await run("systemctl", args, { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`systemctl ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
}
