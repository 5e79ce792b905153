// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose files
import { expect, test } from "vitest";
import { parseEnvFile } from "./env-file.ts";

test("quotes, comments, export, lines that go on, and names alone", () => {
  const text = [
    "\uFEFF# a comment",
    "PLAIN = a value # not of it",
    "HASH=a#b",
    "export EXPORTED=yes",
    "SINGLE='$PLAIN # stays'",
    'DOUBLE="$PLAIN\\n\\"said\\" \\$5" # gone',
    'KEY="-----BEGIN\r\nabc\n-----END"',
    "FROM=${PLAIN}-${OUTSIDE:-none}",
    "EMPTY=",
    "COLON: value",
    "SHELL",
    "ABSENT",
  ].join("\n");
  expect(parseEnvFile(text, { SHELL: "/bin/sh" })).toEqual({
    PLAIN: "a value",
    HASH: "a#b",
    EXPORTED: "yes",
    SINGLE: "$PLAIN # stays",
    DOUBLE: 'a value\n"said" $5',
    KEY: "-----BEGIN\nabc\n-----END",
    FROM: "a value-none",
    EMPTY: "",
    COLON: "value",
    SHELL: "/bin/sh",
  });
});

test("a raw file is as it stands", () => {
  expect(parseEnvFile("A='x' # $B", {}, true)).toEqual({ A: "'x' # $B" });
});

test("what is none is told with its line", () => {
  expect(() => parseEnvFile("A=1\nnot one", {})).toThrow("not one is no NAME=VALUE");
  expect(() => parseEnvFile('A=1\nB="open', {})).toThrow("B: the quote is not closed");
});
