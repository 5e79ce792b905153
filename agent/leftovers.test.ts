import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { effects } from "./effects.ts";
import { endLeftovers } from "./leftovers.ts";
import { spawn } from "./process.ts";

test("commands of this node that change containers are ended, other commands and those of other nodes are not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-leftovers-"));
  for (const command of ["create", "exec"])
    writeFileSync(join(folder, command), "console.log('ready'); setTimeout(() => {}, 1_000_000);");
  const start = async (toml: string, command: string) => {
    const env = { ...process.env, NERDCTL_TOML: toml };
    const child = spawn(process.execPath, [command], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    if (child.stdout) await once(child.stdout, "data");
    return child;
  };
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [mine, other, foreign] = await Promise.all([start("/a", "create"), start("/a", "exec"), start("/b", "create")]);
  const ended = once(mine, "exit");
  await endLeftovers("/a", effects);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect([other.exitCode, other.signalCode, foreign.exitCode, foreign.signalCode]).toEqual([null, null, null, null]);
});
