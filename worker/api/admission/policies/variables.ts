import { Namespace } from "../../../kinds/core/namespace.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { CelAuthorizer, type Decision, type Question, ResourceCheck } from "../../../lib/cel/library/authorizer.ts";
import { celValue } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";
import type { Attributes } from "../../auth/rules.ts";
import type { Operation } from "../../engine/operation.ts";
import type { User } from "../../request.ts";
import { optionsOf, seenAs } from "../webhooks/review.ts";

export type Variables = Record<string, unknown>;

/** What expressions may look at, of a write seen in `kind`'s version. */
export function admissionVariables(operation: Operation, kind: Kind): Variables {
  const { object, old, action, name, namespace, subresource, user, dryRun } = operation;
  const seen = (value: Readonly<KubeObject> | undefined) =>
    value === undefined ? null : celValue(action === "CONNECT" ? value : seenAs(kind, value));
  const authorizer = new CelAuthorizer((question, as) => decide(operation, question, as));
  return {
    object: action === "DELETE" ? null : seen(object),
    oldObject: seen(old),
    request: celValue({
      kind: groupVersionKind(kind),
      resource: groupVersionResource(kind),
      ...(subresource && { subResource: subresource }),
      requestKind: groupVersionKind(operation.kind),
      requestResource: groupVersionResource(operation.kind),
      ...(subresource && { requestSubResource: subresource }),
      ...(name && { name }),
      ...(namespace && { namespace }),
      operation: action,
      userInfo: {
        username: user.name,
        ...(user.uid && { uid: user.uid }),
        groups: user.groups,
        ...(user.extra && { extra: user.extra }),
      },
      dryRun,
      options: optionsOf(operation.request, action),
    }),
    namespaceObject: null,
    authorizer,
    "authorizer.requestResource": new ResourceCheck(authorizer, {
      group: operation.kind.group,
      resource: operation.kind.resource,
      subresource,
      namespace,
      name,
    }),
  };
}

const groupVersionKind = ({ group, version, kind }: Kind) => ({ group, version, kind });
const groupVersionResource = ({ group, version, resource }: Kind) => ({ group, version, resource });

/** The namespace of what is written, as far as expressions may look at it; a Namespace itself is in none. */
export function namespaceVariable({ kind, namespace, core }: Operation): unknown {
  const isNamespace = kind.groupResource === Namespace.groupResource;
  const found = namespace && !isNamespace ? core.view.get(Namespace, "", namespace) : undefined;
  if (!found) return null;
  const { metadata, spec, status } = found;
  const shown = Object.fromEntries(NAMESPACE_METADATA.map((field) => [field, metadata?.[field]]));
  return celValue({ metadata: shown, spec, status });
}

const NAMESPACE_METADATA = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "finalizers",
] as const;

function decide({ core, user }: Operation, question: Question, as: string | undefined): Decision {
  const asked: User = as ? { name: as, groups: serviceAccountGroups(as) } : user;
  const attributes: Attributes =
    "path" in question ? { type: "path", ...question } : { type: "resource", version: "*", ...question };
  return core.authorizer?.(asked, attributes) ?? { allowed: false, reason: "" };
}

const serviceAccountGroups = (name: string): string[] => [
  "system:serviceaccounts",
  `system:serviceaccounts:${name.split(":")[2] ?? ""}`,
  "system:authenticated",
];
