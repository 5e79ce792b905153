import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogWriter } from "./log-writer.ts";

const NOW = Date.parse("2026-01-01T00:00:00.123Z");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function logged(write: (log: LogWriter) => void, limits = { maxBytes: 1024 * 1024, maxFiles: 3 }) {
  const log = new LogWriter(join(folder, "x.log"), limits, () => NOW);
  write(log);
  log.end();
  const entries = (file: string) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { log: string; stream: string; time: string; bytes?: string });
  return { files: readdirSync(folder).toSorted(), entries };
}

test("lines are entries, whatever portions they come in; the last one may have no newline", () => {
  const { entries } = logged((log) => {
    log.write("stdout", Buffer.from("one\ntw"));
    log.write("stderr", Buffer.from("err\n"));
    log.write("stdout", Buffer.from("o\nthr"));
  });
  expect(entries("x.log")).toEqual([
    { log: "one\n", stream: "stdout", time: "2026-01-01T00:00:00.123000000Z" },
    { log: "err\n", stream: "stderr", time: "2026-01-01T00:00:00.123000001Z" },
    { log: "two\n", stream: "stdout", time: "2026-01-01T00:00:00.123000002Z" },
    { log: "thr", stream: "stdout", time: "2026-01-01T00:00:00.123000003Z" },
  ]);
});

test("a long line comes in parts of 16 KiB, the last of which has the newline", () => {
  const { entries } = logged((log) => log.write("stdout", Buffer.from(`${"x".repeat(40_000)}\nnext\n`)));
  expect(entries("x.log").map(({ log }) => log.length)).toEqual([16_384, 16_384, 7_233, 5]);
});

test("bytes that are no text are beside it", () => {
  const bytes = Buffer.from([0xff, 0x00, 0x0a]);
  const [entry] = logged((log) => log.write("stdout", bytes)).entries("x.log");
  expect(Buffer.from(entry?.bytes ?? "", "base64")).toEqual(bytes);
});

test("a line that is half written, as by a writer that was killed, does not spoil the next", () => {
  writeFileSync(join(folder, "x.log"), '{"log":"whole\\n"}\n{"log":"ha');
  const { entries } = logged((log) => log.write("stdout", Buffer.from("next\n")));
  expect(entries("x.log").map(({ log }) => log)).toEqual(["whole\n", "next\n"]);
});

test("where nothing can be written, what is printed is lost, and the rest comes when it can again", () => {
  const { entries } = logged(
    (log) => {
      log.write("stdout", Buffer.from("one\n"));
      renameSync(folder, `${folder}.away`);
      for (let n = 0; n < 100; n++) log.write("stdout", Buffer.from(`${"x".repeat(2_000)}\n`));
      renameSync(`${folder}.away`, folder);
      log.write("stdout", Buffer.from("last\n"));
    },
    { maxBytes: 1_000, maxFiles: 3 },
  );
  expect(entries("x.log").at(-1)?.log).toBe("last\n");
});

test("files turn over with rising numbers, and the oldest go", () => {
  const limits = { maxBytes: 200, maxFiles: 3 };
  const { files, entries } = logged((log) => {
    for (let n = 0; n < 20; n++) log.write("stdout", Buffer.from(`${n}\n`));
  }, limits);
  expect(files.length).toBe(3);
  const kept = [...files.slice(1).toSorted((a, b) => Number(a.slice(6)) - Number(b.slice(6))), "x.log"];
  const last = kept.flatMap(entries).map(({ log }) => Number(log));
  expect(last).toEqual(Array.from({ length: last.length }, (_, index) => 20 - last.length + index));
});
