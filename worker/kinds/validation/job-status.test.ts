import { describe, expect, it } from "vitest";
import type { BatchV1Job, BatchV1JobStatus } from "../generated/types.ts";
import { indexesProblem, overlapProblem } from "./job-indexes.ts";
import { validateJobStatus } from "./job-status.ts";

const START = "2026-01-01T00:00:00Z";
const END = "2026-01-01T00:01:00Z";
const is = (...types: string[]) => ({ conditions: types.map((type) => ({ type, status: "True" })) });
const problems = (status: BatchV1JobStatus, old: BatchV1JobStatus = {}, spec: Partial<BatchV1Job["spec"]> = {}) => {
  const job = (of: BatchV1JobStatus) => ({ spec: { ...spec }, status: of }) as BatchV1Job;
  return [...validateJobStatus(job(status), job(old))].map(({ field, message }) => `${field}: ${message}`);
};

describe("a Job's status", () => {
  const complete = { ...is("SuccessCriteriaMet", "Complete"), startTime: START, completionTime: END, succeeded: 1 };
  const failed = { ...is("FailureTarget", "Failed"), startTime: START, failed: 1 };

  it("goes from nothing over the criterion to the end", () => {
    const active = { startTime: START, active: 1, ready: 1 };
    const met = { ...is("SuccessCriteriaMet"), startTime: START, succeeded: 1 };
    expect([...problems(active), ...problems(met, active), ...problems(complete, met)]).toEqual([]);
    expect(problems(failed, { ...is("FailureTarget"), startTime: START })).toEqual([]);
  });

  it.each([
    ["without the criterion", is("Complete"), "status.conditions: Invalid value: cannot set Complete=True condition"],
    ["without a time", { ...complete, completionTime: undefined }, "status.completionTime: Required value"],
    ["never started", { ...complete, startTime: undefined }, "status.startTime: Required value"],
    ["before it starts", { ...complete, completionTime: "2025-01-01T00:00:00Z" }, "must be equal to or after"],
    ["with pods", { ...complete, active: 1 }, "status.active: Invalid value: 1: active>0"],
    ["with pods that end", { ...failed, terminating: 1 }, "status.terminating: Invalid value: 1"],
    ["with pods to count", { ...failed, uncountedTerminatedPods: { failed: ["u"] } }, "must be empty"],
    ["both ways", { ...complete, ...is("Complete", "Failed", "SuccessCriteriaMet") }, "Complete=True and Failed=true"],
  ])("does not end %s", (_, status, problem) => {
    expect(problems(status as BatchV1JobStatus)).toContainEqual(expect.stringContaining(problem));
  });

  it("takes nothing back", () => {
    expect(problems({ startTime: END }, failed)).toEqual([
      "status.conditions: Invalid value: cannot disable the terminal Failed=True condition",
      "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition",
      "status.failed: Invalid value: 0: cannot decrease the failed counter",
      "status.startTime: Required value: startTime cannot be removed for unsuspended job",
    ]);
    expect(problems({ ...complete, completionTime: "2026-01-01T00:02:00Z" }, complete)).toEqual([
      'status.completionTime: Invalid value: "2026-01-01T00:02:00Z": field is immutable',
    ]);
  });

  it("of an elastic Indexed Job may count fewer, and a suspended one starts anew", () => {
    const elastic = { completionMode: "Indexed", completions: 1, parallelism: 1 };
    expect(problems({ succeeded: 1 }, { succeeded: 2 }, elastic)).toEqual([]);
    expect(problems({ succeeded: 1 }, { succeeded: 2 })).toHaveLength(1);
    expect(problems({}, { startTime: START }, { suspend: true })).toEqual([]);
  });

  it("that was wrong before keeps what does not change", () => {
    expect(problems({ ...is("Failed"), failed: 1 }, is("Failed"))).toEqual([]);
  });
});

describe("indexes", () => {
  it.each([
    ["", undefined],
    ["0,2-4", undefined],
    ["2-1", "non-increasing order, previous: 2, current: 1"],
    ["0-2,2", "non-increasing order, previous: 2, current: 2"],
    [
      "0-1-2",
      "the fragment \"0-1-2\" violates the requirement that an index interval can have at most two parts separated by '-'",
    ],
    ["a", 'cannot convert string to integer for index: "a"'],
    ["5", 'too large index: "5"'],
  ])("%j", (text, problem) => expect(indexesProblem(text, 5)).toBe(problem));

  it("are failed or completed", () => {
    expect(overlapProblem("0,2-4", "1,5", 9)).toBeUndefined();
    expect(overlapProblem("0,2-4", "1,3-5", 9)).toBe("failedIndexes and completedIndexes overlap at index: 3");
  });
});
