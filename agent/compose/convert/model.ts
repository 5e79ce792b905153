/** What conversion makes. */
import type { Schemas } from "../../../worker/kinds/generated/types.ts";
import type { Disk, Project } from "../load/load.ts";
import type { Value } from "../tree.ts";

export type Container = Schemas["io.k8s.api.core.v1.Container"];
export type PodSpec = Schemas["io.k8s.api.core.v1.PodSpec"];
export type Volume = Schemas["io.k8s.api.core.v1.Volume"];
export type VolumeMount = Schemas["io.k8s.api.core.v1.VolumeMount"];
export type Probe = Schemas["io.k8s.api.core.v1.Probe"];
export type ServicePort = Schemas["io.k8s.api.core.v1.ServicePort"];
export type ContainerPort = Schemas["io.k8s.api.core.v1.ContainerPort"];

export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
} & Record<string, unknown>;

/** Where a service of the project is in its conversion. */
export type Context = {
  project: Project;
  disk: Disk;
  /** As the compose file calls the service. */
  service: string;
  /** What its objects are called. */
  name: string;
  value: Value;
  /** Names an object of this service alone. */
  object(apiVersion: string, kind: string, name: string, rest: Record<string, unknown>): KubernetesObject;
};

export const MANAGER = "skerry-compose";

export const labelsOf = (project: string, service?: string): Record<string, string> => ({
  ...(service && { "app.kubernetes.io/name": service }),
  "app.kubernetes.io/part-of": project,
  "app.kubernetes.io/managed-by": MANAGER,
});

export const selectorOf = (project: string, service: string): Record<string, string> => ({
  "app.kubernetes.io/name": service,
  "app.kubernetes.io/part-of": project,
});

/** A label of ours in the compose file, e.g. `skerry.dev/ingress`. */
export const ownLabel = (value: Value, name: string): Value | undefined =>
  value.get("labels")?.get(`skerry.dev/${name}`);
