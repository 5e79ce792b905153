/** What a Service leads to that can be scaled, whether or not it has pods now. */
import { Service } from "../../kinds/core/service.ts";
import { SCALED_FROM_ANNOTATION } from "../../kinds/ingress/idle.ts";
import type { Kind, ScalePaths } from "../../kinds/kind.ts";
import { read } from "../../kinds/paths.ts";
import { scaleFigures } from "../../kinds/scale.ts";
import type { KubeObject } from "../../lib/object.ts";
import { parseLabelSelector } from "../../lib/selector-parser.ts";
import { type Labels, matchesLabels, SelectorError } from "../../lib/selectors.ts";
import type { View } from "../controller.ts";
import { controllerOf } from "../owners.ts";

/** `from`: how many replicas it had before it was scaled to zero, where that is known. */
export type Workload = {
  kind: Kind;
  paths: ScalePaths;
  object: Readonly<KubeObject>;
  replicas: number;
  from: number | undefined;
};

type Scalable = Kind & { scale: ScalePaths };

/** Kinds with a `/scale` in namespaces. */
export const isScalable = (kind: Kind): kind is Scalable => kind.scale !== undefined && kind.namespaced;

/** The labels of its pods. */
export function podLabels({ scale }: Scalable, object: Readonly<KubeObject>): Labels {
  const labels = read(object, "spec.template.metadata.labels");
  if (typeof labels === "object" && labels !== null) return labels as Labels;
  try {
    const wanted = parseLabelSelector(scaleFigures(scale, object).selector);
    return Object.fromEntries(
      wanted.flatMap(({ key, values }) => (values.length === 1 ? [[key, values[0] ?? ""]] : [])),
    );
  } catch (error) {
    if (error instanceof SelectorError) return {};
    throw error;
  }
}

/** Whether a Service leads to pods with these labels. */
export const leadsTo = ({ spec }: Readonly<Pick<Service, "spec">>, labels: Labels): boolean =>
  spec?.type !== "ExternalName" &&
  Object.keys(spec?.selector ?? {}).length > 0 &&
  matchesLabels(spec?.selector, labels);

/** Those that nothing else scales, as a Deployment scales its ReplicaSets. */
export function workloadsOf(view: View, service: Readonly<Service>): Workload[] {
  const found: Workload[] = [];
  for (const kind of view.kinds()) {
    if (!isScalable(kind)) continue;
    for (const object of view.list(kind, service.metadata.namespace)) {
      if (object.metadata?.deletionTimestamp || controllerOf(object)) continue;
      if (!leadsTo(service, podLabels(kind, object))) continue;
      const { replicas } = scaleFigures(kind.scale, object);
      const said = Number(object.metadata?.annotations?.[SCALED_FROM_ANNOTATION]);
      const from = Number.isSafeInteger(said) && said > 0 ? said : undefined;
      found.push({ kind, paths: kind.scale, object, replicas, from });
    }
  }
  return found;
}

/** All Services of a namespace that lead to one of these. */
export function servicesOf(view: View, namespace: string, workloads: readonly Workload[]): Readonly<Service>[] {
  const labels = workloads.map(({ kind, object }) => podLabels(kind as Scalable, object));
  return view.list(Service, namespace).filter((service) => labels.some((each) => leadsTo(service, each)));
}
