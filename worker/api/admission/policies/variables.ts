import { CelAuthorizer, type Decision, type Question } from "../../../kinds/admissionregistration/authorizer.ts";
import { Namespace } from "../../../kinds/core/namespace.ts";
import type { Kind } from "../../../kinds/kind.ts";
import { celValue } from "../../../lib/cel/values.ts";
import type { KubeObject } from "../../../lib/object.ts";
import type { Attributes } from "../../auth/rules.ts";
import type { Operation } from "../../engine/operation.ts";
import type { User } from "../../request.ts";
import { seenAs } from "../webhooks/review.ts";

export type Variables = Record<string, unknown>;

/** What expressions may look at, of a write seen in `kind`'s version. */
export function admissionVariables(operation: Operation, kind: Kind): Variables {
  const { object, old, action, name, namespace, subresource, user, dryRun, core } = operation;
  const seen = (value: Readonly<KubeObject> | undefined) =>
    value === undefined ? null : celValue(action === "CONNECT" ? value : seenAs(kind, value));
  const isNamespace = kind.groupResource === Namespace.groupResource;
  const found = namespace && !isNamespace ? core.view.get(Namespace, "", namespace) : undefined;
  const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
  const gvr = { group: kind.group, version: kind.version, resource: kind.resource };
  return {
    object: action === "DELETE" ? null : seen(object),
    oldObject: seen(old),
    request: celValue({
      kind: gvk,
      resource: gvr,
      subResource: subresource,
      requestKind: gvk,
      requestResource: gvr,
      requestSubResource: subresource,
      name,
      namespace,
      operation: action,
      userInfo: { username: user.name, uid: user.uid ?? "", groups: user.groups, extra: user.extra ?? {} },
      dryRun,
    }),
    namespaceObject: found ? celValue(found) : null,
    authorizer: new CelAuthorizer((question, as) => decide(operation, question, as)),
  };
}

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
