import type { Controller } from "./controller.ts";
import { deploymentController } from "./deployment/deployment.ts";
import { garbageCollector } from "./garbage-collector/garbage-collector.ts";
import { rootCaPublisher, serviceAccountController } from "./namespace/defaults.ts";
import { namespaceController } from "./namespace/namespace.ts";
import { replicaSetController } from "./replicaset/replicaset.ts";

export type ControllersConfig = {
  /** PEM of the cluster's CA, published to every namespace. */
  ca: string;
  /** The range that nodes' pod ranges are cut from: `10.244.0.0/16`. */
  podCIDR: string;
};

/** Everything that kube-controller-manager would run; the scheduler is its own (`worker/scheduler`). */
export function builtinControllers(config: ControllersConfig): Controller[] {
  return [
    replicaSetController,
    deploymentController,
    namespaceController,
    serviceAccountController,
    rootCaPublisher(config.ca),
    garbageCollector,
  ];
}
