import { expect, test } from "vitest";
import { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import { PriorityLevelConfiguration } from "../../kinds/flowcontrol/priority-level-configuration.ts";
import { Model } from "../testing.ts";
import { flowSchemaController } from "./flow-schemas.ts";

const schema = (name: string, level: string): FlowSchema => ({
  metadata: { name },
  spec: { matchingPrecedence: 500, priorityLevelConfiguration: { name: level } },
});
const level = (name: string): PriorityLevelConfiguration => ({
  metadata: { name },
  spec: { type: "Limited", limited: { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" } } },
});

test("a FlowSchema says whether its priority level exists, as that comes and goes", () => {
  const model = new Model([flowSchemaController]);
  const dangling = () => {
    model.rest();
    return model.get(FlowSchema, "mine", "")?.status?.conditions;
  };
  model.create(FlowSchema, schema("mine", "fast"));
  expect(dangling()).toMatchObject([
    {
      type: "Dangling",
      status: "True",
      reason: "NotFound",
      message:
        'This FlowSchema references the PriorityLevelConfiguration object named "fast" but there is no such object',
    },
  ]);
  const fast = model.create(PriorityLevelConfiguration, level("fast"));
  expect(dangling()).toMatchObject([
    {
      type: "Dangling",
      status: "False",
      reason: "Found",
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "fast" and it exists',
    },
  ]);
  model.delete(PriorityLevelConfiguration, fast);
  expect(dangling()).toMatchObject([{ status: "True" }]);
});

test("what is mandatory is made anew, and nothing else", () => {
  const model = new Model([flowSchemaController]);
  for (const name of ["catch-all", "own"]) {
    model.delete(PriorityLevelConfiguration, model.create(PriorityLevelConfiguration, level(name)));
    model.delete(FlowSchema, model.create(FlowSchema, schema(name, "catch-all")));
  }
  model.rest();
  expect(model.list(PriorityLevelConfiguration).map(({ metadata }) => metadata?.name)).toEqual(["catch-all"]);
  expect(model.list(FlowSchema).map(({ metadata }) => metadata?.name)).toEqual(["catch-all"]);
});
