import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { keptText, type TextOptions } from "./text.ts";

const line = (log: string) => JSON.stringify({ log, stream: "stdout", time: "2026-11-27T10:00:00Z" });
const ALL: TextOptions = { timestamps: false, tailLines: undefined, limitBytes: Number.POSITIVE_INFINITY, since: 0 };

/** What comes of portions of such lines, in the pieces that it comes in. */
async function pieces(portions: readonly (readonly string[])[], options: Partial<TextOptions> = {}): Promise<string[]> {
  const bring = async ({ lines }: { lines: readonly string[] }) => new Uint8Array(gzipSync(`${lines.join("\n")}\n`));
  const all = portions.map((lines) => ({ last: 1, lines }));
  const found: string[] = [];
  for await (const bytes of keptText(all, bring, { ...ALL, ...options })) found.push(Buffer.from(bytes).toString());
  return found;
}

test("however many last lines are asked for, a portion at a time is read", async () => {
  const portions = [["a\n", "b\n"], ["c\n"], ["d\n", "e\n"]].map((logs) => logs.map(line));
  expect(await pieces(portions, { tailLines: 1_000_000_000 })).toEqual(["a\nb\n", "c\n", "d\ne\n"]);
  expect(await pieces(portions, { tailLines: 4 })).toEqual(["b\n", "c\n", "d\ne\n"]);
  expect(await pieces(portions, { tailLines: 3 })).toEqual(["c\n", "d\ne\n"]);
  expect(await pieces(portions, { tailLines: 0 })).toEqual([]);
  expect(await pieces(portions, { tailLines: 4, limitBytes: 3 })).toEqual(["b\n", "c"]);
});

test("a line that cannot be read hides no other", async () => {
  const torn = [line("a\n"), '{"log":"torn', line("b\n"), "null", line("c\n")];
  expect(await pieces([torn, [line("d\n")]])).toEqual(["a\nb\nc\n", "d\n"]);
});

test("a portion that holds more than a node sends, or is damaged, hides no other", async () => {
  const lines: Record<string, Uint8Array<ArrayBuffer>> = {
    first: new Uint8Array(gzipSync(`${line("a\n")}\n`)),
    huge: new Uint8Array(gzipSync(line("b".repeat(5 * 1024 * 1024)))),
    damaged: Uint8Array.of(1, 2, 3),
    last: new Uint8Array(gzipSync(`${line("c\n")}\n`)),
  };
  const all = Object.keys(lines).map((name) => ({ last: 1, name }));
  for (const tailLines of [undefined, 2]) {
    const found: string[] = [];
    for await (const bytes of keptText(all, async ({ name }) => lines[name], { ...ALL, tailLines }))
      found.push(Buffer.from(bytes).toString());
    expect(found).toEqual(["a\n", "c\n"]);
  }
});
