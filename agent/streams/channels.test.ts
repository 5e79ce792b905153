import { describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { Channels, type Ending, exitStatus, failureStatus, readMessage } from "./channels.ts";

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
  expect(failureStatus("no")).toMatchObject({
    status: "Failure",
    reason: "InternalError",
    message: "Internal error occurred: no",
    code: 500,
  });
});

describe("the last word", () => {
  async function lastWords(subprotocol: string, status: Ending): Promise<string[]> {
    const sent: Buffer[] = [];
    const socket = {
      OPEN: 1,
      readyState: 1,
      bufferedAmount: 0,
      send: (message: Buffer) => sent.push(message),
      resume: () => {},
      once: (_: string, answer: () => void) => {
        answer();
        return socket;
      },
      ping: () => {},
      close: () => {},
    };
    await new Channels(socket as unknown as WebSocket, subprotocol).finish(status);
    return sent.map((message) => message.toString());
  }

  test("is a Status on the error channel", async () => {
    expect(await lastWords("v4.channel.k8s.io", exitStatus(0))).toEqual(['\x03{"metadata":{},"status":"Success"}']);
  });

  test("of the protocol's first version is what went wrong, if anything did", async () => {
    expect(await lastWords("channel.k8s.io", exitStatus(0))).toEqual([]);
    expect(await lastWords("channel.k8s.io", failureStatus("no such program"))).toEqual([
      "\x03Internal error occurred: no such program",
    ]);
  });
});
