import { expect, test } from "vitest";
import { builtins } from "../../kinds/builtin.ts";
import type { Kind } from "../../kinds/kind.ts";
import { dropEmptyLists } from "./empty-lists.ts";

const named = (name: string) => builtins.find(({ kind }) => kind === name) as Kind;

test("empty lists that Go writes always are null, wherever they are; others are as they were", () => {
  const role = { rules: [] as unknown[] };
  dropEmptyLists(named("Role"), role as object);
  expect(role).toEqual({ rules: null });
  const deployment = { spec: { template: { spec: { containers: [], volumes: [] } } } };
  dropEmptyLists(named("Deployment"), deployment as object);
  expect(deployment).toEqual({ spec: { template: { spec: { containers: null, volumes: [] } } } });
  const policy = { spec: { podSelector: {}, ingress: [{ from: [] }] } };
  const before = structuredClone(policy);
  dropEmptyLists(named("NetworkPolicy"), policy as object);
  expect(policy).toEqual(before);
});
