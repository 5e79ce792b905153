import type { CoreV1Pod } from "../../kinds/generated/types.ts";
import { type Admission, creates } from "./admission.ts";

const SECONDS = 300;
const KEYS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** Pods stay this long on a node that is lost, unless they say otherwise. */
export const defaultTolerationSeconds: Admission = {
  name: "DefaultTolerationSeconds",
  admits(operation) {
    if (!creates(operation, "pods")) return;
    const { spec } = operation.object as CoreV1Pod;
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
