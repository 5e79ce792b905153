import { describe, expect, test } from "vitest";
import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { conditionOf } from "../conditions.ts";
import { garbageCollector } from "../garbage-collector/garbage-collector.ts";
import { Model } from "../testing.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import { jobController } from "./job.ts";
import { jobOrphans } from "./orphans.ts";
import { ttlAfterFinishedController } from "./ttl.ts";

function work(spec: Partial<NonNullable<Job["spec"]>> = {}): Job {
  return {
    metadata: { name: "work", namespace: "default" },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "work" }] } }, ...spec },
  };
}

function cluster(job: Job): Model {
  const model = new Model([jobController, jobOrphans, ttlAfterFinishedController, garbageCollector]);
  model.create(Job, job);
  model.rest();
  return model;
}

const status = (model: Model) => model.get(Job, "work")?.status;
const active = (model: Model) => model.list(Pod).filter(isPodActive);
const condition = (model: Model, type: string) => conditionOf(status(model)?.conditions, type);
const finish = (model: Model, phase: "Succeeded" | "Failed", count = 1) => {
  for (const pod of active(model).slice(0, count)) model.setPod(pod, phase, false);
  model.rest();
};
const edit = (model: Model, spec: Partial<NonNullable<Job["spec"]>>) => {
  model.edit(Job, work(), (job) => Object.assign(job.spec ?? {}, spec));
  model.rest();
};

