import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";
import { nodeLogs } from "./node-logs.ts";

const outside = mkdtempSync(join(tmpdir(), "logs-"));
const root = join(outside, "log");
mkdirSync(join(root, "apt"), { recursive: true });
writeFileSync(join(outside, "secret"), "no");
writeFileSync(join(root, "a&b.log"), "hello\n");
writeFileSync(join(root, "apt/history.log"), "installed\n");
symlinkSync("apt/history.log", join(root, "link.log"));
symlinkSync("../secret", join(root, "away.log"));
afterAll(() => rmSync(outside, { recursive: true }));

async function asked(path: string) {
  const { status, headers, body } = await nodeLogs(path, root);
  return { status, headers, text: typeof body === "string" ? body : await textOf(body) };
}

test("files are shown, and links to other logs followed", async () => {
  expect(await asked("a%26b.log")).toMatchObject({ status: 200, text: "hello\n" });
  expect((await asked("apt/history.log")).text).toBe("installed\n");
  expect((await asked("link.log")).text).toBe("installed\n");
});

test("folders are listed, by names that lead to what is in them", async () => {
  const { text, headers } = await asked("");
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(text).toContain('<a href="apt/">apt/</a>\n');
  expect(text).toContain('<a href="a&amp;b.log">a&amp;b.log</a>\n');
  expect(await asked("apt")).toMatchObject({ status: 301, headers: { location: "apt/" } });
});

test.each(["../secret", "apt/../../secret", "..%2Fsecret", "away.log", "none.log", "%zz", "../log2"])(
  "%s is not there",
  async (path) => {
    const { status, text } = await asked(path);
    expect([400, 404]).toContain(status);
    expect(text).not.toContain("no\n");
  },
);
