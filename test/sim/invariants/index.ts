/** All rules that every run of the simulator is held to. */
import type { Invariant } from "../contract.ts";
import { addressesStay, clusterAddressesUnique, nodePortsUnique, nodeRangesUnique } from "./allocations.ts";
import { attachedToOne, attachmentsFollow, mountedStaysAttached } from "./attachments.ts";
import { autoscalersKeepBounds } from "./autoscalers.ts";
import { budgetsAreCounted, budgetsHold } from "./budgets.ts";
import { oneContainerAName, oneIdentity, podAddressesUnique, runsWhereBound } from "./containers.ts";
import { availabilityHolds, recreateWaits, scaleDownOrder, setsCountRight, surgeHolds } from "./deployments.ts";
import { bucketEmpties, movesEnd, oneNodeServes, volumesAreWhole, volumesKeepData } from "./moves.ts";
import { lostNodesNoticed } from "./nodes.ts";
import { endsAreFinal, finalizersHold, metadataLasts, namespacesEmpty } from "./objects.ts";
import { cronJobsForbid, identitiesInOrder, jobsKeepBounds } from "./ordered.ts";
import { dependentsFirst, noOrphans, prematureCollection } from "./ownership.ts";
import { boundOnce, removedAfterEnd } from "./pods.ts";
import { nodesHavePolicies, startsUnderPolicies } from "./policies.ts";
import { freshReads, lists } from "./reads.ts";
import { rest } from "./rest/index.ts";
import { commitsFollow, indexesFollow, noStorms, revisionsGrow, storageBounded, storageHolds } from "./revisions.ts";
import { answeredByAny, noneLost, sentOnce, sentWhereTold } from "./routes.ts";
import { type Rule, together } from "./rule.ts";
import { neverOvercommitted } from "./scheduling.ts";
import { endpointsAreReady } from "./services.ts";
import { lostNodesGivenUp, sitesAreWaitedFor } from "./sites.ts";
import { asleepUnasked, backendsFollow, visitsEnd, visitsReach, visitsWake } from "./visits.ts";
import { claimsKeepVolumes, unusedGoes, volumesHaveClaims, volumesWaitForNodes } from "./volumes.ts";
import { watchesTellAll } from "./watches.ts";
import { acknowledgedWrites, nothingVanishes, onlyDurable, refusedWrites, updatesFollow } from "./writes.ts";

export const rules: readonly Rule[] = [
  revisionsGrow,
  noStorms,
  commitsFollow,
  onlyDurable,
  acknowledgedWrites,
  updatesFollow,
  refusedWrites,
  nothingVanishes,
  lists,
  freshReads,
  watchesTellAll,
  storageHolds,
  indexesFollow,
  storageBounded,
  metadataLasts,
  finalizersHold,
  endsAreFinal,
  namespacesEmpty,
  prematureCollection,
  dependentsFirst,
  noOrphans,
  surgeHolds,
  availabilityHolds,
  recreateWaits,
  setsCountRight,
  scaleDownOrder,
  budgetsHold,
  budgetsAreCounted,
  autoscalersKeepBounds,
  identitiesInOrder,
  jobsKeepBounds,
  cronJobsForbid,
  boundOnce,
  startsUnderPolicies,
  nodesHavePolicies,
  removedAfterEnd,
  neverOvercommitted,
  lostNodesNoticed,
  sitesAreWaitedFor,
  lostNodesGivenUp,
  oneContainerAName,
  oneIdentity,
  runsWhereBound,
  podAddressesUnique,
  clusterAddressesUnique,
  addressesStay,
  nodePortsUnique,
  nodeRangesUnique,
  endpointsAreReady,
  visitsEnd,
  visitsReach,
  visitsWake,
  asleepUnasked,
  sentWhereTold,
  sentOnce,
  answeredByAny,
  noneLost,
  volumesWaitForNodes,
  claimsKeepVolumes,
  volumesKeepData,
  volumesAreWhole,
  oneNodeServes,
  unusedGoes,
  attachedToOne,
  mountedStaysAttached,
  ...rest,
  attachmentsFollow,
  volumesHaveClaims,
  movesEnd,
  bucketEmpties,
  backendsFollow,
];

/** One value for all rules: history is replayed once. A violation names its own rule. */
export const invariants: readonly Invariant[] = [together("all", rules)];
