import type { ClusterConfig } from "../lib/config.ts";
import { policyTypeChecker } from "./admission-policies/type-checking.ts";
import { agentRolloutController } from "./agent-rollout/agent-rollout.ts";
import { type Authorities, authenticationPublisher } from "./apiservice/authentication.ts";
import { crdRegistrationController } from "./apiservice/registration.ts";
import { attachDetachController } from "./attach-detach/attach-detach.ts";
import { clusterRoleAggregation } from "./cluster-role-aggregation.ts";
import type { Controller } from "./controller.ts";
import { cronJobController } from "./cronjob/cronjob.ts";
import { crdFinalizer } from "./custom-resources/finalizing.ts";
import { namingController } from "./custom-resources/naming.ts";
import { daemonSetController } from "./daemonset/daemonset.ts";
import { deploymentController } from "./deployment/deployment.ts";
import { disruptionController } from "./disruption/disruption.ts";
import { apiServerEndpointsController } from "./endpoints/api-server.ts";
import { endpointSliceController } from "./endpoints/endpoint-slices.ts";
import { endpointsController } from "./endpoints/endpoints.ts";
import { endpointSliceMirroringController } from "./endpoints/mirror.ts";
import { flowSchemaController } from "./flowcontrol/flow-schemas.ts";
import { garbageCollector } from "./garbage-collector/garbage-collector.ts";
import { gatewayController } from "./gateway/gateway.ts";
import { ingressController } from "./ingress/problems.ts";
import { ingressStatusController } from "./ingress/status.ts";
import { jobController } from "./job/job.ts";
import { jobOrphans } from "./job/orphans.ts";
import { ttlAfterFinishedController } from "./job/ttl.ts";
import { localVolumeProvisioner } from "./local-volumes/provisioner.ts";
import { strandedPods } from "./local-volumes/stranded.ts";
import { rootCaPublisher, serviceAccountController } from "./namespace/defaults.ts";
import { namespaceController } from "./namespace/namespace.ts";
import { nodeLeaseController } from "./nodes/node-lease.ts";
import { nodeLifecycleController } from "./nodes/node-lifecycle.ts";
import { nodeIpamController } from "./nodes/pod-cidr.ts";
import { podGarbageCollector } from "./nodes/pod-gc.ts";
import { taintEvictionController } from "./nodes/taint-eviction.ts";
import { replicaSetController, replicationController } from "./replicaset/replicaset.ts";
import { resourceQuotaController } from "./resourcequota/resourcequota.ts";
import { serviceLoadBalancerController } from "./service-lb/service-lb.ts";
import { ipAddressController } from "./servicecidr/ipaddress.ts";
import { serviceCidrController } from "./servicecidr/servicecidr.ts";
import { statefulSetController } from "./statefulset/statefulset.ts";
import { volumeBinder } from "./volumes/binder.ts";
import { ephemeralVolumeController } from "./volumes/ephemeral.ts";
import { volumeExpandController } from "./volumes/expand.ts";
import {
  attributesProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from "./volumes/protection.ts";

export type ControllersConfig = {
  /** PEM of the cluster's CA, published to every namespace. */
  ca: string;
} & Pick<ClusterConfig, "podCIDR" | "nodeMask" | "ipv6">;

const podRanges = ({ podCIDR, nodeMask, ipv6 }: ControllersConfig) => [
  { cidr: podCIDR, mask: nodeMask },
  ...(ipv6 ? [{ cidr: ipv6.podCIDR, mask: ipv6.nodeMask }] : []),
];

/** What kube-apiserver does itself, so that it is done even where no other controller runs. */
export const apiServerControllers = (authorities: Authorities): Controller[] => [
  namingController,
  crdFinalizer,
  crdRegistrationController,
  authenticationPublisher(authorities),
  flowSchemaController,
  apiServerEndpointsController,
  ipAddressController,
];

/** Everything that kube-controller-manager would run; the scheduler is its own (`worker/scheduler`). */
export function builtinControllers(config: ControllersConfig): Controller[] {
  return [
    replicaSetController,
    replicationController,
    deploymentController,
    statefulSetController,
    daemonSetController,
    jobController,
    jobOrphans,
    cronJobController,
    ttlAfterFinishedController,
    namespaceController,
    serviceAccountController,
    rootCaPublisher(config.ca),
    garbageCollector,
    clusterRoleAggregation,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroringController,
    nodeLifecycleController,
    nodeLeaseController,
    taintEvictionController,
    nodeIpamController(podRanges(config)),
    podGarbageCollector(),
    disruptionController,
    resourceQuotaController,
    policyTypeChecker,
    serviceCidrController,
    serviceLoadBalancerController,
    volumeBinder,
    volumeExpandController,
    attachDetachController,
    localVolumeProvisioner,
    strandedPods,
    ephemeralVolumeController,
    claimProtectionController,
    attributesProtectionController,
    volumeProtectionController,
    agentRolloutController,
    ingressController,
    ingressStatusController,
    gatewayController,
  ];
}
