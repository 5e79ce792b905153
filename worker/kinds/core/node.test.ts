import { expect, it } from "vitest";
import { Node } from "./node.ts";

function cells(node: Node): Record<string, unknown> {
  return Object.fromEntries(Node.columns.map(({ name, value }) => [name, value(node, 0)]));
}

it("a node shows its readiness, whether it takes pods, and its roles", () => {
  const labels = {
    "node-role.kubernetes.io/worker": "",
    "node-role.kubernetes.io/edge": "",
    "kubernetes.io/role": "x",
  };
  const conditions = [{ type: "Ready", status: "True" }];
  const shown = cells({ metadata: { name: "n", labels }, spec: { unschedulable: true }, status: { conditions } });
  expect([shown.Status, shown.Roles, shown["Internal-IP"]]).toEqual([
    "Ready,SchedulingDisabled",
    "edge,worker,x",
    "<none>",
  ]);
  expect(cells({ metadata: { name: "n" }, spec: {} })).toMatchObject({ Status: "Unknown", Roles: "<none>" });
});

it("a node registers with the status it sends, and its amounts become canonical", () => {
  const node: Node = { metadata: { name: "n" }, spec: {}, status: { capacity: { cpu: "2000m", memory: "1048576Ki" } } };
  Node.default(node);
  Node.prepareForCreate(node);
  expect(node.status?.capacity).toEqual({ cpu: "2", memory: "1Gi" });
  expect(node.status?.allocatable).toEqual({ cpu: "2", memory: "1Gi" });
});

it("a taint is not there twice", () => {
  const taint = { key: "a", effect: "NoSchedule" };
  const node: Node = { metadata: { name: "n" }, spec: { taints: [taint, { ...taint, effect: "NoExecute" }] } };
  expect([...Node.validateCreate(node)]).toEqual([]);
  node.spec?.taints?.push(taint);
  expect([...Node.validateCreate(node)].map(({ field, reason }) => [field, reason])).toEqual([
    ["metadata.taints[2]", "FieldValueDuplicate"],
  ]);
});
