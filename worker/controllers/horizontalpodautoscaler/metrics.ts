/** What is asked to scale by, and what is answered: metrics come asynchronously, from outside of the controllers. */
import type { AutoscalingV2MetricIdentifier, AutoscalingV2MetricSpec } from "../../kinds/generated/types.ts";
import { formatSelector } from "../../lib/selectors.ts";
import type { View } from "../controller.ts";
import { groupOf, kindNamed } from "./target.ts";

/** One request to one of the metrics APIs. Selectors are text; "" selects everything. Its JSON is its identity. */
export type Question =
  | { api: "resource"; namespace: string; selector: string }
  | { api: "pods"; namespace: string; selector: string; metric: string; metricSelector: string }
  | {
      api: "object";
      namespace: string;
      /** `deployments.apps`; of the namespace itself there is none. */
      resource: string | undefined;
      name: string;
      metric: string;
      metricSelector: string;
    }
  | { api: "external"; namespace: string; metric: string; metricSelector: string };

/** What one pod uses, quantities by resource. `at` and `windowMs`: when it was measured, and how long before, ms. */
export type PodUsage = {
  name: string;
  at: number;
  windowMs: number;
  containers: readonly { name: string; usage: Readonly<Record<string, string>> }[];
};

/** `of`: the name of the object that is described. */
export type MetricValue = { of: string; value: string };

/** `failed`: why nothing came, in the words of client-go. */
export type Answer = { failed: string } | { pods: readonly PodUsage[] } | { values: readonly MetricValue[] };

/** Absent where nothing was asked. */
export type Answers = ReadonlyMap<string, Answer>;

export const identityOf = (question: Question): string => JSON.stringify(question);

/** What a metric's figures come from, or why they cannot be asked for. */
export function questionOf(
  view: View,
  spec: AutoscalingV2MetricSpec,
  namespace: string,
  selector: string,
): Question | { failed: string } {
  const named = ({ name, selector: of }: AutoscalingV2MetricIdentifier) => ({
    metric: name,
    metricSelector: of ? formatSelector(of) : "",
  });
  if (spec.pods) return { api: "pods", namespace, selector, ...named(spec.pods.metric) };
  if (spec.external) return { api: "external", namespace, ...named(spec.external.metric) };
  if (!spec.object) return { api: "resource", namespace, selector };
  const { apiVersion = "", kind, name } = spec.object.describedObject;
  const group = groupOf(apiVersion);
  const metric = named(spec.object.metric);
  if (kind === "Namespace" && !group)
    return { api: "object", namespace, resource: undefined, name: namespace, ...metric };
  const described = kindNamed(view, apiVersion, kind);
  if (described) return { api: "object", namespace, resource: described.groupResource, name, ...metric };
  const shown = group ? `${kind}.${group}` : kind;
  const why = `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`;
  return { failed: `unable to map kind ${shown} to resource: ${why}` };
}
