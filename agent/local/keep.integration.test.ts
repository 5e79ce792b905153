/** The shell that keeps the control plane, with a script in workerd's place. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { effects } from "../effects.ts";
import { spawn } from "../process.ts";

let home: string;
const read = (name: string) => (existsSync(join(home, name)) ? readFileSync(join(home, name), "utf8") : "");
/** The ids of those that were started in workerd's place, one after another. */
const started = () => read("started").split("\n").filter(Boolean).map(Number);
const runs = (pid: number | undefined) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

async function eventually(what: string, check: () => boolean): Promise<void> {
  const end = effects.now() + 300_000;
  while (!check()) {
    if (effects.now() > end) throw new Error(`${what}: not in time`);
    await effects.sleep(10);
  }
}

/** `announcer`: what is run beside the first start. */
function keep(announcer = "exit 0", workerd = "exec sleep 1000") {
  const script = join(home, "workerd");
  writeFileSync(script, `#!/bin/sh\necho "$@" >>${home}/arguments\necho $$ >>${home}/started\n${workerd}\n`, {
    mode: 0o755,
  });
  const child = spawn("/bin/sh", [join(import.meta.dirname, "keep.sh"), home, script, "sh", "-c", announcer], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, said: () => said };
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skerry-keep-"));
  mkdirSync(join(home, "log"));
  writeFileSync(join(home, "supervisor.pid"), "1\n");
});
afterEach(() => {
  for (const pid of started())
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended, as it should
    }
  rmSync(home, { recursive: true, force: true });
});

test("what ends is started again, and said", async () => {
  const { child, ended, said } = keep();
  await eventually("the first start", () => started().length === 1);
  expect(read("arguments")).toBe(`serve ${home}/workerd.capnp\n`);
  process.kill(started()[0] as number, "SIGKILL");
  await eventually("the second start", () => started().length === 2);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(said()).toContain("the control plane ended (killed by SIGKILL) and is started again");
});

test("what ends at once is started ever more seldom, and its words are kept", async () => {
  const { child, ended, said } = keep("exit 0", "echo broken; exit 3");
  await eventually("three starts", () => started().length >= 3);
  expect(read("log/workerd.log")).toContain("broken\nbroken\n");
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(said()).toContain("the control plane ended (exit code 3)");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s ends it all", async (signal) => {
  const { child, ended, said } = keep(`echo $$ >${home}/announcer; exec sleep 1000`);
  await eventually("the start", () => started().length === 1 && read("announcer") !== "");
  const announcer = Number(read("announcer"));
  child.kill(signal);
  expect(await ended).toBe(0);
  await eventually("the announcer's end", () => !runs(announcer));
  expect(said()).toContain(`${signal}: stopping; containers keep running`);
  await eventually("its end", () => !runs(started()[0]));
  expect(existsSync(join(home, "supervisor.pid"))).toBe(false);
});

test("who does not obey is killed", async () => {
  const { child, ended } = keep("exit 0", "trap '' TERM; while :; do sleep 0.2; done");
  await eventually("the start", () => started().length === 1);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  await eventually("its end", () => !runs(started()[0]));
});

test("nothing is kept that does not come to answer", async () => {
  const { ended } = keep("kill -USR1 $PPID");
  expect(await ended).toBe(1);
  await eventually("its end", () => !runs(started()[0]));
});

test("when it is killed, so is what it keeps", async () => {
  const { child, ended } = keep();
  await eventually("the start", () => started().length === 1);
  child.kill("SIGKILL");
  await ended;
  await eventually("the end", () => !runs(started()[0]));
});
