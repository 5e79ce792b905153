import { expect, test } from "vitest";
import { outcomeOf } from "./exec-output.ts";

const exitLine = 'time="2026-01-01T00:00:00Z" level=fatal msg="exec failed with exit code 7"\n';

test("the command's exit code is taken from nerdctl's last line", () => {
  expect(outcomeOf(1, `oops\n${exitLine}`)).toEqual({ code: 7 });
  expect(outcomeOf(1, exitLine)).toEqual({ code: 7 });
  expect(outcomeOf(1, `${exitLine}oops\n`)).toEqual({ code: 1 });
  expect(outcomeOf(0, exitLine)).toEqual({ code: 0 });
});

test("a command that could not be started has no code, but nerdctl's reason", () => {
  const word = 'time="2026-01-01T00:00:00Z" level=fatal msg="OCI runtime exec failed: \\"nosuch\\": not found"\n';
  expect(outcomeOf(1, word)).toEqual({ code: undefined, problem: 'OCI runtime exec failed: "nosuch": not found' });
});
