import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { REMOVAL } from "../../test/support/cluster.ts";
import { effects } from "../effects.ts";
import { spawn } from "../process.ts";
import { announceAgent, answerRequest, beAlone, readRequest, requestShutdown } from "./shutdown-request.ts";

/** A home, and a program in it that looks as an agent does to others. */
async function homeWithAgent() {
  const path = mkdtempSync(join(tmpdir(), "skerry-request-"));
  const script = `trap ': >"${path}/signalled"' USR2; echo ready; while :; do sleep 0.05; done`;
  const agent = spawn("/bin/sh", ["-c", script, "main.ts", "agent"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => {
    agent.kill("SIGKILL");
    rmSync(path, REMOVAL); // it may just be writing there
  });
  await once(agent.stdout as NodeJS.ReadableStream, "data");
  writeFileSync(join(path, "agent.pid"), `${agent.pid}\n`);
  return { home: { path, port: 1 }, agent };
}

const never = { ...effects, sleep: async () => {} };
const times = { gracePeriod: 30, gracePeriodCriticalPods: 10 };

test("a second agent of a home waits for the first, and gives up where that stays", async () => {
  const { home, agent } = await homeWithAgent();
  await expect(beAlone(home.path, never)).rejects.toThrow(`an agent of ${home.path} runs already (pid ${agent.pid})`);
  const alone = beAlone(home.path, effects);
  agent.kill("SIGKILL");
  await alone;
  announceAgent(home.path);
  expect(Number(readFileSync(join(home.path, "agent.pid"), "utf8"))).toBe(process.pid);
  await beAlone(home.path, never);
});

test("whoever asks for a shutdown hears when it is done", async () => {
  const { home } = await homeWithAgent();
  const said: string[] = [];
  const asked = requestShutdown(home, times, effects, (message) => said.push(message));
  await expect
    .poll(() => readRequest(home.path))
    .toEqual({
      periods: [
        { priority: 0, seconds: 20 },
        { priority: 2_000_000_000, seconds: 10 },
      ],
    });
  expect(said).toEqual([]);
  answerRequest(home.path);
  await asked;
  expect(said[0]).toContain("the node's pods have ended");
});

test("without an agent nobody is asked, and one that ends meanwhile is told of", async () => {
  const { home, agent } = await homeWithAgent();
  const asked = requestShutdown(home, times, effects, () => {});
  agent.kill("SIGKILL");
  await expect(asked).rejects.toThrow("the agent ended before the pods had");
  await expect(requestShutdown(home, times, effects, () => {})).rejects.toThrow("no agent of");
});
