import { describe, expect, test } from "vitest";
import { CronJob } from "../../kinds/batch/cron-job.ts";
import { Job } from "../../kinds/batch/job.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive } from "../../kinds/core/pod-conditions.ts";
import { garbageCollector } from "../garbage-collector/garbage-collector.ts";
import { jobController } from "../job/job.ts";
import { Model } from "../testing.ts";
import { cronJobController } from "./cronjob.ts";
import { nextTime, parseSchedule } from "./schedule.ts";

const MINUTE = 60_000;

describe("a schedule comes round", () => {
  const cases: [schedule: string, after: string, next: string, zone?: string][] = [
    ["*/5 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"],
    ["0 3 * * *", "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"],
    ["30 8 * * mon-fri", "2026-01-02T09:00:00Z", "2026-01-05T08:30:00Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["0 0 13 * fri", "2026-01-03T00:00:00Z", "2026-01-09T00:00:00Z"],
    ["@monthly", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"],
    ["@every 90s", "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"],
    ["0 9 * * *", "2026-01-01T00:00:00Z", "2026-01-01T14:00:00Z", "America/New_York"],
    ["0 9 * * *", "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z", "Europe/Berlin"],
    ["0 12 * * *", "2018-11-03T20:00:00Z", "2018-11-04T14:00:00Z", "America/Sao_Paulo"],
    ["0 0 5 11 *", "2018-11-03T20:00:00Z", "2018-11-05T02:00:00Z", "America/Sao_Paulo"],
    ["0 0 * * *", "2026-10-25T12:00:00Z", "2026-10-25T23:00:00Z", "Europe/Berlin"],
  ];
  test.each(cases)("%s after %s: %s %s", (schedule, after, next, zone) => {
    expect(nextTime(parseSchedule(schedule), Date.parse(after), zone)).toBe(Date.parse(next));
  });

  test("or never", () => {
    expect(nextTime(parseSchedule("0 0 30 2 *"), Date.parse("2026-01-01T00:00:00Z"))).toBeUndefined();
  });
});

function cluster(spec: Partial<CronJob["spec"]> = {}): Model {
  const model = new Model([cronJobController, jobController, garbageCollector]);
  model.create(CronJob, {
    metadata: { name: "tick", namespace: "default" },
    spec: {
      schedule: "*/5 * * * *",
      jobTemplate: {
        spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "work" }] } } },
      },
      ...spec,
    },
  });
  model.rest();
  return model;
}

const jobs = (model: Model) => model.list(Job).map(({ metadata }) => metadata.name);
const finish = (model: Model) => {
  for (const pod of model.list(Pod).filter(isPodActive)) model.setPod(pod, "Succeeded", false);
  model.rest();
};
const at = (minutes: number) => `tick-${Date.parse("2026-01-01T00:00:00Z") / MINUTE + minutes}`;

describe("a CronJob", () => {
  test("makes a Job at each time, and knows those that run", () => {
    const model = cluster();
    model.advance(11 * MINUTE);
    expect(jobs(model)).toEqual([at(5), at(10)]);
    const status = () => model.get(CronJob, "tick")?.status;
    expect(status()?.lastScheduleTime).toBe("2026-01-01T00:10:00Z");
    expect(status()?.active?.map(({ name }) => name)).toEqual([at(5), at(10)]);
    finish(model);
    expect(status()?.active).toBeUndefined();
    expect(status()?.lastSuccessfulTime).toBe("2026-01-01T00:11:00Z");
    expect(model.events).toContainEqual(
      expect.objectContaining({
        reason: "SawCompletedJob",
        message: `Saw completed job: ${at(5)}, condition: Complete`,
      }),
    );
  });

  test("with Forbid waits for the one that runs, with Replace ends it", () => {
    const forbid = cluster({ concurrencyPolicy: "Forbid" });
    forbid.advance(11 * MINUTE);
    expect(jobs(forbid)).toEqual([at(5)]);
    const replace = cluster({ concurrencyPolicy: "Replace" });
    replace.advance(11 * MINUTE);
    expect(jobs(replace)).toEqual([at(10)]);
    expect(replace.events).not.toContainEqual(expect.objectContaining({ reason: "MissingJob" }));
  });

  test("says that a Job is missing once it is gone, and waits until then with Forbid", () => {
    const model = cluster({ concurrencyPolicy: "Forbid" });
    model.advance(6 * MINUTE);
    const job = model.get(Job, at(5)) as Job;
    const holdBy = (...finalizers: string[]) =>
      model.edit(Job, job, (copy) => Object.assign(copy.metadata, { finalizers }));
    holdBy("example.com/held");
    const missing = expect.objectContaining({ reason: "MissingJob", message: `Active job went missing: ${at(5)}` });
    model.delete(Job, job);
    model.advance(5 * MINUTE);
    expect(jobs(model)).toEqual([at(5)]);
    expect(model.events).not.toContainEqual(missing);
    holdBy();
    model.rest();
    expect(jobs(model)).toEqual([at(10)]);
    expect(model.events).toContainEqual(missing);
  });

  test("that is suspended makes none", () => {
    const model = cluster({ suspend: true });
    model.advance(60 * MINUTE);
    expect(jobs(model)).toEqual([]);
  });

  test("keeps as many finished Jobs as its limits say", () => {
    const model = cluster({ successfulJobsHistoryLimit: 2 });
    for (let i = 0; i < 5; i++) {
      model.advance(5 * MINUTE);
      finish(model);
    }
    expect(jobs(model)).toEqual([at(20), at(25)]);
  });

  test("that slept through many times runs once, for the last", () => {
    const model = cluster();
    model.now += 10_000 * MINUTE + 1000;
    model.advance(1000);
    expect(jobs(model)).toEqual([at(10_000)]);
    expect(model.events).toContainEqual(expect.objectContaining({ reason: "TooManyMissedTimes" }));
  });

  test("does not start later than startingDeadlineSeconds", () => {
    const model = cluster({ startingDeadlineSeconds: 60 });
    model.now += 7 * MINUTE;
    model.advance(1000);
    expect(jobs(model)).toEqual([]);
    model.advance(3 * MINUTE);
    expect(jobs(model)).toEqual([at(10)]);
  });
});
