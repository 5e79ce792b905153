import { expect, test } from "vitest";
import { normalBase64, normalMicroTime, normalTime } from "./scalars.ts";

test("times are kept to whole seconds in UTC", () => {
  expect(normalTime("2026-01-02T03:04:05Z")).toBe("2026-01-02T03:04:05Z");
  expect(normalTime("2026-01-02T03:04:05.987+02:00")).toBe("2026-01-02T01:04:05Z");
});

test("micro times have six digits, in and out", () => {
  expect(normalMicroTime("2026-01-02T03:04:05.123456+01:00")).toBe("2026-01-02T02:04:05.123456Z");
  expect(() => normalMicroTime("2026-01-02T03:04:05Z")).toThrow(
    'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  );
});

test("a wrong time is refused in Go's words", () => {
  const layout = '"2006-01-02T15:04:05Z07:00"';
  expect(() => normalTime("soon")).toThrow(`parsing time "soon" as ${layout}: cannot parse "soon" as "2006"`);
  expect(() => normalTime("2026-01-02")).toThrow(`parsing time "2026-01-02" as ${layout}: cannot parse "" as "T"`);
  expect(() => normalTime("2026-13-02T03:04:05Z")).toThrow('parsing time "2026-13-02T03:04:05Z": month out of range');
  expect(() => normalTime("2026-02-30T03:04:05Z")).toThrow('parsing time "2026-02-30T03:04:05Z": day out of range');
  expect(() => normalTime("2026-01-02T03:04:05Zx")).toThrow('extra text: "x"');
});

test("base64 must be padded and of its alphabet", () => {
  expect(normalBase64("dmFs\ndWU=")).toBe("dmFsdWU=");
  expect(normalBase64("")).toBe("");
  expect(() => normalBase64("***")).toThrow("illegal base64 data at input byte 0");
  expect(() => normalBase64("dg")).toThrow("illegal base64 data at input byte");
  expect(() => normalBase64("d===")).toThrow("illegal base64 data at input byte 1");
});
