import { expect, test } from "vitest";
import { selectorText } from "./logs.ts";

test("a workload's selector becomes a query's", () => {
  const matchExpressions = [
    { key: "tier", operator: "In", values: ["a", "b"] },
    { key: "tier", operator: "NotIn", values: ["c"] },
    { key: "own", operator: "Exists" },
    { key: "other", operator: "DoesNotExist" },
  ];
  expect(selectorText({ matchLabels: { app: "web" }, matchExpressions })).toBe(
    "app=web,tier in (a,b),tier notin (c),own,!other",
  );
});
