import type { ConfigMap } from "../../kinds/core/config-map.ts";
import { same } from "../../kinds/paths.ts";
import { readAlertConfig } from "../../lib/alerts/config.ts";
import { ALERTS_CONFIG, ALERTS_NAMESPACE } from "../../lib/facts/alerts.ts";
import { invalid } from "../../lib/status.ts";
import type { Admission } from "./admission.ts";

/** What says whom alerts are sent to is refused where it cannot be read: nobody would notice that they hear of nothing. */
export const alerts: Admission = {
  name: "Alerts",
  admits({ kind, namespace, action, object, old }) {
    if (kind.groupResource !== "configmaps" || namespace !== ALERTS_NAMESPACE || action === "DELETE") return;
    const [map, before] = [object as ConfigMap, old as ConfigMap | undefined];
    if (map.metadata.name !== ALERTS_CONFIG || (before && same(before.data, map.data))) return;
    const { problems } = readAlertConfig(map.data);
    if (problems.length > 0) throw invalid({ group: "", kind: kind.kind, name: ALERTS_CONFIG }, problems);
  },
};
