import type { ConfigMap } from "../../kinds/core/config-map.ts";
import type { Secret } from "../../kinds/core/secret.ts";
import { same } from "../../kinds/paths.ts";
import { readAlertConfig } from "../../lib/alerts/config.ts";
import {
  ALERTS_CONFIG,
  ALERTS_NAMESPACE,
  ALERTS_PUSH_SECRET,
  MAX_BROWSERS,
  SUBSCRIPTION_PREFIX,
} from "../../lib/facts/alerts.ts";
import { type FieldError, invalid, tooMany } from "../../lib/status.ts";
import type { Admission } from "./admission.ts";

/** What says whom alerts are sent to is refused where it cannot be read: nobody would notice that they hear of nothing. */
export const alerts: Admission = {
  name: "Alerts",
  admits({ kind, namespace, action, object, old }) {
    if (namespace !== ALERTS_NAMESPACE || action === "DELETE") return;
    const check = CHECKS[`${kind.groupResource}/${object.metadata?.name}`];
    const problems = check?.(object as ConfigMap & Secret, old as (ConfigMap & Secret) | undefined) ?? [];
    if (problems.length > 0) throw invalid({ group: "", kind: kind.kind, name: object.metadata?.name ?? "" }, problems);
  },
};

/** By resource and name. */
const CHECKS: Readonly<
  Record<string, (object: ConfigMap & Secret, old: (ConfigMap & Secret) | undefined) => FieldError[]>
> = {
  [`configmaps/${ALERTS_CONFIG}`]: ({ data }, old) =>
    old && same(old.data, data) ? [] : readAlertConfig(data).problems,
  [`secrets/${ALERTS_PUSH_SECRET}`](secret, old) {
    const browsers = browsersOf(secret);
    return browsers > Math.max(MAX_BROWSERS, old ? browsersOf(old) : 0)
      ? [tooMany("data", browsers, MAX_BROWSERS)]
      : [];
  },
};

const browsersOf = ({ data = {} }: Secret): number =>
  Object.keys(data).filter((key) => key.startsWith(SUBSCRIPTION_PREFIX)).length;
