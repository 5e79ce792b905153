import { expect, test } from "vitest";
import { readTokenFile } from "./token-file.ts";

test("a line is a token, its user, and the groups", () => {
  expect(readTokenFile('a,jane,1\n\n"b, ""c""",joe,,"devs, ops"\nd,ann,2,devs\r\n')).toEqual([
    { token: "a", name: "jane", uid: "1", groups: [] },
    { token: 'b, "c"', name: "joe", uid: "", groups: ["devs", "ops"] },
    { token: "d", name: "ann", uid: "2", groups: ["devs"] },
  ]);
});

test.each(["a,jane", "a", ",jane,1", "a,,1", 'a,"jane,1'])("%j is refused, and not repeated", (line) => {
  const read = () => readTokenFile(`ok,ok,1\n${line}`);
  expect(read).toThrow(/^line 2 of the tokens /);
  expect(read).not.toThrow(/jane/);
});
