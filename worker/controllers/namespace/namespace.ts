import { Namespace } from "../../kinds/core/namespace.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Kind } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { withCondition } from "../conditions.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { keyOf, splitKey } from "../keys.ts";
import { removal } from "../removal.ts";

/** The finalizer in `spec.finalizers` that is this controller's to take off. */
export const KUBERNETES = "kubernetes";
/** Objects removed by one reconcile; the next one goes on. */
const BURST = 500;

type Condition = NonNullable<NonNullable<Namespace["status"]>["conditions"]>[number];
type Content = { kind: Kind; objects: readonly Readonly<KubeObject>[] };

/**
 * Empties a namespace that is being deleted, tells in conditions what is left, and lets it go when nothing is.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
 */
export const namespaceController: Controller = {
  name: "namespace-controller",
  patient: true,
  watches: "all",
  *keysForAny(kind, object, _old, type) {
    if (kind.groupResource === Namespace.groupResource) yield keyOf(object);
    // What has gone may have been the last of a namespace that is going too.
    else if (object.metadata?.namespace && type === "DELETED") yield `/${object.metadata.namespace}`;
  },
  reconcile(view, key, { now }) {
    const [, name] = splitKey(key);
    const namespace = view.get(Namespace, "", name);
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec?.finalizers?.includes(KUBERNETES)) return [];
    const contents = contentsOf(view, name);
    const doomed = nextToGo(contents).filter(({ object }) => !object.metadata?.deletionTimestamp);
    const status = statusOf(namespace, contents, now);
    const intents: Intent[] = [];
    if (!same(status, namespace.status))
      intents.push({ do: "updateStatus", kind: Namespace, object: { ...namespace, status } as Namespace });
    if (doomed.length > BURST) intents.push({ do: "again", afterMs: 0 });
    for (const { kind, object } of doomed.slice(0, BURST))
      intents.push(removal(kind, object, { propagationPolicy: "Background" }));
    if (intents.length === 0 && contents.length === 0) intents.push(finalized(namespace));
    return intents;
  },
};

function contentsOf(view: View, namespace: string): Content[] {
  return view
    .kinds()
    .filter((kind) => kind.namespaced && kind.verbs.includes("delete"))
    .map((kind) => ({ kind, objects: view.list(kind, namespace) }))
    .filter(({ objects }) => objects.length > 0);
}

/**
 * Pods go first and alone, so that none outlives what guards it, such as a NetworkPolicy.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/5080-ordered-namespace-deletion
 */
function nextToGo(contents: readonly Content[]): { kind: Kind; object: Readonly<KubeObject> }[] {
  const pods = contents.filter(({ kind }) => kind.groupResource === Pod.groupResource);
  return (pods.length > 0 ? pods : contents).flatMap(({ kind, objects }) =>
    objects.map((object) => ({ kind, object })),
  );
}

function finalized(namespace: Readonly<Namespace>): Intent {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== KUBERNETES);
  const object = { ...namespace, spec: { ...namespace.spec, finalizers } } as Namespace;
  return { do: "update", kind: Namespace, object, subresource: "finalize" };
}

function statusOf(namespace: Readonly<Namespace>, contents: readonly Content[], now: number): Namespace["status"] {
  let conditions = namespace.status?.conditions ?? [];
  for (const condition of conditionsOf(contents)) conditions = withCondition(conditions, condition, now);
  return { ...namespace.status, phase: "Terminating", conditions };
}

function conditionsOf(contents: readonly Content[]): Condition[] {
  // The dot stays when the group is empty: `pods. has 1 resource instances`.
  const remaining = contents.map(
    ({ kind, objects }) => `${kind.resource}.${kind.group} has ${objects.length} resource instances`,
  );
  const finalizers = new Map<string, number>();
  for (const { objects } of contents)
    for (const { metadata } of objects)
      for (const finalizer of metadata?.finalizers ?? [])
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  const waiting = [...finalizers].sort().map(([name, count]) => `${name} in ${count} resource instances`);
  return [
    condition(
      "NamespaceDeletionDiscoveryFailure",
      false,
      "ResourcesDiscovered",
      "All resources successfully discovered",
    ),
    condition(
      "NamespaceDeletionGroupVersionParsingFailure",
      false,
      "ParsedGroupVersions",
      "All legacy kube types successfully parsed",
    ),
    condition(
      "NamespaceDeletionContentFailure",
      false,
      "ContentDeleted",
      "All content successfully deleted, may be waiting on finalization",
    ),
    remaining.length > 0
      ? condition(
          "NamespaceContentRemaining",
          true,
          "SomeResourcesRemain",
          `Some resources are remaining: ${remaining.sort().join(", ")}`,
        )
      : condition("NamespaceContentRemaining", false, "ContentRemoved", "All content successfully removed"),
    waiting.length > 0
      ? condition(
          "NamespaceFinalizersRemaining",
          true,
          "SomeFinalizersRemain",
          `Some content in the namespace has finalizers remaining: ${waiting.join(", ")}`,
        )
      : condition(
          "NamespaceFinalizersRemaining",
          false,
          "ContentHasNoFinalizers",
          "All content-preserving finalizers finished",
        ),
  ];
}

const condition = (type: string, status: boolean, reason: string, message: string): Condition => ({
  type,
  status: status ? "True" : "False",
  reason,
  message,
});
