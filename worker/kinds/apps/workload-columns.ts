import { formatLabels, formatSelector, type LabelSelector } from "../../lib/selectors.ts";
import type { CoreV1Container, CoreV1PodTemplateSpec } from "../generated/types.ts";
import type { Column, ScalePaths } from "../kind.ts";

/** Columns shared by everything that makes pods from a template. */
type Templated = { spec?: { template?: CoreV1PodTemplateSpec } };
type Replicated = { spec?: { replicas?: number }; status?: { replicas?: number; readyReplicas?: number } };
type Selecting = { spec?: { selector?: LabelSelector } };

const containers = (object: Templated): CoreV1Container[] => object.spec?.template?.spec?.containers ?? [];

export const containersColumn: Column<Templated> = {
  name: "Containers",
  type: "string",
  priority: 1,
  value: (object) =>
    containers(object)
      .map((container) => container.name)
      .join(","),
};
export const imagesColumn: Column<Templated> = {
  name: "Images",
  type: "string",
  priority: 1,
  value: (object) =>
    containers(object)
      .map((container) => container.image ?? "")
      .join(","),
};
export const selectorColumn: Column<Selecting> = {
  name: "Selector",
  type: "string",
  priority: 1,
  value: (object) => formatSelector(object.spec?.selector) || "<none>",
};
export const replicaColumns: readonly Column<Replicated>[] = [
  { name: "Desired", type: "integer", value: ({ spec }) => spec?.replicas ?? 0 },
  { name: "Current", type: "integer", value: ({ status }) => status?.replicas ?? 0 },
  { name: "Ready", type: "integer", value: ({ status }) => status?.readyReplicas ?? 0 },
];
/** Where those that can be scaled have what `/scale` tells. */
export const REPLICAS: ScalePaths = {
  specReplicas: ".spec.replicas",
  statusReplicas: ".status.replicas",
  selector: ".spec.selector",
};
/** Pairs of a map, or `<none>`. */
export const pairs = (labels: Record<string, string> | null | undefined): string => formatLabels(labels) || "<none>";
