import { expect, test } from "vitest";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { PodDisruptionBudget } from "../../kinds/policy/pod-disruption-budget.ts";
import { timestamp } from "../../lib/effects.ts";
import { replicaSetController } from "../replicaset/replicaset.ts";
import { Model } from "../testing.ts";
import { disruptionController } from "./disruption.ts";

const labels = { app: "web" };

function cluster(replicas: number, spec: PodDisruptionBudget["spec"]): Model {
  const model = new Model([replicaSetController, disruptionController]);
  model.create(PodDisruptionBudget, {
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { matchLabels: labels }, ...spec },
  });
  model.create(ReplicaSet, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "app" }] } },
    },
  });
  model.rest();
  for (const pod of model.list(Pod)) model.setPod(pod, "Running", true);
  model.rest();
  return model;
}

const status = (model: Model) => model.get(PodDisruptionBudget, "web")?.status;
const counts = (model: Model) => {
  const { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed } = status(model) ?? {};
  return [expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed];
};

test("minAvailable as a number counts the pods there are", () => {
  expect(counts(cluster(3, { minAvailable: 2 }))).toEqual([3, 2, 3, 1]);
});

test("minAvailable as a percentage is of what is wanted, rounded up", () => {
  expect(counts(cluster(5, { minAvailable: "50%" }))).toEqual([5, 3, 5, 2]);
});

test("maxUnavailable leaves the rest", () => {
  expect(counts(cluster(5, { maxUnavailable: 1 }))).toEqual([5, 4, 5, 1]);
  expect(counts(cluster(5, { maxUnavailable: "30%" }))).toEqual([5, 3, 5, 2]);
});

test("an unready pod uses up the budget, and the condition says so", () => {
  const model = cluster(3, { maxUnavailable: 1 });
  const [pod] = model.list(Pod);
  if (pod) model.setPod(pod, "Running", false);
  model.rest();
  expect(counts(model)).toEqual([3, 2, 2, 0]);
  expect(status(model)?.conditions).toMatchObject([
    { type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" },
  ]);
});

test("a pod whose eviction was granted counts as gone, for two minutes at most", () => {
  const model = cluster(3, { maxUnavailable: 1 });
  const name = model.list(Pod)[0]?.metadata.name ?? "";
  const budget = model.get(PodDisruptionBudget, "web");
  if (!budget) throw new Error("no budget");
  model.edit(
    PodDisruptionBudget,
    budget,
    (copy) => Object.assign(copy.status ?? {}, { disruptedPods: { [name]: timestamp(model.now) } }),
    "status",
  );
  model.rest();
  expect(counts(model)).toEqual([3, 2, 2, 0]);
  model.advance(121_000);
  expect(counts(model)).toEqual([3, 2, 3, 1]);
  expect(status(model)?.disruptedPods).toBeUndefined();
});
