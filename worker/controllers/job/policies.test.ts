import { describe, expect, test } from "vitest";
import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { timestamp } from "../../lib/effects.ts";
import { conditionOf } from "../conditions.ts";
import { Model } from "../testing.ts";
import { jobController } from "./job.ts";

type Spec = NonNullable<Job["spec"]>;

function cluster(spec: Partial<Spec>): Model {
  const model = new Model([jobController]);
  model.create(Job, {
    metadata: { name: "work", namespace: "default" },
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "work" }] } }, ...spec },
  });
  model.rest();
  return model;
}

const status = (model: Model) => model.get(Job, "work")?.status;
const condition = (model: Model, type: string) => conditionOf(status(model)?.conditions, type);
const active = (model: Model) => model.list(Pod).filter(isPodActive);
const indexed = { completionMode: "Indexed", completions: 3, parallelism: 3 };
const podOf = (model: Model, index: number) =>
  active(model).find(({ metadata }) => metadata.name?.startsWith(`work-${index}-`)) as Pod;

/** The pod ends with an exit code, or with a condition. */
function end(model: Model, pod: Pod, exitCode: number, type?: string): void {
  model.edit(
    Pod,
    pod,
    (copy) => {
      const state = { terminated: { exitCode, reason: "Error", finishedAt: timestamp(model.now) } };
      copy.status = {
        phase: exitCode === 0 ? "Succeeded" : "Failed",
        containerStatuses: [{ name: "c", image: "work", imageID: "", ready: false, restartCount: 0, state }],
        ...(type && { conditions: [{ type, status: "True" }] }),
      };
    },
    "status",
  );
  model.rest();
}

describe("a pod failure policy", () => {
  const onExit = (action: string, ...values: number[]): Partial<Spec> => ({
    backoffLimit: 3,
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values } }] },
  });

  test("fails the whole Job by one exit code", () => {
    const model = cluster({ ...onExit("FailJob", 42), parallelism: 2, completions: 2 });
    const [pod] = active(model);
    if (pod) end(model, pod, 42);
    const message = `Container c for pod default/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`;
    expect(condition(model, "FailureTarget")).toMatchObject({ reason: "PodFailurePolicy", message });
    expect(condition(model, "Failed")).toMatchObject({ status: "True", reason: "PodFailurePolicy", message });
    expect(active(model)).toEqual([]);
  });

  test("leaves other exit codes to the backoff limit", () => {
    const model = cluster(onExit("FailJob", 42));
    end(model, active(model)[0] as Pod, 1);
    expect(status(model)).toMatchObject({ failed: 1 });
    expect(condition(model, "Failed")).toBeUndefined();
  });

  test("ignores failures by a condition of the pod", () => {
    const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }];
    const model = cluster({ backoffLimit: 0, podFailurePolicy: { rules } });
    end(model, active(model)[0] as Pod, 137, "DisruptionTarget");
    model.advance(11_000);
    expect(status(model)?.failed).toBeUndefined();
    expect(active(model)).toHaveLength(1);
    end(model, active(model)[0] as Pod, 137);
    expect(condition(model, "Failed")).toMatchObject({ reason: "BackoffLimitExceeded" });
  });
});

describe("a limit of failures for each index", () => {
  test("gives an index up at its limit, and ends as failed when all others have succeeded", () => {
    const model = cluster({ ...indexed, backoffLimitPerIndex: 1 });
    end(model, podOf(model, 0), 0);
    end(model, podOf(model, 1), 1);
    expect(status(model)).toMatchObject({ completedIndexes: "0", failedIndexes: "" });
    model.advance(11_000);
    expect(podOf(model, 1).metadata.annotations).toMatchObject({ "batch.kubernetes.io/job-index-failure-count": "1" });
    end(model, podOf(model, 1), 1);
    expect(status(model)).toMatchObject({ failed: 2, failedIndexes: "1" });
    model.advance(60_000);
    expect(active(model)).toHaveLength(1);
    end(model, podOf(model, 2), 0);
    expect(status(model)).toMatchObject({ succeeded: 2, failed: 2, completedIndexes: "0,2", failedIndexes: "1" });
    expect(condition(model, "Failed")).toMatchObject({ reason: "FailedIndexes", message: "Job has failed indexes" });
  });

  test("waits for each index alone", () => {
    const model = cluster({ ...indexed, backoffLimitPerIndex: 5 });
    end(model, podOf(model, 1), 1);
    model.advance(5_000);
    end(model, podOf(model, 2), 1);
    model.advance(6_000);
    expect(podOf(model, 1)).toBeDefined();
    expect(podOf(model, 2)).toBeUndefined();
    model.advance(5_000);
    expect(podOf(model, 2)).toBeDefined();
  });

  test("ends the Job when more indexes have failed than may", () => {
    const model = cluster({ ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 1 });
    end(model, podOf(model, 0), 1);
    expect(condition(model, "FailureTarget")).toBeUndefined();
    end(model, podOf(model, 1), 1);
    expect(condition(model, "Failed")).toMatchObject({ reason: "MaxFailedIndexesExceeded" });
    expect(status(model)).toMatchObject({ failedIndexes: "0,1" });
  });

  test("is not waited for when a policy gives the index up at once", () => {
    const rules = [{ action: "FailIndex", onExitCodes: { operator: "NotIn", values: [1] } }];
    const model = cluster({ ...indexed, backoffLimitPerIndex: 5, podFailurePolicy: { rules } });
    end(model, podOf(model, 0), 42);
    end(model, podOf(model, 1), 1);
    expect(status(model)).toMatchObject({ failedIndexes: "0" });
  });
});

describe("a success policy", () => {
  test.each([
    [{ succeededIndexes: "0,2" }, [0, 2]],
    [{ succeededCount: 1 }, [1]],
    [{ succeededIndexes: "1-2", succeededCount: 1 }, [2]],
  ])("%j is met by the success of %j", (rule, winners) => {
    const model = cluster({ ...indexed, successPolicy: { rules: [rule] } });
    for (const index of winners) {
      expect(condition(model, "SuccessCriteriaMet")).toBeUndefined();
      end(model, podOf(model, index), 0);
    }
    const met = { status: "True", reason: "SuccessPolicy", message: "Matched rules at index 0" };
    expect(condition(model, "SuccessCriteriaMet")).toMatchObject(met);
    expect(condition(model, "Complete")).toMatchObject(met);
    expect(active(model)).toEqual([]);
    expect(status(model)?.failed).toBeUndefined();
  });
});
