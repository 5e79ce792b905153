import { CRD_CLEANUP, CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import type { Kind } from "../../kinds/kind.ts";
import { withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { ownKey, splitKey } from "../keys.ts";
import { removal } from "../removal.ts";

/** Objects removed by one reconcile; the next one goes on. */
const BURST = 500;

/** Deletes the objects of a CustomResourceDefinition that is being deleted, through their finalizers, then lets it go. */
export const crdFinalizer: Controller = {
  name: "crd-finalizer",
  patient: true,
  watches: "all",
  *keysForAny(kind, object, _old, type) {
    if (kind.groupResource === CustomResourceDefinition.groupResource) yield* ownKey(object);
    else if (type === "DELETED" && kind.refresh) yield `/${kind.groupResource}`;
  },
  reconcile(view, key, { now }) {
    const [, name] = splitKey(key);
    const definition = view.get(CustomResourceDefinition, "", name);
    if (!definition) return [];
    const { metadata } = definition;
    if (!metadata.deletionTimestamp || !metadata.finalizers?.includes(CRD_CLEANUP)) return [];
    const kind = kindOf(view, definition);
    const objects = kind ? view.list(kind) : [];
    const intents = objects.length > 0 ? terminating(definition, now) : [];
    const doomed = objects.filter((object) => !object.metadata?.deletionTimestamp);
    for (const object of doomed.slice(0, BURST)) if (kind) intents.push(removal(kind, object));
    if (doomed.length > BURST) intents.push({ do: "again", afterMs: 0 });
    if (objects.length > 0) return intents;
    return [
      withFinalizers(
        definition,
        (metadata.finalizers ?? []).filter((finalizer) => finalizer !== CRD_CLEANUP),
      ),
    ];
  },
};

function kindOf(view: View, { spec, status }: CustomResourceDefinition): Kind | undefined {
  const kind = status?.acceptedNames?.kind ?? "";
  for (const { name } of spec.versions) {
    const served = view.kind(`${spec.group}/${name}`, kind);
    if (served) return served;
  }
  return undefined;
}

const withFinalizers = (definition: CustomResourceDefinition, finalizers: string[]): Intent => ({
  do: "update",
  kind: CustomResourceDefinition,
  object: { ...definition, metadata: { ...definition.metadata, finalizers } },
});

function terminating(definition: CustomResourceDefinition, now: number): Intent[] {
  if (definition.status?.conditions?.some(({ type, status }) => type === "Terminating" && status === "True")) return [];
  const conditions = withCondition(
    definition.status?.conditions ?? [],
    {
      type: "Terminating",
      status: "True",
      reason: "InstanceDeletionInProgress",
      message: "CustomResource deletion is in progress",
    },
    now,
  );
  const status = { ...definition.status, conditions };
  return [
    {
      do: "updateStatus",
      kind: CustomResourceDefinition,
      object: { ...definition, status } as CustomResourceDefinition,
    },
  ];
}
