import { isPodReady, isPodTerminal } from "../../kinds/core/pod-conditions.ts";
import { kindOf } from "../../kinds/define-kind.ts";
import type { CoreV1Pod, PolicyV1Eviction, PolicyV1PodDisruptionBudget } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { PodDisruptionBudget } from "../../kinds/policy/pod-disruption-budget.ts";
import { type Effects, timestamp } from "../../lib/effects.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import { ApiError, badRequest, internalError, notFound } from "../../lib/status.ts";
import type { StoredObject, Txn } from "../../storage/store.ts";
import { nodeRestriction } from "../admission/node-restriction.ts";
import type { ApiRequest, ApiResult } from "../request.ts";
import { created } from "./binding.ts";
import { readBody } from "./body.ts";
import { replace } from "./commit.ts";
import type { Core, Loose } from "./core.ts";
import { checkPreconditions, removeObject } from "./delete.ts";
import { settleNamespace } from "./metadata.ts";
import { type DeleteOptions, writeOptions } from "./options.ts";
import { keyOf, subjectOf } from "./stored.ts";

const EvictionKind = kindOf<PolicyV1Eviction>({
  group: "policy",
  version: "v1",
  kind: "Eviction",
  resource: "evictions",
  singular: "eviction",
  namespaced: true,
  schema: "io.k8s.api.policy.v1.Eviction",
  verbs: [],
}) as unknown as Kind;
const BudgetKind = PodDisruptionBudget as unknown as Kind;

const RETRY_SECONDS = 10;
/** Pods that a budget remembers as being evicted; more of them mean that its controller is far behind. */
const MAX_DISRUPTED_PODS = 2000;

/**
 * A delete that asks disruption budgets first.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
 */
export function evict(core: Core, request: ApiRequest): ApiResult {
  const { kind, namespace, name } = request;
  const { fieldValidation, dryRun } = writeOptions(request);
  const { warnings } = core;
  const eviction = readBody(core.kinds, EvictionKind, request, fieldValidation, warnings) as PolicyV1Eviction;
  settleNamespace(kind, eviction, namespace);
  if (eviction.metadata?.name !== name) throw badRequest("name in URL does not match name in Eviction object");
  const options = { ...eviction.deleteOptions, ...(dryRun && { dryRun: ["All"] }) } as DeleteOptions;
  return core.store.write((txn) => {
    const stored = txn.get(keyOf(kind, namespace, name));
    if (!stored) throw notFound(subjectOf(kind, name));
    const isDryRun = (options.dryRun?.length ?? 0) > 0;
    const old = JSON.parse(stored.json) as Loose;
    const asked = { core, txn, request, kind, user: request.user, namespace, name, subresource: "eviction" };
    nodeRestriction.admits({ ...asked, action: "CREATE", dryRun: isDryRun, warnings, object: eviction as Loose, old });
    checkPreconditions(kind, stored, options);
    spend(core, txn, JSON.parse(stored.json) as CoreV1Pod, isDryRun);
    if (!isDryRun) mark(core, txn, kind, stored);
    const { resourceVersion: _, ...preconditions } = options.preconditions ?? {}; // the mark has moved it
    removeObject(core, txn, { ...request, verb: "delete", subresource: "" }, { ...options, preconditions });
    return created(warnings);
  });
}

/** Tells the pod's controller and node why it ends: a Job may ignore such failures. */
function mark({ effects }: Core, txn: Txn, kind: Kind, stored: StoredObject): void {
  const pod = JSON.parse(stored.json) as CoreV1Pod;
  if (pod.metadata?.deletionTimestamp) return;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: timestamp(effects.now()),
  };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  const marked = { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
  replace(txn, kind, marked as KubeObject, pod as KubeObject, stored, false);
}

/** Takes one disruption from the budget that covers the pod; throws 429 when there is none left. */
function spend({ view, effects }: Core, txn: Txn, pod: CoreV1Pod, dryRun: boolean): void {
  const isFree = isPodTerminal(pod) || pod.status?.phase === "Pending" || pod.metadata?.deletionTimestamp;
  if (isFree) return;
  const budgets = view
    .list(PodDisruptionBudget, pod.metadata?.namespace ?? "")
    .filter(({ spec }) => matchesSelector(spec?.selector, pod.metadata?.labels));
  if (budgets.length > 1)
    throw internalError(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  const [budget] = budgets;
  if (!budget || isBrokenAnyway(pod, budget)) return;
  check(budget);
  const key = keyOf(BudgetKind, budget.metadata?.namespace ?? "", budget.metadata?.name ?? "");
  const stored = txn.get(key);
  if (stored) replace(txn, BudgetKind, spent(budget, pod, effects), budget, stored, dryRun);
}

/** An unready pod may go when the policy says so, or while enough others are healthy. */
function isBrokenAnyway(pod: CoreV1Pod, { spec, status }: PolicyV1PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function check({ metadata, status }: PolicyV1PodDisruptionBudget): void {
  const name = metadata?.name ?? "";
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0))
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, RETRY_SECONDS);
  if (Object.keys(status?.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS)
    throw tooMany(`The disruption budget ${name} has too many pods being disrupted`, RETRY_SECONDS);
  if ((status?.disruptionsAllowed ?? 0) > 0) return;
  throw tooMany(
    `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
  );
}

const tooMany = (message: string, retryAfterSeconds?: number) =>
  new ApiError(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: "DisruptionBudget", message }],
    ...(retryAfterSeconds && { retryAfterSeconds }),
  });

function spent(budget: PolicyV1PodDisruptionBudget, pod: CoreV1Pod, effects: Effects): PolicyV1PodDisruptionBudget {
  const status = budget.status ?? { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: status.disruptionsAllowed - 1,
      disruptedPods: { ...status.disruptedPods, [pod.metadata?.name ?? ""]: timestamp(effects.now()) },
    },
  };
}
