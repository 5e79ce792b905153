import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { APIService } from "../../kinds/apiregistration/api-service.ts";
import { same } from "../../kinds/paths.ts";
import type { Controller, View } from "../controller.ts";
import { ownKey, splitKey, watch } from "../keys.ts";

/** Marks what this controller keeps; the label's other value, `onstart`, is of what is made once. */
const MANAGED = { "kube-aggregator.kubernetes.io/automanaged": "true" } as const;
const [[LABEL, ALWAYS]] = Object.entries(MANAGED) as [[string, string]];

/** Custom resources come after everything built in, and their versions in the order of their names. */
const GROUP_PRIORITY = 1000;
const VERSION_PRIORITY = 100;

/** What is served of a definition. */
const SERVED = {
  kind: CustomResourceDefinition,
  of: ({ spec }: Readonly<CustomResourceDefinition>) => ({
    group: spec.group,
    versions: spec.versions.filter(({ served }) => served).map(({ name }) => name),
  }),
};

const nameOf = (group: string, version: string) => `${version}.${group}`;

/**
 * An APIService for each group and version that CustomResourceDefinitions serve. One that somebody else made for them is
 * left alone.
 */
export const crdRegistrationController: Controller = {
  name: "crd-autoregister",
  watches: [
    watch(CustomResourceDefinition, function* (definition, old) {
      for (const { spec } of old ? [definition, old] : [definition])
        for (const { name } of spec.versions) yield `/${nameOf(spec.group, name)}`;
    }),
    watch(APIService, function* (service) {
      if (service.metadata.labels?.[LABEL] === ALWAYS) yield* ownKey(service);
    }),
  ],
  reconcile(view, key) {
    const [, name] = splitKey(key);
    const current = view.get(APIService, "", name);
    const spec = wanted(view, name);
    if (!current) {
      const object = { metadata: { name, labels: { ...MANAGED } }, spec } as APIService;
      return spec ? [{ do: "create", kind: APIService, object }] : [];
    }
    const { labels, uid = "" } = current.metadata;
    if (labels?.[LABEL] !== ALWAYS) return [];
    if (!spec) return [{ do: "delete", kind: APIService, namespace: "", name, uid }];
    return same(spec, current.spec)
      ? []
      : [{ do: "update", kind: APIService, object: { ...current, spec } as APIService }];
  },
};

function wanted(view: View, name: string): APIService["spec"] | undefined {
  const [version = ""] = name.split(".", 1);
  const group = name.slice(version.length + 1);
  for (const served of view.digest(SERVED).values())
    if (served.group === group && served.versions.includes(version))
      return { group, version, groupPriorityMinimum: GROUP_PRIORITY, versionPriority: VERSION_PRIORITY };
  return undefined;
}
