/** What holds when no more faults come and a bounded time has passed. */
import type { Rule } from "../rule.ts";
import { nodesTellTrue } from "./nodes.ts";
import { allObserved, nothingTerminating, noWorkDue } from "./objects.ts";
import { nothingStray, pendingForAReason, wantedRuns } from "./pods.ts";
import { budgetsCount, servicesLead } from "./services.ts";
import { daemonSets, deployments, jobs, replicaSets, statefulSets } from "./workloads.ts";

export const rest: readonly Rule[] = [
  nodesTellTrue,
  noWorkDue,
  allObserved,
  nothingTerminating,
  nothingStray,
  wantedRuns,
  pendingForAReason,
  replicaSets,
  deployments,
  statefulSets,
  daemonSets,
  jobs,
  servicesLead,
  budgetsCount,
];
