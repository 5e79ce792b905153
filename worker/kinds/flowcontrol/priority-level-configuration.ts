import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validatePriorityLevel } from "../validation/flow-control.ts";

const QUEUES = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const SHARES = 30;

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#prioritylevelconfiguration */
export type PriorityLevelConfiguration = Schemas["io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration"];
export const PriorityLevelConfiguration = defineKind({
  schema: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  default({ spec }) {
    const { exempt, limited } = spec ?? {};
    if (exempt) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
    if (!limited) return;
    limited.nominalConcurrencyShares ??= SHARES;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (!queuing) return;
    queuing.queues ||= QUEUES.queues;
    queuing.handSize ||= QUEUES.handSize;
    queuing.queueLengthLimit ||= QUEUES.queueLengthLimit;
  },
  validate: validatePriorityLevel,
});
