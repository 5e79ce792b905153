import fc from "fast-check";
import { expect, test } from "vitest";
import { lastWordAt, outcomeOf, withoutLastWord } from "./exec-output.ts";

const exitLine = 'time="2026-01-01T00:00:00Z" level=fatal msg="exec failed with exit code 7"\n';

test("the command's exit code is taken from nerdctl's line, and the line taken out", () => {
  expect(outcomeOf(1, `oops\n${exitLine}`)).toEqual({ code: 7, stderr: "oops\n" });
  expect(outcomeOf(1, exitLine)).toEqual({ code: 7, stderr: "" });
  expect(outcomeOf(0, "")).toEqual({ code: 0, stderr: "" });
});

test("a command that could not be started has no code, but nerdctl's reason", () => {
  const word = 'time="2026-01-01T00:00:00Z" level=fatal msg="OCI runtime exec failed: \\"nosuch\\": not found"\n';
  expect(outcomeOf(1, word)).toEqual({
    code: undefined,
    problem: 'OCI runtime exec failed: "nosuch": not found',
    stderr: "",
  });
});

test("a line of the command's own that looks the same is kept when the command succeeded", () => {
  expect(outcomeOf(0, exitLine)).toEqual({ code: 0, stderr: exitLine });
});

test.each([
  ["", 0],
  ["plain\n", 6],
  ["plain", 5],
  ["plain\nti", 6],
  ['time="2026', 0],
  [exitLine, 0],
  [`a\n${exitLine}`, 2],
  [`${exitLine}b`, exitLine.length + 1],
  // What programs log themselves goes on at once.
  ['time="2026-01-01T00:00:00Z" level=info msg="ready"\n', 51],
])("nerdctl's last word may begin in %j at %i", (text, at) => {
  expect(lastWordAt(text)).toBe(at);
});

test("however a stream is cut, all of it comes out, and nerdctl's line is held", async () => {
  const text = `some\ntime="x" level=info msg="mine"\nmore ${exitLine}last\n${exitLine}`;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }), async (sizes) => {
      const chunks: Buffer[] = [];
      for (let at = 0, next = 0; at < text.length; next++) {
        const size = sizes[next % sizes.length] as number;
        chunks.push(Buffer.from(text.slice(at, at + size)));
        at += size;
      }
      const held = { text: "" };
      let passed = "";
      async function* source() {
        yield* chunks;
      }
      for await (const chunk of withoutLastWord(source(), held)) passed += chunk.toString();
      expect(passed + held.text).toBe(text);
      expect(outcomeOf(1, held.text).code).toBe(7);
    }),
    { numRuns: 50 },
  );
});
