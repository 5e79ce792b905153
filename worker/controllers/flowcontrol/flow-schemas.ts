import { FlowSchema } from "../../kinds/flowcontrol/flow-schema.ts";
import { MANDATORY_LEVELS, MANDATORY_SCHEMAS } from "../../kinds/flowcontrol/mandatory.ts";
import { PriorityLevelConfiguration } from "../../kinds/flowcontrol/priority-level-configuration.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import { timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";

/** Keys of priority levels; those of FlowSchemas are their own. */
const LEVEL = "level";

const levelOf = ({ spec }: Readonly<FlowSchema>) => spec?.priorityLevelConfiguration.name ?? "";

/**
 * Says of each FlowSchema whether its priority level exists, and makes anew what must exist.
 * https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#flowschema
 */
export const flowSchemaController: Controller = {
  name: "apf-config-controller",
  watches: [
    watch(FlowSchema, ownKey),
    watch(PriorityLevelConfiguration, function* ({ metadata: { name = "" } }, _, view) {
      yield `${LEVEL}/${name}`;
      for (const schema of view.list(FlowSchema)) if (levelOf(schema) === name) yield keyOf(schema);
    }),
  ],
  reconcile(view, key, { now }) {
    const [type, name] = splitKey(key);
    if (type === LEVEL) return restored(PriorityLevelConfiguration, view, name, MANDATORY_LEVELS);
    const schema = view.get(FlowSchema, "", name);
    if (!schema) return restored(FlowSchema, view, name, MANDATORY_SCHEMAS);
    const wanted = danglingCondition(levelOf(schema), view);
    const known = schema.status?.conditions?.find(({ type }) => type === wanted.type);
    if (known && same({ ...known, lastTransitionTime: undefined }, { ...wanted, lastTransitionTime: undefined }))
      return [];
    const conditions = [{ ...wanted, lastTransitionTime: timestamp(now) }];
    return [{ do: "updateStatus", kind: FlowSchema, object: { ...schema, status: { conditions } } }];
  },
};

function danglingCondition(level: string, view: View) {
  const exists = view.get(PriorityLevelConfiguration, "", level) !== undefined;
  const referenced = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  return exists
    ? { type: "Dangling", status: "False", reason: "Found", message: `${referenced} and it exists` }
    : { type: "Dangling", status: "True", reason: "NotFound", message: `${referenced} but there is no such object` };
}

function restored<T extends KubeObject>(kind: Kind<T>, view: View, name: string, mandatory: readonly T[]): Intent[] {
  const wanted = mandatory.find(({ metadata }) => metadata?.name === name);
  if (!wanted || view.get(kind, "", name)) return [];
  return [
    {
      do: "create",
      kind: kind as unknown as Kind,
      object: { apiVersion: kind.apiVersion, kind: kind.kind, ...wanted },
    },
  ];
}
