import fc from "fast-check";
import { expect, test } from "vitest";
import { Deployment } from "../../kinds/apps/deployment.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodReady } from "../../kinds/core/pod-conditions.ts";
import type { Model } from "../testing.ts";
import { bind, cluster, run, setImage, web } from "./testing.ts";

type Strategy = NonNullable<Deployment["spec"]["strategy"]>;

test("maxSurge and maxUnavailable hold at every instant, in whatever order pods come up, go and fail", () => {
  const percent = fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`);
  const bound = fc.oneof(fc.integer({ min: 0, max: 4 }), percent);
  const plan = fc.record({
    replicas: fc.integer({ min: 1, max: 7 }),
    maxSurge: bound,
    maxUnavailable: bound,
    picks: fc.array(fc.nat(), { minLength: 30, maxLength: 80 }),
    rollovers: fc.array(fc.nat({ max: 29 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(plan, ({ replicas, maxSurge, maxUnavailable, picks, rollovers }) => {
      const model = cluster();
      const strategy: Strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } };
      model.create(Deployment, web(replicas, "app:0", { strategy }));
      run(model);
      const limits = limitsOf(replicas, maxSurge, maxUnavailable);
      let before = replicas;
      let nodeActs = false;
      model.onWrite = () => {
        const active = model.list(Pod).filter(isPodActive);
        expect(active.length).toBeLessThanOrEqual(limits.most);
        const available = active.filter(isPodReady).length;
        // A node may make pods unready; controllers may not take ready ones below the floor.
        if (available < before && !nodeActs) expect(available).toBeGreaterThanOrEqual(limits.least);
        before = available;
      };
      setImage(model, "app:1");
      model.rest();
      picks.forEach((pick, step) => {
        if (rollovers.includes(step)) setImage(model, `app:${step + 2}`);
        nodeActs = true;
        nodeActsOn(model, pick);
        nodeActs = false;
        model.rest();
      });
      run(model);
      expect(model.get(Deployment, "web")?.status).toMatchObject({
        replicas,
        updatedReplicas: replicas,
        availableReplicas: replicas,
      });
      expect(model.list(Pod)).toHaveLength(replicas);
    }),
    { numRuns: 20 },
  );
});

function limitsOf(replicas: number, maxSurge: number | string, maxUnavailable: number | string) {
  const value = (v: number | string, round: (n: number) => number) =>
    typeof v === "number" ? v : round((Number.parseInt(v, 10) * replicas) / 100);
  const surge = value(maxSurge, Math.ceil);
  const unavailable = value(maxUnavailable, Math.floor);
  return { most: replicas + surge, least: replicas - (surge + unavailable === 0 ? 1 : unavailable) };
}

/** One pod, picked by chance, takes its next step: bound, ready, sometimes unready again, gone. */
function nodeActsOn(model: Model, pick: number): void {
  const pods = model.list(Pod);
  const pod = pods[pick % pods.length];
  if (!pod) return;
  if (pod.metadata.deletionTimestamp) model.endPod(pod);
  else if (!pod.spec.nodeName) bind(model, pod);
  else model.setPod(pod, "Running", !isPodReady(pod) || pick % 5 !== 0);
}
