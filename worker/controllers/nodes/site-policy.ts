/**
 * What becomes of the pods of a site that is offline: ConfigMap `kube-system/site-policies`. Each key is a zone (the
 * nodes' label `topology.kubernetes.io/zone`), or `default` for all others; its value `Never`, where a site's pods are
 * only of use there, or how long to wait before tolerationSeconds begin: `30m`. What is neither counts as absent.
 */
import { ConfigMap } from "../../kinds/core/config-map.ts";
import type { Node } from "../../kinds/core/node.ts";
import { parseDuration } from "../../lib/cel/times.ts";
import { conditionOf } from "../conditions.ts";
import type { View } from "../controller.ts";
import { zoneOf } from "./zones.ts";

const NAMESPACE = "kube-system";
const NAME = "site-policies";

export const isSitePolicies = ({ metadata }: Readonly<ConfigMap>): boolean =>
  metadata.namespace === NAMESPACE && metadata.name === NAME;

const NANOS_A_MS = 1_000_000n;

/** In ms; undefined where it is neither a duration nor `Never`. */
function patienceOf(policy: string): number | undefined {
  if (policy === "Never") return Number.POSITIVE_INFINITY;
  const nanos = parseDuration(policy)?.nanos;
  return nanos === undefined || nanos < 0n ? undefined : Number(nanos / NANOS_A_MS);
}

export type SiteWait = {
  /** How long this lost node's pods are still left to it, in ms; infinite for ever. */
  waitMs: number;
  /** What cannot be read of its policy. */
  problem?: string;
};

export function siteWait(view: View, node: Readonly<Node>, now: number): SiteWait {
  const policies = view.get(ConfigMap, NAMESPACE, NAME)?.data ?? {};
  const key = [zoneOf(node), "default"].find((name) => policies[name] !== undefined);
  if (key === undefined) return { waitMs: 0 };
  const policy = (policies[key] ?? "").trim();
  const patience = patienceOf(policy);
  if (patience === undefined) {
    const problem = `ConfigMap "${NAMESPACE}/${NAME}": "${policy}" of "${key}" is neither a duration nor "Never"`;
    return { waitMs: 0, problem };
  }
  const since = Date.parse(conditionOf(node.status?.conditions, "Ready")?.lastTransitionTime ?? "") || 0;
  return { waitMs: Math.max(0, since + patience - now) };
}
