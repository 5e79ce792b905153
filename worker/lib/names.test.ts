import { describe, expect, it } from "vitest";
import {
  configKeyProblems,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  envNameProblems,
  labelValueProblems,
  maskTrailingDash,
  pathSegmentProblems,
  portNameProblems,
  qualifiedNameProblems,
} from "./names.ts";

describe("names", () => {
  it.each([
    [dnsLabelProblems, "a-1"],
    [dnsSubdomainProblems, "a.b-c.1"],
    [dns1035LabelProblems, "a1"],
    [qualifiedNameProblems, "example.com/My_Name.1"],
    [labelValueProblems, ""],
    [pathSegmentProblems, "system:node"],
    [configKeyProblems, "..data".slice(1)],
    [envNameProblems, "a b:c"],
    [portNameProblems, "http-2"],
    [dnsLabelProblems, maskTrailingDash("web-")],
  ])("%o accepts %j", (rule, name) => expect(rule(name)).toEqual([]));

  it.each([
    [dnsLabelProblems, "a.b", ["must not contain dots"]],
    [dnsSubdomainProblems, `${"a".repeat(254)}`, ["must be no more than 253 characters"]],
    [qualifiedNameProblems, "/x", ["prefix part must be non-empty"]],
    [pathSegmentProblems, "..", ["may not be '..'"]],
    [pathSegmentProblems, "a/b%", ["may not contain '/'", "may not contain '%'"]],
    [configKeyProblems, "..a", ["must not start with '..'"]],
    [
      portNameProblems,
      "UPPER",
      [
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        "must contain at least one letter (a-z)",
      ],
    ],
  ])("%o refuses %j", (rule, name, problems) => expect(rule(name)).toEqual(problems));

  it("names both problems of an empty key", () => {
    expect(qualifiedNameProblems("")).toHaveLength(2);
    expect(qualifiedNameProblems("a/b/c")[0]).toMatch(
      /^a valid label key must consist .* \(e.g. 'example.com\/MyName'\)$/,
    );
  });
});
