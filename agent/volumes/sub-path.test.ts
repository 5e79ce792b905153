import { describe, expect, test } from "vitest";
import { subPathOf } from "./sub-path.ts";

const mount = { name: "v", mountPath: "/v" };
const env = new Map([
  ["NAME", "web-0"],
  ["UP", ".."],
  ["ROOT", "/tmp"],
  ["NONE", ""],
]);

describe("the part of a volume that is mounted", () => {
  test("is the whole when none is named, else as named or as variables make it", () => {
    expect(subPathOf(mount, env)).toBeUndefined();
    expect(subPathOf({ ...mount, subPath: "a/b" }, env)).toBe("a/b");
    expect(subPathOf({ ...mount, subPathExpr: "logs/$(NAME)" }, env)).toBe("logs/web-0");
  });

  test.each([
    ["$(UP)", "unable to provision SubPath `..`: must not contain '..'"],
    ["$(ROOT)", "error SubPath `/tmp` must not be an absolute path"],
    ["$(NONE)/$(NAME)", "error SubPath `/web-0` must not be an absolute path"],
    ["$(OTHER)", 'missing value for "OTHER"'],
  ])("may not be %s", (subPathExpr, message) => {
    expect(() => subPathOf({ ...mount, subPathExpr }, env)).toThrow(message);
  });
});
