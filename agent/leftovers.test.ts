import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { effects } from "./effects.ts";
import { endLeftovers } from "./leftovers.ts";
import { spawn } from "./process.ts";

test("commands of this node that change containers are ended, those of other nodes and keepers are not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-leftovers-"));
  writeFileSync(join(folder, "run"), "console.log('ready'); setTimeout(() => {}, 60_000);");
  const start = async (toml: string, ...args: string[]) => {
    const env = { ...process.env, NERDCTL_TOML: toml };
    const child = spawn(process.execPath, ["run", ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    if (child.stdout) await once(child.stdout, "data");
    return child;
  };
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [mine, keeper, other] = await Promise.all([start("/a", "-d"), start("/a", "-i"), start("/b", "-d")]);
  const ended = once(mine, "exit");
  await endLeftovers("/a", effects);
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect([keeper.exitCode, keeper.signalCode, other.exitCode, other.signalCode]).toEqual([null, null, null, null]);
});
