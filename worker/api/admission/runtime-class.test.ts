import { expect, it } from "vitest";
import { ns, pod, session } from "../testing/session.ts";

const withClass = (rest: object) => {
  const made = session();
  made.ok("POST", "/apis/node.k8s.io/v1/runtimeclasses", { metadata: { name: "heavy" }, handler: "heavy", ...rest });
  return made;
};
const heavy = (more: object = {}) => pod("a", { runtimeClassName: "heavy", ...more });

it("a pod costs what its RuntimeClass costs", () => {
  const { ok, send } = withClass({ overhead: { podFixed: { cpu: "0.25", memory: "64Mi" } } });
  expect(ok("POST", `${ns}/pods`, heavy()).spec.overhead).toEqual({ cpu: "250m", memory: "64Mi" });
  const { code, body } = send("POST", `${ns}/pods`, heavy({ overhead: { cpu: "1" } }));
  expect([code, body.message]).toEqual([
    403,
    "pods \"a\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
  ]);
});

it("a pod has no overhead that no class gave it, and no class that is not there", () => {
  const { send } = session();
  expect(send("POST", `${ns}/pods`, pod("a", { overhead: { cpu: "1" } })).body.message).toContain(
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
  );
  expect(send("POST", `${ns}/pods`, heavy()).body.message).toBe(
    'pods "a" is forbidden: pod rejected: RuntimeClass "heavy" not found',
  );
});

it("a pod goes where its RuntimeClass runs", () => {
  const given = { key: "heavy", operator: "Exists" };
  const narrower = { key: "heavy", operator: "Equal", value: "yes", effect: "NoSchedule" };
  const { ok, send } = withClass({ scheduling: { nodeSelector: { disk: "big" }, tolerations: [given] } });
  const { spec } = ok("POST", `${ns}/pods`, heavy({ nodeSelector: { zone: "a" }, tolerations: [narrower] }));
  expect(spec.nodeSelector).toEqual({ zone: "a", disk: "big" });
  expect(spec.tolerations).toContainEqual(given);
  expect(spec.tolerations).not.toContainEqual(narrower);
  expect(send("POST", `${ns}/pods`, heavy({ nodeSelector: { disk: "small" } })).body.message).toContain(
    "conflict: runtimeClass.scheduling.nodeSelector[disk] = big; pod.spec.nodeSelector[disk] = small",
  );
});
