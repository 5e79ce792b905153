/**
 * How many replicas a metric asks for. Amounts are thousandths, as whole numbers: what is divided is cut off where
 * kube-controller-manager cuts it off.
 * https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#algorithm-details
 */

/** What is missing for an answer; the message is kube-controller-manager's. */
export class MetricsError extends Error {
  override readonly name = "MetricsError";
}

/** How far from its target a metric may be without a change, as shares: 0.1 is a tenth. */
export type Tolerances = { up: number; down: number };

/** What is known of the pods, by name. */
export type Grouped = {
  ready: number;
  /** Those that count. */
  measured: ReadonlyMap<string, bigint>;
  unready: readonly string[];
  missing: readonly string[];
};

export type Proposal = { replicas: number; usage: bigint };

const MAX_INT32 = 2 ** 31 - 1;
export const MAX_INT64 = 2n ** 63n - 1n;

const isWithin = ({ up, down }: Tolerances, ratio: number) => 1 - down <= ratio && ratio <= 1 + up;
const counted = (replicas: number) => Math.min(Math.ceil(replicas), MAX_INT32);

type Ratio = { ratio: number; usage: bigint };

/**
 * Pods that were not measured count so that the change is smaller: at `idle` where there are to be fewer replicas, as
 * using nothing where there are to be more.
 */
function byPods(
  current: number,
  tolerances: Tolerances,
  { ready, measured, unready, missing }: Grouped,
  ratioOf: (measured: ReadonlyMap<string, bigint>) => Ratio,
  idle: (pod: string) => bigint,
): Proposal {
  const { ratio, usage } = ratioOf(measured);
  const keep = { replicas: current, usage };
  const countsUnready = unready.length > 0 && ratio > 1;
  if (!countsUnready && missing.length === 0)
    return isWithin(tolerances, ratio) ? keep : { replicas: counted(ratio * ready), usage };
  const all = new Map(measured);
  if (ratio !== 1) for (const pod of missing) all.set(pod, ratio < 1 ? idle(pod) : 0n);
  if (countsUnready) for (const pod of unready) all.set(pod, 0n);
  const { ratio: damped } = ratioOf(all);
  if (isWithin(tolerances, damped) || (ratio < 1 && damped > 1) || (ratio > 1 && damped < 1)) return keep;
  const replicas = counted(damped * all.size);
  const turns = (damped < 1 && replicas > current) || (damped > 1 && replicas < current);
  return turns ? keep : { replicas, usage };
}

const total = (amounts: Iterable<bigint>) => {
  let sum = 0n;
  for (const amount of amounts) sum += amount;
  return sum;
};

/** By the average of what pods use or say. */
export function byAverage(current: number, target: bigint, tolerances: Tolerances, pods: Grouped): Proposal {
  const ratioOf = (measured: ReadonlyMap<string, bigint>): Ratio => {
    const usage = total(measured.values()) / BigInt(measured.size);
    return { ratio: Number(usage) / Number(target), usage };
  };
  return byPods(current, tolerances, pods, ratioOf, () => target);
}

/** By the share of what they request that pods use, in percent. */
export function byUtilization(
  current: number,
  target: number,
  tolerances: Tolerances,
  pods: Grouped,
  requests: ReadonlyMap<string, bigint>,
): Proposal & { utilization: number } {
  const shareOf = (measured: ReadonlyMap<string, bigint>) => {
    const known = [...measured].filter(([pod]) => requests.has(pod));
    const requested = total(known.map(([pod]) => requests.get(pod) ?? 0n));
    if (requested === 0n) throw new MetricsError("no metrics returned matched known pods");
    const used = total(known.map(([, amount]) => amount));
    const utilization = Number((used * 100n) / requested);
    return { utilization, ratio: utilization / target, usage: used / BigInt(known.length) };
  };
  const full = BigInt(Math.max(100, target));
  const idle = (pod: string) => ((requests.get(pod) ?? 0n) * full) / 100n;
  const proposal = byPods(current, tolerances, pods, shareOf, idle);
  return { ...proposal, utilization: shareOf(pods.measured).utilization };
}

/** By one value for all pods together, of which `ready` are ready. */
export function byValue(
  current: number,
  usage: bigint,
  target: bigint,
  tolerances: Tolerances,
  ready: () => number,
): Proposal {
  const ratio = Number(usage) / Number(target);
  if (current === 0) return { replicas: counted(ratio), usage };
  return { replicas: isWithin(tolerances, ratio) ? current : counted(ratio * ready()), usage };
}

/** By one value that is to be shared evenly; `running` replicas share it now. */
export function byValuePerPod(running: number, usage: bigint, target: bigint, tolerances: Tolerances): Proposal {
  const ratio = Number(usage) / (Number(target) * running);
  const replicas = isWithin(tolerances, ratio) ? running : counted(Number(usage) / Number(target));
  // Of no replicas there is no average.
  const share = usage >= MAX_INT64 || running === 0 ? usage : BigInt(Math.ceil(Number(usage) / running));
  return { replicas, usage: share };
}
