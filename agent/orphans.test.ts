import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isAlive } from "../test/support/cluster.ts";
import { effects } from "./effects.ts";
import { endOrphans } from "./orphans.ts";
import { spawn } from "./process.ts";

test("what runs under a shim that containerd has no record of is ended, and no other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-orphans-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const shim = join(folder, "containerd-shim-test");
  writeFileSync(shim, "#!/bin/sh\nsleep 1000 & echo $!; wait\n", { mode: 0o755 });
  const start = async (id: string, socket: string) => {
    // A script's interpreter comes first in its command line, which a shim's own name does.
    const args = ["-c", `. ${shim}`, "-namespace", "skerry", "-id", id, "-address", socket];
    const child = spawn("/bin/sh", args, { argv0: shim, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [said] = child.stdout ? await once(child.stdout, "data") : [""];
    const inside = Number(String(said));
    onTestFinished(() => void spawn("kill", ["-9", String(inside)], { stdio: "ignore" }));
    return { child, inside };
  };
  mkdirSync(join(folder, "state/io.containerd.runtime.v2.task/skerry/known"), { recursive: true });
  const socket = join(folder, "containerd.sock");
  const [lost, known, foreign] = await Promise.all([
    start("lost", socket),
    start("known", socket),
    start("lost", "/x"),
  ]);
  const ended = once(lost.child, "exit");
  expect(await endOrphans({ folder, socket, namespace: "skerry" }, effects)).toBeGreaterThan(0);
  await ended;
  await expect.poll(() => isAlive(lost.inside)).toBe(false);
  for (const { child, inside } of [known, foreign]) {
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    expect(process.kill(inside, 0)).toBe(true);
  }
});

const LISTENER = `require("node:net").createServer().listen(process.argv.at(-1), () => console.log("listens"))`;

test.each([
  ["address", (path: string) => `unix://${path}`],
  ["bootstrap.json", (path: string) => JSON.stringify({ version: 2, address: `unix://${path}`, protocol: "ttrpc" })],
])("a shim that serves a container by its %s stays when the one that it is called by is gone", async (name, text) => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-orphans-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, "containerd.sock");
  const address = join(folder, "shim.sock");
  const args = ["-e", LISTENER, "--", "-namespace", "skerry", "-id", "first", "-address", socket, address];
  const shim = spawn(process.execPath, args, { argv0: "containerd-shim-test", stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void shim.kill("SIGKILL"));
  if (shim.stdout) await once(shim.stdout, "data");
  const record = join(folder, "state/io.containerd.runtime.v2.task/skerry/second");
  mkdirSync(record, { recursive: true });
  writeFileSync(join(record, name), text(address));
  const runtime = { folder, socket, namespace: "skerry" };
  expect(await endOrphans(runtime, effects)).toBe(0);
  rmSync(record, { recursive: true });
  expect(await endOrphans(runtime, effects)).toBe(1);
});
