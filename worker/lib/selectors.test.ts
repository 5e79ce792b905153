import { describe, expect, it } from "vitest";
import { matchesFields, parseFieldSelector, parseLabelSelector } from "./selector-parser.ts";
import { formatRequirements, formatSelector, matchesRequirements, matchesSelector } from "./selectors.ts";

describe("a label selector", () => {
  const labels = { x: "1", y: "a" };
  it.each([
    ["x=1", true],
    ["x==2", false],
    ["x!=1", false],
    ["z!=1", true],
    ["x", true],
    ["!x", false],
    ["!z", true],
    ["x in (1,2)", true],
    ["x notin (1, 2)", false],
    ["x,y=a", true],
    ["x=", false],
    ["x>0", true],
    ["x<1", false],
    ["in", false],
    ["x in (),y", false],
    ["", true],
    [" x = 1 , y in ( a ) ", true],
  ])("%j matches: %j", (text, expected) => {
    if (expected === undefined) expect(() => parseLabelSelector(text)).toThrow();
    else expect(matchesRequirements(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each([
    ["x=a/b/c", 'unable to parse requirement: values[0][x]: Invalid value: "a/b/c": a valid label must be'],
    ["a=b=c", "found '=', expected: ',' or 'end of string'"],
    ["x,", "found '', expected: identifier after ','"],
    ["=x", "found '=', expected: !, identifier, or 'end of string'"],
    ["x in 1", "unable to parse requirement: found '1' expected: '('"],
    ["-a", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'],
    ["x foo y", "unable to parse requirement: found 'foo', expected: in, notin, =, ==, !=, gt, lt"],
    ["x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators"],
  ])("%j fails with its reason", (text, message) => expect(() => parseLabelSelector(text)).toThrow(message));

  it("prints sorted by key, its values too", () => {
    expect(formatRequirements(parseLabelSelector("b in (2,1),a=1,!c,d"))).toBe("a=1,b in (1,2),!c,d");
    const expressions = [{ key: "a", operator: "In", values: ["2", "1"] }];
    expect(formatSelector({ matchLabels: { b: "x" }, matchExpressions: expressions })).toBe("a in (1,2),b=x");
  });

  it("matches nothing where absent and everything where empty", () => {
    expect(matchesSelector(undefined, {})).toBe(false);
    expect(matchesSelector({}, undefined)).toBe(true);
    expect(matchesSelector({ matchExpressions: [{ key: "x", operator: "Exists" }] }, labels)).toBe(true);
  });
});

describe("a field selector", () => {
  it("splits terms at commas that are not escaped", () => {
    expect(parseFieldSelector("a.b=1,c!=x\\,y,d==")).toEqual([
      { field: "a.b", operator: "=", value: "1" },
      { field: "c", operator: "!=", value: "x,y" },
      { field: "d", operator: "=", value: "" },
    ]);
  });
  it("says what it cannot understand", () => {
    expect(() => parseFieldSelector("abc")).toThrow("invalid selector: 'abc'; can't understand 'abc'");
    expect(() => parseFieldSelector("a=b\\c")).toThrow("invalid field selector: invalid escape sequence: \\c");
  });
  it("matches when every term holds", () => {
    const fields: Record<string, string> = { "a.b": "1", c: "2" };
    const match = (text: string) => matchesFields(parseFieldSelector(text), (field) => fields[field] ?? "");
    expect(match("a.b=1,c!=3")).toBe(true);
    expect(match("a.b=1,c!=2")).toBe(false);
  });
});
