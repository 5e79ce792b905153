import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import type { Admission } from "./admission.ts";

const SECONDS = 300;
const KEYS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Pods stay this long on a node that is lost, unless they say otherwise; an update cannot take that away. */
export const defaultTolerationSeconds: Admission = {
  name: "DefaultTolerationSeconds",
  admits(operation) {
    const { action, kind, subresource, object } = operation;
    if (action === "DELETE" || subresource !== "" || kind.groupResource !== "pods") return;
    const { spec } = object as CoreV1Pod;
    if (!spec) return;
    const given = spec.tolerations ?? [];
    const missing = KEYS.filter(
      (name) => !given.some(({ key, effect }) => (!key || key === name) && (!effect || effect === "NoExecute")),
    );
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: SECONDS }));
    spec.tolerations = [...given, ...added];
  },
};
