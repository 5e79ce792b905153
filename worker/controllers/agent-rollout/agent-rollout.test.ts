import { expect, test } from "vitest";
import { ConfigMap } from "../../kinds/core/config-map.ts";
import { Node } from "../../kinds/core/node.ts";
import { FAILED_VERSION, ROLLOUT, ROLLOUT_NAMESPACE, WANTED_SINCE, WANTED_VERSION } from "../../lib/agent-rollout.ts";
import { Model } from "../testing.ts";
import { agentRolloutController } from "./agent-rollout.ts";

const MINUTE = 60_000;

/** A cluster of so many nodes that run 1.0, and a rollout of 2.0. */
function cluster(nodes: number, data: Record<string, string> = {}) {
  const model = new Model([agentRolloutController]);
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const runs = (name: string, version: string) =>
    model.edit(
      Node,
      { metadata: { name }, spec: {} },
      (node) => {
        node.status = { ...node.status, nodeInfo: { kubeletVersion: `v1.35.4+skerry.${version}` } } as Node["status"];
      },
      "status",
    );
  for (const name of names) {
    model.addNode(name);
    runs(name, "1.0");
  }
  const metadata = { name: ROLLOUT, namespace: ROLLOUT_NAMESPACE };
  model.create(ConfigMap, { metadata, data: { version: "2.0", percent: "50", timeoutSeconds: "300", ...data } });
  model.rest();
  const annotations = (name: string) => model.get(Node, name)?.metadata.annotations ?? {};
  const told = () => names.filter((name) => annotations(name)[WANTED_VERSION] === "2.0");
  const rollout = () => model.get(ConfigMap, ROLLOUT, ROLLOUT_NAMESPACE)?.data ?? {};
  const step = (body: () => void) => {
    body();
    model.rest();
  };
  return { model, runs, told, rollout, step, annotations };
}

test("one node goes first, then a share of them, and in the end all have it", () => {
  const { told, rollout, runs, step, annotations } = cluster(4);
  expect([told(), rollout().state]).toEqual([["n0"], "Progressing"]);
  step(() => runs("n0", "2.0"));
  expect(told()).toEqual(["n0", "n1", "n2"]);
  expect(annotations("n0")[WANTED_SINCE]).toBeUndefined();
  step(() => runs("n2", "2.0"));
  expect(told()).toEqual(["n0", "n1", "n2", "n3"]);
  step(() => runs("n1", "2.0"));
  step(() => runs("n3", "2.0"));
  expect(rollout()).toMatchObject({ state: "Complete", message: "4 of 4 nodes have 2.0" });
});

test("it stops at a node that came back from the new version, and says why", () => {
  const { model, told, rollout, step } = cluster(3);
  step(() =>
    model.edit(Node, { metadata: { name: "n0" }, spec: {} }, (node) => {
      node.metadata.annotations = { ...node.metadata.annotations, [FAILED_VERSION]: "2.0: ended 3 times" };
    }),
  );
  expect(told()).toEqual(["n0"]);
  expect(rollout()).toMatchObject({ state: "Stopped" });
  expect(rollout().message).toContain("node n0: ended 3 times");
});

test("it stops at a node that is not back, or not Ready, in its time", () => {
  const { model, told, rollout, step, runs } = cluster(3);
  step(() => model.setNodeReady("n0", "Unknown"));
  step(() => model.advance(4 * MINUTE));
  expect(rollout().state).toBe("Progressing");
  step(() => runs("n0", "2.0"));
  step(() => model.advance(2 * MINUTE));
  expect([told(), rollout().state]).toEqual([["n0"], "Stopped"]);
  expect(rollout().message).toContain("n0: is not Ready 300 s after it was told");
  step(() => model.setNodeReady("n0", "True"));
  expect(rollout().state).toBe("Progressing");
  expect(told()).toContain("n1");
});

test("nodes that are away hold nothing up, and are told when they are back", () => {
  const { model, told, rollout, step, runs } = cluster(2);
  step(() => model.setNodeReady("n1", "Unknown"));
  step(() => runs("n0", "2.0"));
  expect(rollout()).toMatchObject({ state: "Complete" });
  expect(rollout().message).toContain("1 cannot be told");
  step(() => model.setNodeReady("n0", "Unknown"));
  step(() => model.advance(60 * MINUTE));
  expect(rollout().state).toBe("Complete");
  step(() => model.setNodeReady("n1", "True"));
  expect([told(), rollout().state]).toEqual([["n0", "n1"], "Progressing"]);
});

test("nobody is told while it is paused, nor where nothing is wanted", () => {
  const paused = cluster(2, { paused: "true" });
  expect([paused.told(), paused.rollout().state]).toEqual([[], "Paused"]);
  const nothing = cluster(2, { version: "" });
  expect([nothing.told(), nothing.rollout().state]).toEqual([[], undefined]);
});