describe("a Job", () => {
  test("runs one pod, and is complete when it succeeds", () => {
    const model = cluster(work());
    expect(active(model)).toHaveLength(1);
    expect(status(model)).toMatchObject({ active: 1, ready: 0, startTime: "2026-01-01T00:00:00Z" });
    finish(model, "Succeeded");
    expect(status(model)).toMatchObject({ succeeded: 1, completionTime: "2026-01-01T00:00:00Z" });
    expect(status(model)?.conditions).toMatchObject([
      { type: "SuccessCriteriaMet", status: "True", reason: "CompletionsReached" },
      { type: "Complete", status: "True", reason: "CompletionsReached" },
    ]);
    expect(model.list(Pod)).toHaveLength(1);
    expect(model.list(Pod)[0]?.metadata.finalizers ?? []).toEqual([]);
    expect(model.events).toContainEqual(expect.objectContaining({ reason: "Completed", message: "Job completed" }));
  });

  test("runs at most `parallelism` pods at once until `completions` have succeeded", () => {
    const model = cluster(work({ completions: 5, parallelism: 2 }));
    for (let done = 0; done < 5; done++) {
      expect(active(model)).toHaveLength(Math.min(2, 5 - done));
      finish(model, "Succeeded");
    }
    expect(status(model)).toMatchObject({ succeeded: 5 });
    expect(condition(model, "Complete")?.status).toBe("True");
  });

  test("waits longer after each failure, and gives up at backoffLimit", () => {
    const model = cluster(work({ backoffLimit: 2 }));
    finish(model, "Failed");
    expect(active(model)).toHaveLength(0);
    model.advance(9_000);
    expect(active(model)).toHaveLength(0);
    model.advance(2_000);
    expect(active(model)).toHaveLength(1);
    finish(model, "Failed");
    model.advance(19_000);
    expect(active(model)).toHaveLength(0);
    model.advance(2_000);
    finish(model, "Failed");
    expect(condition(model, "Failed")).toMatchObject({
      status: "True",
      reason: "BackoffLimitExceeded",
      message: "Job has reached the specified backoff limit",
    });
    expect(status(model)?.failed).toBe(3);
  });

  test("that takes too long is stopped", () => {
    const model = cluster(work({ activeDeadlineSeconds: 30, parallelism: 2, completions: 2 }));
    model.advance(31_000);
    expect(model.list(Pod)).toEqual([]);
    expect(condition(model, "Failed")).toMatchObject({ status: "True", reason: "DeadlineExceeded" });
  });

  test("that is suspended has no pods; resumed, it starts anew", () => {
    const model = cluster(work({ suspend: true }));
    expect(model.list(Pod)).toEqual([]);
    expect(condition(model, "Suspended")).toMatchObject({ status: "True", reason: "JobSuspended" });
    expect(status(model)?.startTime).toBeUndefined();
    edit(model, { suspend: false });
    expect(active(model)).toHaveLength(1);
    expect(condition(model, "Suspended")).toMatchObject({ status: "False", reason: "JobResumed" });
    edit(model, { suspend: true });
    expect(active(model)).toHaveLength(0);
    expect(status(model)?.failed).toBeUndefined();
  });

  test("counts a pod that is deleted while it runs as failed, and replaces it", () => {
    const model = cluster(work());
    const [pod] = active(model);
    if (pod) model.delete(Pod, pod);
    model.advance(11_000);
    expect(status(model)?.failed).toBe(1);
    expect(active(model)).toHaveLength(1);
  });

  test("goes with its pods in the foreground, though they are tracked", () => {
    const model = cluster(work({ parallelism: 2, completions: 2 }));
    model.delete(Job, model.get(Job, "work") ?? {}, { propagationPolicy: "Foreground" });
    model.rest();
    expect(model.list(Pod)).toEqual([]);
    expect(model.get(Job, "work")).toBeUndefined();
  });

  test("that is gone leaves no pod that cannot be deleted", () => {
    const model = cluster(work());
    model.delete(Job, model.get(Job, "work") ?? {}, { propagationPolicy: "Background" });
    model.rest();
    expect(model.list(Pod)).toEqual([]);
  });

  test("that is made anew at once does not keep the former one's pods from leaving", () => {
    const model = cluster(work());
    model.delete(Job, model.get(Job, "work") ?? {}, { propagationPolicy: "Background" });
    model.create(Job, work());
    model.rest();
    expect(model.list(Pod)).toHaveLength(1);
    expect(model.list(Pod)[0]?.metadata.ownerReferences?.[0]?.uid).toBe(model.get(Job, "work")?.metadata.uid);
  });

  test("that leaves its pods behind leaves none that cannot be deleted", () => {
    const model = cluster(work());
    model.delete(Job, model.get(Job, "work") ?? {}, { propagationPolicy: "Orphan" });
    model.rest();
    const [pod] = model.list(Pod);
    expect(pod?.metadata.ownerReferences ?? []).toEqual([]);
    expect(pod?.metadata.finalizers ?? []).toEqual([]);
  });

  test("is deleted ttlSecondsAfterFinished later", () => {
    const model = cluster(work({ ttlSecondsAfterFinished: 60 }));
    finish(model, "Succeeded");
    model.advance(59_000);
    expect(model.get(Job, "work")).toBeDefined();
    model.advance(2_000);
    expect(model.get(Job, "work")).toBeUndefined();
    expect(model.list(Pod)).toEqual([]);
  });
});

describe("an Indexed Job", () => {
  const indexes = (model: Model) =>
    active(model).map(({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"]);

  test("gives each pod an index, and repeats those that fail", () => {
    const model = cluster(work({ completionMode: "Indexed", completions: 3, parallelism: 3 }));
    expect(indexes(model).sort()).toEqual(["0", "1", "2"]);
    const pod = active(model).find(({ metadata }) => metadata.name?.startsWith("work-1-"));
    expect(pod?.spec.hostname).toBe("work-1");
    expect(pod?.spec.containers[0]?.env).toMatchObject([{ name: "JOB_COMPLETION_INDEX" }]);
    if (pod) model.setPod(pod, "Failed", false);
    model.advance(11_000);
    expect(indexes(model).sort()).toEqual(["0", "1", "2"]);
    finish(model, "Succeeded", 3);
    expect(status(model)).toMatchObject({ succeeded: 3, failed: 1, completedIndexes: "0-2" });
    expect(condition(model, "Complete")?.status).toBe("True");
  });

  test("writes indexes as ranges", () => {
    expect(formatIndexes([5, 0, 1, 2, 8, 9])).toBe("0-2,5,8,9");
    expect([...parseIndexes("0-2,5,8,9")]).toEqual([0, 1, 2, 5, 8, 9]);
    expect(formatIndexes([])).toBe("");
  });
});
