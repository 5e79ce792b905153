import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind } from "../define-kind.ts";
import type { Schemas } from "../generated/types.ts";
import { validateFlowStatus, validatePriorityLevel } from "../validation/flow-control.ts";

const QUEUES = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const SHARES = 30;
const NONE = "<none>";

/** https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#prioritylevelconfiguration */
export type PriorityLevelConfiguration = Schemas["io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration"];
const queuingOf = ({ spec }: Readonly<PriorityLevelConfiguration>) => spec?.limited?.limitResponse?.queuing;
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
  validateUpdate: (object, _, subresource) => (subresource ? validateFlowStatus(object) : []),
  columns: [
    nameColumn,
    { name: "Type", type: "string", value: ({ spec }) => spec?.type ?? "" },
    {
      name: "NominalConcurrencyShares",
      type: "string",
      value: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? NONE,
    },
    { name: "Queues", type: "string", value: (level) => queuingOf(level)?.queues ?? NONE },
    { name: "HandSize", type: "string", value: (level) => queuingOf(level)?.handSize ?? NONE },
    { name: "QueueLengthLimit", type: "string", value: (level) => queuingOf(level)?.queueLengthLimit ?? NONE },
    ageColumn,
  ],
});
