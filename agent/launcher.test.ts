import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { killNow } from "../test/support/cluster.ts";
import { effects } from "./effects.ts";
import { Launcher } from "./launcher.ts";

function start(): Launcher {
  const launcher = new Launcher(effects, { PATH: process.env.PATH, GIVEN: "to all" });
  onTestFinished(() => launcher.stop());
  return launcher;
}

test("programs get arguments, environment and input as they are, and end each with its own code and output", async () => {
  const { run } = start();
  const words = ["a b", "it's", "$HOME `x`", "", "two\nlines", "\\"];
  const script = 'for word; do printf "<%s>" "$word"; done; printf "%s %s" "$GIVEN" "$OWN" >&2; cat; exit 3';
  const told = run("sh", ["-c", script, "sh", ...words], { env: { OWN: "'to it'" }, input: "in\n" });
  const others = await Promise.all([1, 2, 3].map((n) => run("sh", ["-c", `echo ${n}; exit ${n}`])));
  expect(await told).toEqual({
    code: 3,
    stdout: `${words.map((word) => `<${word}>`).join("")}in\n`,
    stderr: "to all 'to it'",
  });
  expect(others).toEqual([1, 2, 3].map((n) => ({ code: n, stdout: `${n}\n`, stderr: "" })));
  expect(await run("true", [])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a program that is not there ends with 127, one that takes too long or is killed with 137", async () => {
  const { run } = start();
  expect((await run("no-such-program", [])).code).toBe(127);
  expect(await run("sh", ["-c", "echo begun; exec sleep 60"], { timeoutMs: 200 })).toMatchObject({ code: 137 });
  expect(await run("sh", ["-c", "kill -9 $$"])).toMatchObject({ code: 137 });
});

test("when its shell dies, what runs is given up and the next program has a new one", async () => {
  const { run } = start();
  const folder = mkdtempSync(join(tmpdir(), "skerry-launcher-"));
  onTestFinished(() => {
    killNow(Number(readFileSync(join(folder, "pid"), "utf8")));
    rmSync(folder, { recursive: true });
  });
  const script = `echo $$ >${folder}/pid; kill -9 $(ps -o ppid= -p $PPID); exec sleep 1000`;
  await expect(run("sh", ["-c", script])).rejects.toThrow("has ended");
  expect(await run("echo", ["again"])).toMatchObject({ code: 0, stdout: "again\n" });
});

test("its shell forgets programs that have ended", async () => {
  const { run } = start();
  const { stdout } = await run("sh", ["-c", "ps -o ppid= -p $PPID"]);
  // Counted page by page: the kernel may only estimate what a process has in all.
  const kilobytes = () =>
    Number(/Anonymous:\s+(\d+)/.exec(readFileSync(`/proc/${stdout.trim()}/smaps_rollup`, "utf8"))?.[1]);
  const runMany = async () => {
    for (let turn = 0; turn < 100; turn++) await Promise.all(Array.from({ length: 5 }, () => run("true", [])));
  };
  // It takes more when many end before it looks; what it did not forget would be more each time.
  const growths: number[] = [];
  while (growths.length < 5 && !growths.some((growth) => growth < 12)) {
    const before = kilobytes();
    await runMany();
    growths.push(kilobytes() - before);
  }
  expect(Math.min(...growths)).toBeLessThan(12);
});
