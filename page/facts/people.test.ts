import { expect, test } from "vitest";
import type { Binding } from "../api/objects.ts";
import { bindingsOf } from "./people.ts";

const bound = (name: string, namespace: string | undefined, subjects: Binding["subjects"]): Binding => ({
  metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "", ...(namespace ? { namespace } : {}) },
  roleRef: { kind: "ClusterRole", name: "view" },
  subjects,
});

test("each subject is told once for each binding, and the control plane's own are left out", () => {
  const found = bindingsOf([
    bound("all", undefined, [{ kind: "Group", name: "team" }]),
    bound("one", "shop", [{ kind: "ServiceAccount", name: "clerk", namespace: "shop" }]),
    bound("system:basic-user", undefined, [{ kind: "Group", name: "system:authenticated" }]),
    bound("nobody", "shop", undefined),
  ]);
  expect(found.map(({ who, role, where }) => [who, role, where])).toEqual([
    ["shop/clerk", "view", "shop"],
    ["team", "view", "all namespaces"],
  ]);
});
