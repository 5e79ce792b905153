import type { Admission } from "./admission.ts";

const GROUP = "rbac.authorization.k8s.io";

/** RBAC objects may not grant more than their author holds; the authorizer behind the API knows what that is. */
export const privilegeEscalation: Admission = {
  name: "PrivilegeEscalation",
  admits({ core, kind, user, namespace, object, old, action }) {
    if (kind.group !== GROUP || action === "DELETE") return;
    core.checkEscalation?.({ user, resource: kind.resource, namespace, object, old });
  },
};
