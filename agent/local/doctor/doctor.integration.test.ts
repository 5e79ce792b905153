/** `skerry doctor` on a machine that has the faults: a network namespace with a disk, programs and resolvers of its own. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checked } from "../../../test/support/programs.ts";
import { run, spawn } from "../../process.ts";
import type { Examined } from "./doctor.ts";

const MAIN = join(import.meta.dirname, "../../main.ts");
const NAMESPACE = `sktest-${process.pid}-ill`;
const TIMEOUT_MS = 300_000;

/** Answers all with an hour ago, holds the port of the API too, and says when it listens. */
const LATE = `
const { createServer } = require("node:http");
const late = createServer((_, response) => {
  response.sendDate = false;
  response.setHeader("date", new Date(Date.now() - 3600000).toUTCString()).end("ok");
});
const other = createServer();
late.listen(8080, "127.0.0.1", () => other.listen(6443, "127.0.0.1", () => console.log("listens")));
`;

let folder: string;
let server: ReturnType<typeof spawn>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "skerry-doctor-"));
  for (const name of ["home", "bin", "cache", "cgroup"]) mkdirSync(join(folder, name));
  await checked("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", join(folder, "home")]);
  writeFileSync(join(folder, "home/full"), Buffer.alloc(1000 * 1024));
  writeFileSync(join(folder, "resolv.conf"), "nameserver 127.0.0.9\n");
  for (const [name, script] of [
    ["nerdctl", 'echo "nerdctl version 1.7.6"'],
    // A kernel that has no bridges.
    [
      "ip",
      'case "$*" in *"type bridge") echo "Error: Unknown device type." >&2; exit 2;; esac; exec /usr/sbin/ip "$@"',
    ],
  ] as const) {
    writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "bin", name), 0o755);
  }
  await checked("ip", ["netns", "add", NAMESPACE]);
  const inside = (...args: string[]) => checked("ip", ["netns", "exec", NAMESPACE, ...args]);
  await inside("ip", "link", "set", "lo", "up");
  await inside("ip", "link", "add", "odd0", "mtu", "1000", "type", "veth", "peer", "name", "odd1");
  await inside("ip", "address", "add", "198.51.100.2/24", "dev", "odd0");
  for (const device of ["odd0", "odd1"]) await inside("ip", "link", "set", device, "up");
  await inside("ip", "route", "add", "default", "via", "198.51.100.1");
  await inside("nft", "table inet own { chain guard { type filter hook forward priority 0; policy drop; }; }");
  server = spawn("ip", ["netns", "exec", NAMESPACE, process.execPath, "-e", LATE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => server.stdout?.once("data", resolve));
});

afterAll(async () => {
  server?.kill("SIGKILL");
  await run("ip", ["netns", "delete", NAMESPACE]);
  await run("umount", [join(folder, "home")]);
  rmSync(folder, { recursive: true, force: true });
});

/** In the namespace, where other resolvers and cgroups without controllers are seen. */
async function doctor(...args: string[]): Promise<{ code: number; checks: Map<string, Examined> }> {
  const script = `
    mount --bind "$1/resolv.conf" /etc/resolv.conf && mount -t tmpfs tmpfs /sys/fs/cgroup &&
    touch /sys/fs/cgroup/cgroup.controllers; shift; exec "$@"`;
  const command = [process.execPath, MAIN, "doctor", "--json", ...args];
  const env = {
    ...process.env,
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    SKERRY_HOME: join(folder, "home"),
    SKERRY_CACHE: join(folder, "cache"),
    SKERRY_PORT: "6443",
  };
  const words = [`--net=/run/netns/${NAMESPACE}`, "unshare", "-m", "sh", "-c", script, "sh", folder, ...command];
  const done = await run("nsenter", words, { env, timeoutMs: TIMEOUT_MS });
  if (!done.stdout) throw new Error(done.stderr);
  const examined = JSON.parse(done.stdout) as Examined[];
  return { code: done.code, checks: new Map(examined.map((one) => [one.check, one])) };
}

const worst = (one: Examined | undefined) => `${one?.state}: ${one?.findings.map(({ cause }) => cause).join(" ")}`;

test("each of the usual faults is found on a machine that has them all", async () => {
  const { code, checks } = await doctor("--server", "http://127.0.0.1:8080");
  expect(code).toBe(2);
  expect(worst(checks.get("cgroups"))).toMatch(/^fault: .*lack cpu, memory, pids/);
  expect(worst(checks.get("kernel"))).toContain("The kernel has no bridges: Error: Unknown device type.");
  expect(worst(checks.get("clock"))).toMatch(/^fault: The clock is 3[56]\d\d s ahead of that of http:/);
  expect(worst(checks.get("dns"))).toBe("fault: 127.0.0.9 gives no answer: no name is found.");
  expect(worst(checks.get("firewall"))).toMatch(/^fault: The chain guard of table inet own drops/);
  expect(worst(checks.get("mtu"))).toMatch(/^fault: odd0 takes packets of 1000 bytes/);
  expect(worst(checks.get("disk"))).toMatch(/^fault: The disk of .*pods are evicted/);
  expect(worst(checks.get("ports"))).toMatch(/^fault: Port 6443, for the API, is taken by \S+ \(pid \d+\)/);
  expect(worst(checks.get("nerdctl"))).toMatch(/^fault: .*nerdctl is of version 1\.7\.6/);
  expect(checks.get("uplink")?.state).toBe("well");
});

test("a server to which nothing gets through, and no way out at all, are told", async () => {
  await checked("ip", ["-n", NAMESPACE, "route", "delete", "default"]);
  const { code, checks } = await doctor("--server", "https://203.0.113.9");
  expect(code).toBe(2);
  const uplink = worst(checks.get("uplink"));
  expect(uplink).toContain("There is no default route.");
  expect(uplink).toContain("https://203.0.113.9 is not reached: ");
  expect(checks.get("clock")?.state).toBe("unknown");
});
