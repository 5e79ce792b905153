/**
 * What a Job says about pods that fail, and about how many successes are enough.
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 * https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy
 */
import type { BatchV1PodFailurePolicyRule, CoreV1ContainerStatus } from "../../kinds/generated/types.ts";
import { parseIndexes } from "./indexes.ts";
import type { OneJob, OnePod } from "./tally.ts";

/** What becomes of one failure. `message` says why the whole Job fails by it. */
export type Judgement = { counts: boolean; failsIndex?: boolean; message?: string };

/** The first rule that matches decides; without one the failure counts. */
export function judge(job: OneJob, pod: OnePod): Judgement {
  for (const [index, rule] of (job.spec?.podFailurePolicy?.rules ?? []).entries()) {
    const cause = causeOf(rule, pod);
    if (cause === undefined) continue;
    if (rule.action === "Ignore") return { counts: false };
    if (rule.action === "FailIndex") return { counts: true, failsIndex: true };
    if (rule.action === "FailJob") return { counts: true, message: `${cause} matching FailJob rule at index ${index}` };
    return { counts: true };
  }
  return { counts: true };
}

/** What of a pod a rule matches, in words. */
function causeOf({ onExitCodes, onPodConditions }: BatchV1PodFailurePolicyRule, pod: OnePod): string | undefined {
  const { namespace, name } = pod.metadata;
  if (onExitCodes) {
    const { containerName, operator, values } = onExitCodes;
    const matches = ({ name: container, state }: CoreV1ContainerStatus): boolean => {
      const code = state?.terminated?.exitCode ?? 0;
      if (code === 0 || (containerName !== undefined && containerName !== container)) return false;
      return values.includes(code) === (operator === "In");
    };
    const all = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    const found = all.find(matches);
    const code = found?.state?.terminated?.exitCode;
    return found && `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${code}`;
  }
  const condition = pod.status?.conditions?.find(({ type, status }) =>
    onPodConditions?.some((pattern) => pattern.type === type && (pattern.status ?? "True") === status),
  );
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

/** Which rule of the success policy is met, in words. */
export function successOf(job: OneJob, completed: ReadonlySet<number>): string | undefined {
  if (completed.size === 0) return undefined;
  const completions = job.spec?.completions ?? 0;
  const met = (job.spec?.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && completed.size >= succeededCount;
    const wanted = [...parseIndexes(succeededIndexes)].filter((index) => index < completions);
    const done = wanted.filter((index) => completed.has(index)).length;
    return wanted.length > 0 && (done === wanted.length || (succeededCount !== undefined && done >= succeededCount));
  });
  return met < 0 ? undefined : `Matched rules at index ${met}`;
}
