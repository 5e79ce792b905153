import { expect, test } from "vitest";
import { entriesOf, headerOf, paddingOf } from "./tar.ts";

/** What real programs make of it, and make for it, `test/page` shows. */
function archive(name: string, data: string, change: (header: Uint8Array) => void = () => {}): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(data);
  const header = headerOf(name, bytes.length);
  change(header);
  const parts = [header, bytes, paddingOf(bytes.length)];
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
}

const read = (bytes: Uint8Array<ArrayBuffer>) =>
  [...entriesOf(bytes)].map(({ name, isFile, data }) => [name, isFile, new TextDecoder().decode(data)]);

test.each([
  ["a.txt", "some words"],
  ["né à <b>.txt", "x".repeat(1024)],
  ["empty", ""],
])("%s is read as it was packed, in whole blocks", (name, text) => {
  const packed = archive(name, text);
  expect(packed.length % 512).toBe(0);
  expect(read(packed)).toEqual([[name, true, text]]);
});

test("names that are too long for a header are refused, and bytes that are no archive, or not the whole of one", () => {
  expect(() => headerOf("x".repeat(101), 0)).toThrow("more than 100 bytes");
  expect(() => read(new TextEncoder().encode("no archive".repeat(100)))).toThrow("It is no archive.");
  expect(() => read(archive("a", "x".repeat(2000)).slice(0, 1024))).toThrow("ends before its end");
});

test("a folder is no file, and what describes a file is none of its own", () => {
  const typed = (type: string) => (header: Uint8Array) => header.set(new TextEncoder().encode(type), 156);
  expect(read(archive("folder/", "", typed("5")))).toEqual([["folder/", false, ""]]);
  expect(read(archive("@LongLink", "a name", typed("L")))).toEqual([]);
});
