/** client-go's informers while the control plane is killed again and again: what their caches hold is what is there. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { effects } from "../../agent/effects.ts";
import { spawn } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { ownProgram } from "../support/upstream.ts";

const KILLS = 50;
/** From an answer of the control plane to its next death, at most: some come before informers are back. */
const LIFE_MS = 1_000;

type Report = {
  Writes: number;
  Failures: number;
  Events: number;
  Watches: number;
  Informers: number;
  Answers: Record<string, number>;
  Objects: number;
  Faults: string[];
};

let cluster: TestCluster;
let informer: string;
let workerd: { path: string; child: ChildProcess };

beforeAll(async () => {
  informer = await ownProgram(join(import.meta.dirname, "programs"), "informer", console.log);
  cluster = await TestCluster.start({ flags: ["--no-agent", "--no-controllers"] });
  // The test takes the supervisor's place, which lets a control plane that dies often wait before its next start.
  const path = readlinkSync(`/proc/${cluster.pid("workerd")}/exe`);
  await cluster.skerry("down");
  await cluster.supervisorGone();
  workerd = { path, child: await start(path) };
});
afterAll(async () => {
  workerd?.child.kill("SIGKILL");
  await cluster?.stop();
});

async function start(path: string): Promise<ChildProcess> {
  const serve = ["--pdeathsig", "KILL", path, "serve", join(cluster.home, "workerd.capnp")];
  const log = openSync(join(cluster.home, "log/workerd.log"), "a");
  const child = spawn("setpriv", serve, { stdio: ["ignore", log, log] });
  closeSync(log);
  await eventually("it answers", async () => (await cluster.kubectl("get --raw /readyz")).stdout === "ok").catch(
    (error) => {
      throw new Error(`${error.message}\n${cluster.logs()}`);
    },
  );
  return child;
}

async function killAndStart(): Promise<void> {
  // Until it has ended altogether, the port is its own.
  const ended = new Promise((resolve) => workerd.child.once("exit", resolve));
  workerd.child.kill("SIGKILL");
  await ended;
  workerd.child = await start(workerd.path);
}

/** Follows and writes until `stop`. */
function follow(name: string, watchList: boolean): { stop(): Promise<Report> } {
  const env = { ...cluster.environment, KUBE_FEATURE_WatchListClient: String(watchList) };
  const child = spawn(informer, ["--name", name], { env, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  return {
    async stop() {
      child.stdin?.end();
      const code = await ended;
      if (code !== 0) throw new Error(`the informer ended with ${code}: ${stderr.slice(-3000)}`);
      return JSON.parse(stdout) as Report;
    },
  };
}

describe(`${KILLS} kills`, () => {
  test("leave every cache as the server's state, by lists and by streamed lists, and lose no acknowledged write", async () => {
    const followers = { listed: follow("listed", false), streamed: follow("streamed", true) };
    for (let kill = 0; kill < KILLS; kill++) {
      await effects.sleep((LIFE_MS * (kill % 5)) / 4);
      await killAndStart();
    }
    for (const [name, follower] of Object.entries(followers)) {
      const report = await follower.stop();
      console.log(name, JSON.stringify(report));
      expect(report.Faults).toEqual([]);
      // How often informers come back between two kills is for the machine to say; they do again and again.
      expect(report.Writes).toBeGreaterThan(2 * KILLS);
      expect(report.Watches).toBeGreaterThan(2 * KILLS);
      const spoken = Object.keys(report.Answers).filter((answer) => answer.startsWith("protobuf "));
      expect(spoken.filter((answer) => !answer.endsWith(" application/vnd.kubernetes.protobuf"))).toEqual([]);
    }
  });
});
