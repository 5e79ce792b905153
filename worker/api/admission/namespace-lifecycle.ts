import { Namespace } from "../../kinds/core/namespace.ts";
import { ApiError, notFound } from "../../lib/status.ts";
import { type Admission, refusal } from "./admission.ts";

const IMMORTAL = new Set(["default", "kube-system", "kube-public"]);

/** Nothing is written into a namespace that is not there, and nothing new into one that is going. */
export const namespaceLifecycle: Admission = {
  name: "NamespaceLifecycle",
  admits(operation) {
    const { action, core, kind, namespace, name } = operation;
    if (action === "DELETE") {
      if (kind.groupResource === "namespaces" && IMMORTAL.has(name))
        throw refusal(operation, "this namespace may not be deleted");
      return;
    }
    if (!kind.namespaced) return;
    const found = core.view.get(Namespace, "", namespace);
    if (!found) throw notFound({ group: "", resource: "namespaces", name: namespace });
    if (action !== "CREATE" || !found.metadata?.deletionTimestamp) return;
    const { code, reason, message, details } = refusal(
      operation,
      `unable to create new content in namespace ${namespace} because it is being terminated`,
    );
    const cause = {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    };
    throw new ApiError(code, reason, message, { ...details, causes: [cause] });
  },
};
