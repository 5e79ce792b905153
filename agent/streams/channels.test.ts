import { describe, expect, test } from "vitest";
import { exitStatus, failureStatus, readMessage } from "./channels.ts";

const message = (channel: number, text: string) => Buffer.concat([Buffer.of(channel), Buffer.from(text)]);

describe("messages of the remote command protocol", () => {
  test.each([
    ["input", message(0, "ls\n"), { type: "stdin", data: Buffer.from("ls\n") }],
    ["a terminal's size", message(4, '{"Width":80,"Height":24}\n'), { type: "resize", width: 80, height: 24 }],
    ["the end of input", Buffer.of(255, 0), { type: "end" }],
    ["the end of another channel", Buffer.of(255, 1), undefined],
    ["a size that is no JSON", message(4, "80x24"), undefined],
    ["a size without numbers", message(4, '{"Width":"80"}'), undefined],
    ["a size that is null", message(4, "null"), undefined],
    ["a channel that servers do not read", message(1, "hello"), undefined],
    ["nothing at all", Buffer.alloc(0), undefined],
  ])("%s", (_, bytes, expected) => {
    expect(readMessage(bytes)).toEqual(expected);
  });
});

test("a command's end is told as a Status that clients take the exit code from", () => {
  expect(exitStatus(0)).toEqual({ metadata: {}, status: "Success" });
  expect(exitStatus(3)).toMatchObject({
    status: "Failure",
    reason: "NonZeroExitCode",
    message: "command terminated with non-zero exit code: error executing command, exit code 3",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
  expect(failureStatus("no")).toMatchObject({ status: "Failure", reason: "InternalError", message: "no", code: 500 });
});
