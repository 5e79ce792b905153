import { expect, test } from "vitest";
import { jsonObjectProblem, MAX_JSON_DEPTH, parseJson } from "./json.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test.each(
  [
    ["", "unexpected end of JSON input"],
    ['{"a":', "unexpected end of JSON input"],
    ['{"a"', "unexpected end of JSON input"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ["{} {}", "invalid character '{' after top-level value"],
    ["[[],{}] x", "invalid character 'x' after top-level value"],
    ["nul", "unexpected end of JSON input"],
    ["nope", "invalid character 'o' in literal null (expecting 'u')"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ["-", "unexpected end of JSON input"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    [nested(MAX_JSON_DEPTH + 1), "invalid character '[' exceeded max depth"],
    ["[".repeat(1e6), "invalid character '[' exceeded max depth"],
  ].map(([text, message]) => ({ shown: text?.slice(0, 20), text: text ?? "", message: message ?? "" })),
)("$shown is refused: $message", ({ text, message }) => {
  expect(() => parseJson(text)).toThrow(message);
  expect(jsonObjectProblem(text)).toBe(message);
});

test("what is valid and not too deep is read as it is", () => {
  for (const text of ['{"a":[1,-2.5e3,{"b":"\\"]["}],"c":null}', "[[],{},[[]]]", '" "', "true", nested(MAX_JSON_DEPTH)])
    expect(parseJson(text)).toEqual(JSON.parse(text));
  expect(jsonObjectProblem('{"a":1}')).toBeUndefined();
  expect(jsonObjectProblem("[]")).toBe("json: cannot unmarshal array into Go value of type map[string]interface {}");
});
