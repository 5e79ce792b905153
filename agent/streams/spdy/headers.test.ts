import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ProtocolError } from "./frames.ts";
import { DICTIONARY, HeaderReader, HeaderWriter, readPairs, writePairs } from "./headers.ts";

const headers = new Map([
  ["streamtype", "error"],
  ["port", "8080"],
  ["requestid", "0"],
]);

test("the dictionary is the specification's", () => {
  expect(DICTIONARY.length).toBe(1423);
  expect(DICTIONARY.readUInt32BE(0)).toBe("options".length);
  // The zlib identifier of a dictionary is its Adler-32; every SPDY/3 stream begins with this one.
  const [a, b] = DICTIONARY.reduce(([x, y], byte) => [(x + byte) % 65_521, (y + x + byte) % 65_521], [1, 0] as [
    number,
    number,
  ]);
  expect(((b << 16) | a) >>> 0).toBe(0xe3c6a7c2);
  expect(createHash("sha256").update(DICTIONARY).digest("hex")).toBe(
    "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02",
  );
});

test("pairs are counted and each text carries its length", () => {
  expect(writePairs(new Map([["port", "80"]])).toString("hex")).toBe("0000000100000004706f7274000000023830");
  expect(readPairs(writePairs(headers))).toEqual(headers);
});

test("names are read in lower case", () => {
  expect(readPairs(writePairs(new Map([["StreamType", "data"]])))).toEqual(new Map([["streamtype", "data"]]));
});

test("later blocks lean on earlier ones, so one context serves all of a direction", async () => {
  const writer = new HeaderWriter();
  const reader = new HeaderReader();
  const first = await writer.write(headers);
  const second = await writer.write(headers);
  expect(first.subarray(0, 2).toString("hex")).toMatch(/^78/);
  expect(second.length).toBeLessThan(first.length / 2);
  expect(await reader.read(first)).toEqual(headers);
  expect(await reader.read(second)).toEqual(headers);
});

test("blocks that are cut off, repeat a name, are no zlib or unpack to too much are protocol errors", async () => {
  expect(() => readPairs(Buffer.from("00000001000000ff61", "hex"))).toThrow(ProtocolError);
  expect(() => readPairs(Buffer.alloc(2))).toThrow(ProtocolError);
  const twice = Buffer.concat([
    Buffer.of(0, 0, 0, 2),
    ...[1, 2].map(() => writePairs(new Map([["a", "b"]])).subarray(4)),
  ]);
  expect(() => readPairs(twice)).toThrow(/header a twice/);
  await expect(new HeaderReader().read(Buffer.from("not compressed"))).rejects.toThrow(ProtocolError);
  const bomb = await new HeaderWriter().write(new Map([["a", "b".repeat(1024 * 1024)]]));
  await expect(new HeaderReader().read(bomb)).rejects.toThrow(/too large/);
});
