/** https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions */
import type { CoreV1Service, DiscoveryV1EndpointSlice } from "../../../worker/kinds/generated/types.ts";
import { describe } from "./history.ts";
import { isPodReady, type Pod } from "./pods.ts";
import type { Rule } from "./rule.ts";

const MANAGER = "endpointslice-controller.k8s.io";

/** Whenever endpoints are written, those that are called ready are of pods that are, and that are not on their way out. */
export const endpointsAreReady: Rule = {
  rule: "endpoints-are-ready",
  start: ({ history, fail }) => ({
    step(step) {
      if (step.resource !== "endpointslices.discovery.k8s.io" || step.type === "DELETED") return;
      const { metadata, endpoints } = step.object as DiscoveryV1EndpointSlice;
      const { "endpointslice.kubernetes.io/managed-by": manager, "kubernetes.io/service-name": name = "" } =
        metadata?.labels ?? {};
      const service = history.get<CoreV1Service>("services", step.namespace, name)?.object;
      if (manager !== MANAGER || !service || service.spec?.publishNotReadyAddresses) return;
      for (const { conditions, targetRef, addresses } of endpoints ?? []) {
        const pod = history.byUid<Pod>(targetRef?.uid ?? "")?.object;
        if (conditions?.ready && !(pod && isPodReady(pod) && !pod.metadata.deletionTimestamp))
          fail(`${describe(step)} calls ${addresses.join()} of ${targetRef?.name} ready at ${step.revision}`);
      }
    },
  }),
};
