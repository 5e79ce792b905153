import type { CoreV1ServiceSpec } from "../generated/types.ts";

/** What a Service needs allocated, by its type. */
type Spec = CoreV1ServiceSpec | undefined;

/** Its name is a CNAME; nothing is allocated. */
export const isExternalName = (spec: Spec): boolean => spec?.type === "ExternalName";
export const isHeadless = (spec: Spec): boolean => !isExternalName(spec) && spec?.clusterIP === "None";
export const needsNodePorts = (spec: Spec): boolean =>
  spec?.type === "NodePort" || (spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
/** Reachable from outside, so that `externalTrafficPolicy` means something. */
export const isExternallyAccessible = (spec: Spec): boolean =>
  spec?.type === "NodePort" ||
  spec?.type === "LoadBalancer" ||
  (spec?.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0);
export const needsHealthCheckNodePort = (spec: Spec): boolean =>
  spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
