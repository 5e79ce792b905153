import { expect, test } from "vitest";
import { isWaker } from "./idle.ts";

const said = { protocol: "TCP", port: 80, address: "10.244.0.7" };

test("what a node says of who woke a Service is told to users where it is nothing else", () => {
  expect(isWaker(said)).toBe(true);
  for (const other of [
    undefined,
    null,
    "TCP",
    { ...said, protocol: "tcp" },
    { ...said, port: "80" },
    { ...said, address: "somebody" },
    { ...said, address: undefined },
  ])
    expect(isWaker(other)).toBe(false);
});
