import { approvalOf, isProtected } from "../../kinds/apiextensions/approval.ts";
import { CustomResourceDefinition, isEstablished } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { same } from "../../kinds/paths.ts";
import { withCondition } from "../conditions.ts";
import type { Controller, View } from "../controller.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";

type Names = CustomResourceDefinition["spec"]["names"];

/**
 * Accepts the names that a CustomResourceDefinition asks for unless another of its group has them, and with them the
 * definition itself: from then on it is served.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export const namingController: Controller = {
  name: "crd-naming-condition-controller",
  watches: [
    watch(CustomResourceDefinition, function* (object, old, view) {
      yield* ownKey(object);
      if (same(object.status?.acceptedNames, old?.status?.acceptedNames) && !object.metadata.deletionTimestamp) return;
      // Names may have become free for others of the group.
      for (const other of view.list(CustomResourceDefinition))
        if (other.spec.group === object.spec.group) yield keyOf(other);
    }),
  ],
  reconcile(view, key, { now }) {
    const [, name] = splitKey(key);
    const definition = view.get(CustomResourceDefinition, "", name);
    if (!definition) return [];
    const { accepted, conflict } = acceptedNames(view, definition);
    let conditions = withCondition(
      definition.status?.conditions ?? [],
      conflict
        ? { type: "NamesAccepted", status: "False", ...conflict }
        : { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
      now,
    );
    if (!isEstablished(definition))
      conditions = withCondition(
        conditions,
        conflict
          ? { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" }
          : {
              type: "Established",
              status: "True",
              reason: "InitialNamesAccepted",
              message: "the initial names have been accepted",
            },
        now,
      );
    if (isProtected(definition.spec.group)) {
      const { state, message } = approvalOf(definition.metadata.annotations);
      const isApproved = state === "Approved" ? "True" : "False";
      conditions = withCondition(
        conditions,
        { type: "KubernetesAPIApprovalPolicyConformant", status: isApproved, reason: `${state}Annotation`, message },
        now,
      );
    }
    const status = { ...definition.status, acceptedNames: accepted, conditions };
    if (same(status, definition.status)) return [];
    return [
      {
        do: "updateStatus",
        kind: CustomResourceDefinition,
        object: { ...definition, status } as CustomResourceDefinition,
      },
    ];
  },
};

type Conflict = { reason: string; message: string };

/** Each wanted name that nobody else of the group has; the others stay as they were. The last conflict is told. */
function acceptedNames(
  view: View,
  definition: CustomResourceDefinition,
): { accepted: Names; conflict: Conflict | undefined } {
  const wanted = definition.spec.names;
  const accepted: Names = { ...(definition.status?.acceptedNames ?? { kind: "", plural: "" }) };
  const { resources, kinds } = namesInUse(view, definition);
  let conflict: Conflict | undefined;
  const claim = <Field extends "plural" | "singular" | "kind" | "listKind">(
    field: Field,
    used: ReadonlySet<string>,
  ) => {
    const name = wanted[field];
    if (name === undefined || name === accepted[field] || !used.has(name)) accepted[field] = name as Names[Field];
    else {
      const reason = `${field.charAt(0).toUpperCase()}${field.slice(1)}Conflict`;
      conflict = { reason, message: `${JSON.stringify(name)} is already in use` };
    }
  };
  claim("plural", resources);
  claim("singular", resources);
  const taken = (wanted.shortNames ?? []).filter((name) => !accepted.shortNames?.includes(name) && resources.has(name));
  if (taken.length > 0)
    conflict = {
      reason: "ShortNamesConflict",
      message: taken.map((name) => `${JSON.stringify(name)} is already in use`).join(", "),
    };
  else if (wanted.shortNames) accepted.shortNames = wanted.shortNames;
  else delete accepted.shortNames;
  claim("kind", kinds);
  claim("listKind", kinds);
  if (wanted.categories) accepted.categories = wanted.categories;
  else delete accepted.categories;
  return { accepted: inOrder(accepted), conflict };
}

/** As kube-apiserver writes them. */
const inOrder = ({ plural, singular, shortNames, kind, listKind, categories }: Names): Names => ({
  plural,
  ...(singular && { singular }),
  ...(shortNames && { shortNames }),
  kind,
  ...(listKind && { listKind }),
  ...(categories && { categories }),
});

function namesInUse(view: View, definition: CustomResourceDefinition) {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { metadata, spec, status } of view.list(CustomResourceDefinition)) {
    if (spec.group !== definition.spec.group || metadata.name === definition.metadata.name) continue;
    const names = status?.acceptedNames;
    for (const name of [names?.plural, names?.singular, ...(names?.shortNames ?? [])]) if (name) resources.add(name);
    for (const name of [names?.kind, names?.listKind]) if (name) kinds.add(name);
  }
  return { resources, kinds };
}
