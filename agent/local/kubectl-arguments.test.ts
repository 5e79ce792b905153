import { expect, test } from "vitest";
import { rearranged } from "./kubectl-arguments.ts";

test.each([
  ["status --json", "status --json"],
  ["--context home status --json", "status --json --context home"],
  ["--kubeconfig=a --context b service install -- --x", "service install --kubeconfig=a --context b -- --x"],
  ["", ""],
])("%s", (given, wanted) => {
  expect(rearranged(given.split(" ").filter(Boolean)).join(" ")).toBe(wanted);
});
