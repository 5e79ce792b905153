import { expect, test } from "vitest";
import { goJson } from "./go-json.ts";

test("characters that mean something in HTML are escaped, and nothing else changes", () => {
  const value = { "a&b": "<i>\u2028\u2029</i>", plain: 'é"\\\n\b😀', n: 1 };
  expect(goJson(value)).toBe(
    String.raw`{"a\u0026b":"\u003ci\u003e\u2028\u2029\u003c/i\u003e","plain":"é\"\\\n\b😀","n":1}`,
  );
  expect(JSON.parse(goJson(value))).toEqual(value);
});
