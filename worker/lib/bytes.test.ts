import { expect, test } from "vitest";
import { byteLength, fromBase64, hex, toBase64, toBase64Url } from "./bytes.ts";

test("bytes as text, and back", () => {
  const bytes = new Uint8Array([0, 15, 251, 255]);
  expect(hex(bytes)).toBe("000ffbff");
  expect(hex(bytes.subarray(1, 3))).toBe("0ffb");
  expect(toBase64(bytes)).toBe("AA/7/w==");
  expect(toBase64Url(bytes)).toBe("AA_7_w");
  expect(fromBase64("AA/7/w==")).toEqual(bytes);
  expect(() => fromBase64("no!")).toThrow();
  expect(byteLength("aé€")).toBe(6);
});

test("as many as an object may hold", () => {
  const many = new Uint8Array(1024 * 1024).fill(200);
  expect(fromBase64(toBase64(many)).length).toBe(many.length);
});
