import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { killNow } from "../../test/support/cluster.ts";
import { startRuntime, type TestRuntime } from "../../test/support/containerd.ts";
import { BUSYBOX_IMAGE, writeBusyboxImage } from "../../test/support/image.ts";
import { effects } from "../effects.ts";
import { command } from "../network/commands.ts";
import { attachTo } from "./attached.ts";
import { Keeper } from "./keeping.ts";
import { LogWriter } from "./log-writer.ts";

const MIB = 1024 * 1024;
const LIMITS = { maxBytes: 2 * MIB, maxFiles: 3 };

describe("containers of a node and their keeper", () => {
  let runtime: TestRuntime;
  let keeper: Keeper;

  beforeAll(async () => {
    runtime = await startRuntime();
    const archive = join(runtime.home, "busybox.tar");
    await writeBusyboxImage(archive);
    await runtime.nerdctl.load(archive);
    keeper = await newAgent();
  });
  afterAll(() => runtime?.stop());

  async function newAgent(version?: string): Promise<Keeper> {
    const { home, nerdctl } = runtime;
    const made = new Keeper({ home, nerdctl, limits: LIMITS, timers: effects, version });
    await made.prepare();
    return made;
  }

  async function start(script: string): Promise<{ id: string; log: string }> {
    const options = { image: BUSYBOX_IMAGE, flags: ["--network", "none"], args: ["sh", "-c", script] };
    const { Id: id, LogPath: log = "" } = await keeper.run(options, { stdin: false, tty: false, once: false });
    return { id, log };
  }

  /** All that it has printed, oldest first. */
  async function printed({ id, log }: { id: string; log: string }): Promise<string> {
    await ended(id);
    return textIn(log);
  }

  async function ended(id: string): Promise<void> {
    while (keeper.socketOf(id)) await effects.sleep(20);
  }

  const filesOf = (log: string) =>
    readdirSync(dirname(log))
      .filter((name) => join(dirname(log), name).startsWith(log))
      .toSorted((a, b) => Number(a.split(".")[2] ?? 1e9) - Number(b.split(".")[2] ?? 1e9))
      .map((name) => join(dirname(log), name));
  const textIn = (log: string) =>
    filesOf(log)
      .flatMap((path) => readFileSync(path, "utf8").split("\n").filter(Boolean))
      .map((line) => (JSON.parse(line) as { log: string }).log)
      .join("");

  function pids(): number[] {
    const commandLine = (pid: string) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    };
    const own = (pid: string) => commandLine(pid).includes(`keeper.ts\0${runtime.home}/`);
    return readdirSync("/proc").filter(own).map(Number);
  }

  /** Prints numbers until it may end. */
  const counting = "i=0; until test -e /over; do i=$((i + 1)); echo $i; sleep 0.1; done; printf end";

  async function letEnd(id: string): Promise<void> {
    const [found] = await runtime.nerdctl.inspect([id]);
    writeFileSync(`/proc/${found?.State.Pid}/root/over`, "");
  }

  test("a hundred that end at once have all that they printed in their logs when they are seen to have ended", async () => {
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => start(`echo x; printf ${n}; exit 1`)));
    await Promise.all(all.map(({ id }) => keeper.logged(id).then(() => ended(id))));
    expect(all.map(({ log }) => textIn(log))).toEqual(all.map((_, n) => `x\n${n}`));
    expect(pids().length).toBeLessThanOrEqual(1); // which may have nothing to keep any more
    await runtime.nerdctl.remove(all.map(({ id }) => id));
  });

  test("a keeper that is killed is replaced at once: no line is doubled, and only what it had just read may be lost", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => start(counting)));
    const killed = new Set<number>();
    while (killed.size < 2) {
      await effects.sleep(300);
      for (const pid of pids()) {
        killNow(pid);
        killed.add(pid);
      }
      while (!pids().some((pid) => !killed.has(pid))) await effects.sleep(10);
    }
    let heard = "";
    const attached = await until(() =>
      attachTo(keeper.socketOf(all[0]?.id ?? "") ?? "", (_, data) => {
        heard += data;
      }),
    );
    await until(async () => expect(heard).toMatch(/^\d+\n/));
    for (const { id } of all) await letEnd(id);
    expect(await attached.closed).toBe(true);
    expect(heard).toMatch(/^\d+\n[\d\n]*end$/);
    for (const container of all) {
      const lines = (await printed(container)).split("\n");
      expect(lines.pop()).toBe("end");
      const numbers = lines.map(Number);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      // They come ten a second, and as many at once as a busy machine lets a keeper wait.
      expect((numbers.at(-1) ?? 0) - numbers.length).toBeLessThanOrEqual(20 * killed.size);
    }
    expect(readdirSync(join(runtime.home, "attach"))).toEqual(["keeper.lock", "keeper.sock"]);
  });

  test("the next agent finds what the one before it began, and who attaches gets what is printed from then on", async () => {
    const container = await start(`echo before; until test -e /over; do sleep 0.05; done; printf after`);
    await until(async () => expect(textIn(container.log)).toBe("before\n"));
    const before = pids();
    keeper = await newAgent();
    let heard = "";
    const attached = await attachTo(keeper.socketOf(container.id) ?? "", (_, data) => {
      heard += data;
    });
    attached.write(Buffer.from("it has no input\n"));
    attached.end();
    await letEnd(container.id);
    expect(await attached.closed).toBe(true);
    expect(heard).toBe("after");
    expect(pids()).toEqual(before);
    expect(await printed(container)).toBe("before\nafter");
  });

  test("a keeper of another version makes room for that of its agent, in the middle of a line, and what is printed meanwhile stays", async () => {
    const container = await start("printf be; until test -e /over; do sleep 0.05; done; printf 'gun\\nend'");
    await effects.sleep(200);
    const before = pids();
    keeper = await newAgent("another");
    await until(async () => expect(pids().length).toBe(1));
    expect(pids()).not.toEqual(before);
    await letEnd(container.id);
    expect(await printed(container)).toBe("begun\nend");
    const entries = readFileSync(container.log, "utf8").trimEnd().split("\n");
    expect(entries.length).toBe(2);
  });

  test("one that prints as fast as it can is held back, takes no memory, and its log no more than it may", async () => {
    const container = await start("seq 2000000; echo over >&2");
    const quiet = await start("sleep 0.5; echo quiet");
    const [pid] = pids();
    let most = 0;
    const watched = (async () => {
      for (; keeper.socketOf(container.id); await effects.sleep(20)) {
        const status = readFileSync(`/proc/${pid}/status`, "utf8");
        most = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
      }
    })();
    expect(await printed(quiet)).toBe("quiet\n");
    await watched;
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(200 * MIB);
    const files = filesOf(container.log);
    expect(files.length).toBe(LIMITS.maxFiles);
    for (const file of files) expect(readFileSync(file).length).toBeLessThan(2 * LIMITS.maxBytes);
    const text = textIn(container.log);
    const begin = Number(text.slice(0, text.indexOf("\n")));
    const rest = Array.from({ length: 2_000_001 - begin }, (_, index) => begin + index).join("\n");
    expect(text.replace("over\n", "")).toBe(`${rest}\n`);
  });
});

test("a log on a full disk loses lines, and goes on with whole ones when there is room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "skerry-full-"));
  await command("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  onTestFinished(async () => {
    await command("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, "x.log");
  const log = new LogWriter(path, { maxBytes: MIB, maxFiles: 3 }, effects.now);
  const line = (n: number) => log.write("stdout", Buffer.from(`${n} ${"x".repeat(3_000)}\n`));
  for (let n = 0; n < 10; n++) line(n);
  expect(() => writeFileSync(join(folder, "rest"), Buffer.alloc(MIB))).toThrow("ENOSPC");
  for (let n = 10; n < 20; n++) line(n);
  rmSync(join(folder, "rest"));
  for (let n = 20; n < 23; n++) line(n);
  log.end();
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const kept = lines.map((text) => parseInt((JSON.parse(text) as { log: string }).log, 10));
  expect(kept.length).toBeLessThan(20);
  expect(kept.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(kept.slice(-3)).toEqual([20, 21, 22]);
});

/** Tries until it does not reject. */
async function until<T>(body: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++)
    try {
      return await body();
    } catch (error) {
      if (tries > 10_000) throw error;
      await effects.sleep(20);
    }
}
