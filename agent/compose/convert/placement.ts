/** `deploy.placement`, `platform`: which nodes. */
import type { Value } from "../tree.ts";
import { at } from "./attributes.ts";
import type { PodSpec } from "./model.ts";

type Expression = { key: string; operator: string; values: string[] };

const ARCHITECTURES: Record<string, string> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm", armv7l: "arm" };

export function placementOf(
  service: Value,
  labels: Record<string, string>,
): Pick<PodSpec, "affinity" | "nodeSelector" | "topologySpreadConstraints"> {
  const constraints = at(service, "deploy.placement.constraints")?.items() ?? [];
  const expressions = constraints.map(expression).filter((found) => found !== undefined);
  const platform = service.get("platform")?.text()?.split("/");
  const architecture = platform?.[1] && (ARCHITECTURES[platform[1]] ?? platform[1]);
  const spread = at(service, "deploy.placement.preferences")?.items().map(spreadBy) ?? [];
  const alone = at(service, "deploy.placement.max_replicas_per_node");
  const most = alone?.integer();
  if (most !== undefined && most > 1)
    alone?.refuse("Kubernetes can keep pods apart, but not by twos", "1, or leave it out");
  return {
    ...(architecture && { nodeSelector: { "kubernetes.io/arch": architecture } }),
    ...((expressions.length > 0 || most === 1) && {
      affinity: {
        ...(expressions.length > 0 && {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: expressions }] },
          },
        }),
        ...(most === 1 && {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { labelSelector: { matchLabels: labels }, topologyKey: "kubernetes.io/hostname" },
            ],
          },
        }),
      },
    }),
    ...(spread.length > 0 && {
      topologySpreadConstraints: spread
        .filter((key) => key !== undefined)
        .map((topologyKey) => ({
          topologyKey,
          maxSkew: 1,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: labels },
        })),
    }),
  };
}

/** `node.labels.disk == ssd` */
function expression(value: Value): Expression | undefined {
  const [, name = "", sign, wanted = ""] = /^\s*([\w.\-/]+)\s*(==|!=)\s*(.+?)\s*$/.exec(value.text() ?? "") ?? [];
  if (sign === undefined) return value.invalid("is no NAME == VALUE or NAME != VALUE");
  const operator = sign === "==" ? "In" : "NotIn";
  if (name === "node.hostname") return { key: "kubernetes.io/hostname", operator, values: [wanted] };
  if (name === "node.platform.os") return { key: "kubernetes.io/os", operator, values: [wanted] };
  if (name === "node.platform.arch")
    return { key: "kubernetes.io/arch", operator, values: [ARCHITECTURES[wanted] ?? wanted] };
  if (name.startsWith("node.labels.")) return { key: name.slice("node.labels.".length), operator, values: [wanted] };
  return value.refuse(`nodes have no ${name} here`, "node.hostname, node.labels.NAME and node.platform are there");
}

function spreadBy(preference: Value): string | undefined {
  const by = preference.get("spread")?.text() ?? "";
  if (by.startsWith("node.labels.")) return by.slice("node.labels.".length);
  return preference.refuse(`${by} is no label of nodes`, "spread: node.labels.NAME");
}
