/** Finds what a node needs, and installs what is missing: containerd, runc, nftables, nerdctl. */
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
} from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { release, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { errorText } from "../../worker/lib/error-text.ts";
import { run } from "../process.ts";

export type Progress = (message: string) => void;

/** A program that a node needs and the Debian or Ubuntu package that brings it. */
const PROGRAMS: readonly { program: string; package: string }[] = [
  { program: "containerd", package: "containerd" },
  { program: "runc", package: "runc" },
  { program: "ip", package: "iproute2" },
  { program: "nft", package: "nftables" },
  { program: "iptables", package: "iptables" }, // to let pods through firewalls that were set up with it
  { program: "conntrack", package: "conntrack" },
];
/**
 * Brought along where something is installed anyway: what tells a network that a load balancer's address has moved, and
 * WireGuard for nodes on other networks.
 */
const WELCOME: typeof PROGRAMS = [
  { program: "arping", package: "iputils-arping" },
  { program: "wg", package: "wireguard-tools" },
];
/** Where the kernel has no WireGuard of its own. */
const USERSPACE_WIREGUARD = { program: "wireguard-go", package: "wireguard-go" };
const kernelHasWireguard = () =>
  existsSync("/sys/module/wireguard") || existsSync(`/lib/modules/${release()}/kernel/drivers/net/wireguard`);
/** Where programs lie, whatever PATH says. */
export const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

const NERDCTL_VERSION = "2.0.0";
const NERDCTL_ARCHIVES: Record<string, string> = {
  x64: `nerdctl-${NERDCTL_VERSION}-linux-amd64.tar.gz`,
  arm64: `nerdctl-${NERDCTL_VERSION}-linux-arm64.tar.gz`,
};
const NERDCTL_RELEASE = `https://github.com/containerd/nerdctl/releases/download/v${NERDCTL_VERSION}`;
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** The first file of this name on the path, or in the system's folders, that may be run. */
export function which(program: string, extra: readonly string[] = []): string | undefined {
  const folders = [...extra, ...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Installs what a node's agent uses, as far as it is missing; where nerdctl is then. */
export async function ensureTools(cache: string, progress: Progress): Promise<{ nerdctl: string }> {
  const missing = PROGRAMS.filter(({ program }) => !which(program)).map((p) => p.package);
  if (missing.length > 0) {
    await installPackages(missing, progress);
    const welcome = [...WELCOME, ...(kernelHasWireguard() ? [] : [USERSPACE_WIREGUARD])];
    for (const { program, package: name } of welcome)
      if (!which(program)) await installPackages([name], progress).catch((error) => progress(errorText(error)));
  }
  const nerdctl = (await findNerdctl(cache)) ?? (await installNerdctl(cache, progress));
  if (!which("containerd")) throw new Error("containerd is still missing after the installation");
  return { nerdctl };
}

async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
  if (!which("apt-get"))
    throw new Error(
      `missing: ${packages.join(", ")}. Install them with this system's package manager, then start again.`,
    );
  progress(`installing ${packages.join(", ")} with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const update = await run("apt-get", ["update", "-q"], { env });
  const install = await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], { env });
  if (install.code !== 0)
    throw new Error(
      `apt-get could not install ${packages.join(", ")}:\n${update.code ? update.stderr : ""}${install.stderr}`,
    );
}

async function findNerdctl(cache: string): Promise<string | undefined> {
  for (const path of [which("nerdctl"), join(cache, "bin/nerdctl")]) {
    if (!path || !isExecutable(path)) continue;
    const { code, stdout } = await run(path, ["--version"]);
    if (code === 0 && /nerdctl version v?2\./.test(stdout)) return path;
  }
  return undefined;
}

/** The distribution's package, then the official release, then the source with pinned checksums: the first that works. */
async function installNerdctl(cache: string, progress: Progress): Promise<string> {
  const target = join(cache, "bin/nerdctl");
  mkdirSync(join(cache, "bin"), { recursive: true });
  const tried: string[] = [];
  for (const [name, install] of [
    ["the distribution's package", fromPackage],
    ["the official release archive", fromRelease],
    ["its Go module", fromSource],
  ] as const) {
    progress(`nerdctl: trying ${name}`);
    try {
      await install(target, progress);
      const found = await findNerdctl(cache);
      if (found) return found;
      tried.push(`${name}: no usable nerdctl 2`);
    } catch (error) {
      tried.push(`${name}: ${errorText(error)}`);
    }
  }
  throw new Error(`nerdctl could not be installed.\n  ${tried.join("\n  ")}`);
}

async function fromPackage(): Promise<void> {
  const policy = await run("apt-cache", ["policy", "nerdctl"]);
  const candidate = /Candidate: (\S+)/.exec(policy.stdout)?.[1];
  if (!candidate?.startsWith("2.")) throw new Error("none of version 2");
  await installPackages(["nerdctl"], () => {});
}

async function fromRelease(target: string): Promise<void> {
  const archive = NERDCTL_ARCHIVES[process.arch];
  if (!archive) throw new Error(`none for ${process.arch}`);
  const signal = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
  const sums = await (await fetch(`${NERDCTL_RELEASE}/SHA256SUMS`, { signal })).text();
  const expected = sums
    .split("\n")
    .find((line) => line.endsWith(archive))
    ?.split(/\s+/)[0];
  const bytes = Buffer.from(await (await fetch(`${NERDCTL_RELEASE}/${archive}`, { signal })).arrayBuffer());
  if (createHash("sha256").update(bytes).digest("hex") !== expected) throw new Error("its checksum is wrong");
  await inTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "archive.tar.gz"), bytes);
    await checked("tar", ["-xzf", "archive.tar.gz", "nerdctl"], folder);
    place(join(folder, "nerdctl"), target);
  });
}

async function fromSource(target: string, progress: Progress): Promise<void> {
  const go = which("go", ["/usr/local/go/bin"]);
  if (!go) throw new Error("no Go toolchain");
  progress("building nerdctl from its Go module; this takes about three minutes, once");
  await inTemporaryFolder(async (folder) => {
    const module = join(import.meta.dirname, "nerdctl-module");
    for (const file of ["go.mod", "go.sum", "tools.go"])
      await writeFile(join(folder, file), await readFile(join(module, file)));
    const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GOTOOLCHAIN: "local" };
    await checked(go, ["build", "-o", "nerdctl", "github.com/containerd/nerdctl/v2/cmd/nerdctl"], folder, env);
    place(join(folder, "nerdctl"), target);
  });
}

async function checked(command: string, args: readonly string[], cwd: string, env = process.env): Promise<void> {
  const { code, stderr } = await run(command, args, { cwd, env });
  if (code !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr.trim().split("\n").slice(-3).join(" ")}`);
}

async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "skerry-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whole or not at all, though the temporary folder may be on another file system. */
function place(from: string, target: string): void {
  cpSync(from, `${target}.new`);
  chmodSync(`${target}.new`, 0o755);
  renameSync(`${target}.new`, target);
}
