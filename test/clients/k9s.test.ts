/** k9s in a terminal: what it shows is what is there, and goes on to be. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { spawn } from "../../agent/process.ts";
import { eventually, TestCluster } from "../support/cluster.ts";
import { upstreamProgram } from "../support/upstream.ts";

const CONTROL_D = "\u0004";
const ESCAPE = "\u001b";
const ENTER = "\r";

let cluster: TestCluster;
let folder: string;
let k9s: string;
let terminal: ChildProcess;
let seen = "";

beforeAll(async () => {
  k9s = await upstreamProgram("k9s", console.log);
  cluster = await TestCluster.start({ flags: ["--no-agent"] });
  await cluster.ok("create configmap colors --from-literal=sky=blue");
  await cluster.ok("create deployment web --image=busybox:test --replicas=2");
  folder = mkdtempSync(join(tmpdir(), "skerry-k9s-"));
});
afterAll(async () => {
  terminal?.kill();
  await cluster?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  const command = `stty rows 50 cols 200; exec ${k9s} -n default -c pods --splashless --logFile ${folder}/log --refresh 1`;
  terminal = spawn("script", ["-qec", command, "/dev/null"], {
    env: { ...cluster.environment, TERM: "xterm-256color", K9S_CONFIG_DIR: folder },
    stdio: ["pipe", "pipe", "inherit"],
  });
  terminal.stdout?.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
  });
}

const type = (keys: string) => terminal.stdin?.write(keys);
/**
 * Text that comes to the screen from when keys are typed, or something else is done: what is there already is not drawn
 * again. Colours and moves of the cursor are left out.
 */
async function shows(act: string | (() => Promise<unknown>), ...patterns: RegExp[]): Promise<void> {
  seen = "";
  if (typeof act === "string") type(act);
  else await act();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told by them
  const text = () => seen.replaceAll(/\u001b\[[0-9;?]*[a-zA-Z]|\u001b\([A-Z]/g, "");
  for (const pattern of patterns) await eventually(`${pattern} is shown`, async () => pattern.test(text()));
}

test("it lists pods, and sees others come", async () => {
  await shows(begin, /web-[a-z0-9]+-[a-z0-9]{5}/, /Pending/);
  await shows(() => cluster.ok("run later --image=busybox:test"), /later/);
});

test("it finds other kinds by their short names", async () => {
  await shows(`:cm${ENTER}`, /colors/, /kube-root-ca\.crt/);
  await shows(`:deploy${ENTER}`, /web/, /0\/2/);
});

test("it shows an object as YAML and describes it", async () => {
  await shows(`:cm default${ENTER}`, /colors/);
  await shows("y", /sky/, /ConfigMap/);
  await shows(ESCAPE, /colors/);
  await shows("d", /Namespace:/, /sky/);
  await shows(ESCAPE, /colors/);
});

test("it deletes what it is told to", async () => {
  await shows(CONTROL_D, /Delete/);
  type(`\t${ENTER}`);
  await eventually("it is gone", async () => /NotFound/.test((await cluster.kubectl("get configmap colors")).stderr));
});

test("and it had nothing to complain of", () => {
  const log = readFileSync(join(folder, "log"), "utf8");
  expect(log.split("\n").filter((line) => /level=ERROR|ERR /.test(line) && !/metrics/i.test(line))).toEqual([]);
});
