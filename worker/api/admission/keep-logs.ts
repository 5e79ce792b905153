import { Namespace } from "../../kinds/core/namespace.ts";
import { KEEP_LOGS } from "../../lib/kept-logs.ts";
import { metaOf } from "../engine/metadata.ts";
import { type Admission, creates } from "./admission.ts";

/** A pod's node is told by the pod itself that its logs are to be kept: of Namespaces it hears nothing. */
export const keepLogs: Admission = {
  name: "KeepLogs",
  admits(operation) {
    if (!creates(operation, "pods")) return;
    const { namespace, core, object } = operation;
    const wish = core.view.get(Namespace, "", namespace)?.metadata?.annotations?.[KEEP_LOGS];
    const metadata = metaOf(object);
    if (wish === undefined) return;
    metadata.annotations = { [KEEP_LOGS]: wish, ...metadata.annotations };
  },
};
