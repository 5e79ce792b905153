import { describe, expect, it } from "vitest";
import { rules } from "./index.ts";
import { attachmentCases } from "./testing/attachments.ts";
import { objectCases } from "./testing/objects.ts";
import { podCases } from "./testing/pods.ts";
import { policyCases } from "./testing/policies.ts";
import { restCases } from "./testing/rest.ts";
import { routeCases } from "./testing/routes.ts";
import { siteCases } from "./testing/sites.ts";
import { type Cases, Tale } from "./testing/tale.ts";
import { visitCases } from "./testing/visits.ts";
import { volumeCases } from "./testing/volumes.ts";
import { workloadCases } from "./testing/workloads.ts";
import { writeCases } from "./testing/writes.ts";

const cases: Cases = {
  ...writeCases,
  ...objectCases,
  ...podCases,
  ...policyCases,
  ...workloadCases,
  ...volumeCases,
  ...attachmentCases,
  ...visitCases,
  ...routeCases,
  ...siteCases,
  ...restCases,
};

/** A rule that cannot be broken is worse than none: each has histories that it accepts, and histories that it refuses. */
describe("rules of the simulator", () => {
  for (const rule of rules)
    describe(rule.rule, () => {
      const { good = {}, bad = {} } = cases[rule.rule] ?? {};
      it("has a history that keeps it and one that breaks it", () => {
        expect(Object.keys(good).length).toBeGreaterThan(0);
        expect(Object.keys(bad).length).toBeGreaterThan(0);
      });
      for (const [name, tell] of Object.entries(good))
        it(`accepts ${name}`, () => {
          tell(new Tale(rule));
        });
      for (const [name, tell] of Object.entries(bad))
        it(`refuses ${name}`, () => {
          expect(() => tell(new Tale(rule))).toThrow(`${rule.rule}: `);
        });
    });

  it("has a case for no rule that is not there", () => {
    const known = new Set(rules.map(({ rule }) => rule));
    expect(Object.keys(cases).filter((rule) => !known.has(rule))).toEqual([]);
  });
});
