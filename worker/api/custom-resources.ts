/** Serves what CustomResourceDefinitions declare, from the moment that their names are accepted. */
import { CustomResourceDefinition, isEstablished } from "../kinds/apiextensions/custom-resource-definition.ts";
import { customKinds } from "../kinds/custom/custom-kind.ts";
import type { Kind } from "../kinds/kind.ts";
import { same } from "../kinds/paths.ts";
import type { Kinds } from "../kinds/registry.ts";
import type { Store } from "../storage/store.ts";
import { compareVersions } from "./discovery/groups.ts";

type Served = { definition: CustomResourceDefinition; kinds: readonly Kind[] };

const RESOURCE = CustomResourceDefinition.groupResource;

/** Keeps `kinds` as the stored definitions say: now, and after every commit. */
export function serveCustomResources(store: Store, kinds: Kinds): void {
  const served = new Map<string, Served>();

  const settle = (name: string, definition: CustomResourceDefinition | undefined) => {
    const before = served.get(name);
    if (before && definition && isSame(before.definition, definition)) return;
    for (const kind of before?.kinds ?? []) kinds.remove(kind);
    served.delete(name);
    if (!definition || !isEstablished(definition)) return;
    const made = customKinds(definition).toSorted((a, b) => compareVersions(a.version, b.version));
    for (const kind of made) kinds.add(kind);
    served.set(name, { definition, kinds: made });
  };

  for (const { name, json } of store.list({ resource: RESOURCE }).items) settle(name, JSON.parse(json));
  store.onChange((changes) => {
    for (const { resource, name, type, json } of changes)
      if (resource === RESOURCE) settle(name, type === "DELETED" ? undefined : JSON.parse(json));
  });
}

const isSame = (a: CustomResourceDefinition, b: CustomResourceDefinition) =>
  same(a.spec, b.spec) &&
  same(a.status?.acceptedNames, b.status?.acceptedNames) &&
  isEstablished(b) &&
  a.metadata.deletionTimestamp === b.metadata.deletionTimestamp;
