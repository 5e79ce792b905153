import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FollowDeps, type LogOptions, logOptions, readLog } from "./logs.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "skerry-logs-"));
  path = join(folder, "c-json.log");
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000001Z`;
const entry = (log: string, second = 0, stream = "stdout") =>
  `${JSON.stringify({ log: `${log}\n`, stream, time: at(second) })}\n`;
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => entry(`line ${from + index}`)).join("");
const write = (...entries: string[]) => appendFileSync(path, entries.join(""));

const plain: LogOptions = { follow: false, timestamps: false, stream: "All" };
/** Time passes only where a follower waits, and then `onWait` may change the world. The container ends after some waits. */
function deps(onWait: (waits: number) => void = () => {}, running = (waits: number) => waits < 5): FollowDeps {
  let waits = 0;
  const timers = { sleep: async () => onWait(++waits) };
  return { running: () => running(waits), timers, signal: new AbortController().signal };
}

async function read(options: Partial<LogOptions> = {}, means = deps()): Promise<string> {
  const parts: Buffer[] = [];
  for await (const bytes of readLog(path, { ...plain, ...options }, means)) parts.push(bytes);
  return Buffer.concat(parts).toString();
}

/** As nerdctl's logger does: the files' numbers rise, and the first ones are removed. */
function rotate(number: number): void {
  renameSync(path, `${path}.${number}`);
  writeFileSync(path, "");
}

describe("a log", () => {
  test("is its entries' text in order", async () => {
    write(entry("a"), entry("b", 1, "stderr"), entry("ü"));
    expect(await read()).toBe("a\nb\nü\n");
  });

  test("is its entries' text whatever they print and in whatever form a logger writes one", async () => {
    const looksLikeAnEntry = entry("x").trim();
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", '\\"', looksLikeAnEntry, "", "\n"));
    const line = fc.record({ log: text, stream: fc.constantFrom("stdout", "stderr") });
    const form = fc.constantFrom("usual", "usual", "usual", "bytes", "other order", "broken");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(line, form), { maxLength: 6 }), async (lines) => {
        const time = at(1);
        const written = lines.map(([{ log, stream }, form]) => {
          if (form === "broken") return '{"log":"hal';
          const bytes = Buffer.from(log).toString("base64");
          if (form === "bytes") return JSON.stringify({ log: "?", stream, time, bytes });
          return JSON.stringify(form === "usual" ? { log, stream, time } : { time, stream, log });
        });
        writeFileSync(path, written.map((line) => `${line}\n`).join(""));
        const logs = lines.flatMap(([{ log }, form]) => (form === "broken" ? [] : Buffer.from(log)));
        expect(await read()).toBe(Buffer.concat(logs).toString());
      }),
      { numRuns: 50 },
    );
  });

  test("that is not there is empty", async () => {
    expect(await read()).toBe("");
    expect(await read({ tailLines: 3 })).toBe("");
  });

  test("has timestamps with nanoseconds when asked", async () => {
    write(entry("a", 5));
    expect(await read({ timestamps: true })).toBe("2026-01-01T00:00:05.000000001Z a\n");
  });

  test("leaves a line out that the logger has not finished", async () => {
    write(entry("a"), '{"log":"hal');
    expect(await read()).toBe("a\n");
    expect(await read({ tailLines: 1 })).toBe("a\n");
  });

  test("may be one stream alone", async () => {
    write(entry("a"), entry("b", 0, "stderr"));
    expect(await read({ stream: "Stderr" })).toBe("b\n");
  });

  test("has so many last lines though more are written while they are read", async () => {
    write(entry("a"), entry("b"), entry("c"));
    const { running, timers, signal } = deps();
    const busy = {
      running,
      timers,
      get signal() {
        write(entry("late"));
        return signal;
      },
    };
    expect(await read({ tailLines: 2 }, busy)).toBe("b\nc\n");
  });

  test("begins at a time", async () => {
    write(entry("a", 1), entry("b", 2), entry("c", 3));
    expect(await read({ since: Date.parse(at(2)) })).toBe("b\nc\n");
  });

  test("ends at a limit of bytes, in the middle of a line if need be", async () => {
    write(entry("first"), entry("second"));
    expect(await read({ limitBytes: 8 })).toBe("first\nse");
  });

  test("spans its rotated files by rising number", async () => {
    for (const number of [8, 9, 10, 11]) {
      write(entry(`file ${number}`));
      rotate(number);
    }
    write(entry("newest"));
    expect(await read()).toBe("file 8\nfile 9\nfile 10\nfile 11\nnewest\n");
  });

  test("is cut anywhere by its chunks without harm", async () => {
    write(numbered(0, 20_000)); // over a megabyte
    const lines = (await read()).split("\n");
    expect(lines.length).toBe(20_001);
    expect(lines[19_999]).toBe("line 19999");
  });
});

describe("the tail of a log", () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 9])("of %d lines is the last ones, over all files", async (tailLines) => {
    write(entry("1"), entry("2"));
    rotate(1);
    write(entry("3"), entry("4"), entry("5"));
    rotate(2);
    write(entry("6"));
    const all = ["1", "2", "3", "4", "5", "6"];
    expect(await read({ tailLines })).toBe(
      all
        .slice(tailLines === 0 ? 6 : -tailLines)
        .map((line) => `${line}\n`)
        .join(""),
    );
  });

  test("is found where it begins at a chunk's edge", async () => {
    const line = entry("x".repeat(1024 - entry("").length)); // 1 KiB each, so that 256 fill a chunk
    expect(line.length).toBe(1024);
    write(line.repeat(600));
    for (const tailLines of [255, 256, 257, 512, 513])
      expect((await read({ tailLines })).split("\n").length - 1).toBe(tailLines);
  });

  test("of a log of 64 GiB is read from its end", async () => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 36); // a hole takes no space, but to read it would take minutes
    write("\n", numbered(0, 100));
    expect(await read({ tailLines: 2 })).toBe("line 98\nline 99\n");
  });

  test("counts before the time is looked at, as the kubelet does", async () => {
    write(entry("a", 5), entry("b", 1), entry("c", 5));
    expect(await read({ tailLines: 2, since: Date.parse(at(3)) })).toBe("c\n");
  });
});

describe("a follower", () => {
  test("gets what is appended, to the last before the container's end", async () => {
    write(entry("a"));
    const late = deps((waits) => waits > 2 && write(entry(`late ${waits}`)));
    expect(await read({ follow: true }, late)).toBe("a\nlate 3\nlate 4\nlate 5\n");
  });

  test("waits as long as the container runs", async () => {
    let waited = 0;
    const long = deps(
      (waits) => {
        waited = waits;
        if (waits === 50) write(entry("at last"));
      },
      () => waited < 60,
    );
    expect(await read({ follow: true }, long)).toBe("at last\n");
  });

  test("loses nothing when the log is rotated, once or several times between two looks", async () => {
    write(entry("1"));
    const busy = deps((waits) => {
      if (waits === 1) {
        write(entry("2"));
        rotate(1);
        write(entry("3"));
      }
      if (waits === 2) {
        write(entry("4"));
        rotate(2);
        write(entry("5"));
        rotate(3);
        write(entry("6"));
      }
      if (waits === 3) {
        rotate(4); // at the end of a file, and the first ones go
        rmSync(`${path}.1`);
        rmSync(`${path}.2`);
        write(entry("7"));
      }
    });
    expect(await read({ follow: true }, busy)).toBe("1\n2\n3\n4\n5\n6\n7\n");
  });

  test("gets the rest of a file that was removed while it read it", async () => {
    write(numbered(0, 10_000));
    const pieces: string[] = [];
    for await (const bytes of readLog(path, { ...plain, follow: true }, deps())) {
      pieces.push(bytes.toString());
      if (pieces.length === 1) {
        rmSync(path);
        write(entry("new"));
      }
    }
    const lines = pieces.join("").split("\n");
    expect(lines.length).toBe(10_002);
    expect(lines.at(-2)).toBe("new");
  });

  test("with a tail of nothing gets only what comes", async () => {
    write(entry("old"));
    const later = deps((waits) => waits === 1 && write(entry("new")));
    expect(await read({ follow: true, tailLines: 0 }, later)).toBe("new\n");
  });

  test("takes a line that comes in two writes", async () => {
    const line = entry("whole");
    const slow = deps((waits) => {
      if (waits === 1) write(line.slice(0, 10));
      if (waits === 2) write(line.slice(10));
    });
    expect(await read({ follow: true }, slow)).toBe("whole\n");
  });

  test("stops when its client is gone", async () => {
    write(entry("a"));
    const gone = new AbortController();
    const means: FollowDeps = {
      running: () => true,
      timers: { sleep: async () => gone.abort() },
      signal: gone.signal,
    };
    expect(await read({ follow: true }, means)).toBe("a\n");
  });
});

test("the query of a log is read as Kubernetes writes it", () => {
  const now = Date.parse(at(30));
  expect(logOptions(new URLSearchParams("follow=true&tailLines=5&sinceSeconds=10&timestamps=true"), now)).toEqual({
    follow: true,
    timestamps: true,
    tailLines: 5,
    limitBytes: undefined,
    since: Date.parse(at(20)),
    stream: "All",
  });
  expect(logOptions(new URLSearchParams(`sinceTime=${at(7)}&stream=Stderr`), now)).toMatchObject({
    since: Date.parse(at(7)),
    stream: "Stderr",
    follow: false,
  });
});
