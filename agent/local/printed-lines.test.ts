import { expect, test } from "vitest";
import { linePrinter } from "./printed-lines.ts";

async function* pieces(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === "string" ? Buffer.from(text) : text;
}

function printer(width: number) {
  const said: string[] = [];
  const failed: string[] = [];
  return {
    said,
    failed,
    ...linePrinter({ width, write: (text) => said.push(text), failed: (why) => failed.push(why) }),
  };
}

test("lines are whole, however they come, and the last needs no end", async () => {
  const { print, said } = printer(3);
  const [first, second] = [Buffer.from("ä").subarray(0, 1), Buffer.from("ä").subarray(1)];
  await print({ name: "a", open: async () => pieces("one\ntw", "o ", first, second, "\n\nthree") });
  expect(said).toEqual(["a   | one\n", "a   | two ä\n", "a   | \n", "a   | three\n"]);
});

test("one that cannot be read does not keep the others from being printed", async () => {
  const { print, said, failed } = printer(1);
  await Promise.all([
    print({ name: "a", open: () => Promise.reject(new Error("no container")) }),
    print({ name: "b", open: async () => pieces("x\n") }),
  ]);
  expect([said, failed]).toEqual([["b | x\n"], ["a: no container"]]);
});
