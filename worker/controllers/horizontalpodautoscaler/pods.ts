/** The pods of a target, as an autoscaler counts them. */
import type { Pod } from "../../kinds/core/pod.ts";
import { isPodReady, isSidecar, podCondition } from "../../kinds/core/pod-conditions.ts";
import { podRequests } from "../../kinds/core/pod-resources.ts";
import { milliValue, parseQuantity } from "../../lib/quantity.ts";
import { type Grouped, MetricsError } from "./calculator.ts";
import type { PodUsage } from "./metrics.ts";

/** Usage of the processor says nothing while a pod starts: kube-controller-manager's defaults, in ms. */
const CPU_INITIALIZATION_MS = 5 * 60_000;
const INITIAL_READINESS_MS = 30_000;

export type Sample = { amount: bigint; at: number; windowMs: number };
export type Samples = ReadonlyMap<string, Sample>;

export const milli = (quantity: string): bigint => BigInt(milliValue(parseQuantity(String(quantity))));

/** What pods use of a resource, all containers or the named one; pods of which it is not known are left out. */
export function samplesOf(usages: readonly PodUsage[], resource: string, container: string | undefined): Samples {
  const samples = new Map<string, Sample>();
  for (const { name, at, windowMs, containers } of usages) {
    const counted =
      container === undefined ? containers : containers.filter((one) => one.name === container).slice(0, 1);
    const amounts = counted.map(({ usage }) => usage[resource]);
    if (amounts.length === 0 || amounts.includes(undefined)) continue;
    const amount = amounts.reduce((sum, quantity) => sum + milli(quantity ?? "0"), 0n);
    samples.set(name, { amount, at, windowMs });
  }
  return samples;
}

/** `resource` is "" for metrics that are no resource. */
export function grouped(pods: readonly Readonly<Pod>[], samples: Samples, resource: string, now: number): Grouped {
  if (pods.length === 0) throw new MetricsError("no pods returned by selector while calculating replica count");
  const unready: string[] = [];
  const missing: string[] = [];
  const measured = new Map([...samples].map(([name, { amount }]) => [name, amount]));
  let ready = 0;
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const sample = samples.get(name);
    const isLeftOut = deletionTimestamp !== undefined || pod.status?.phase === "Failed";
    const isUnready =
      pod.status?.phase === "Pending" || (!!sample && resource === "cpu" && isStarting(pod, sample, now));
    if (isLeftOut) measured.delete(name);
    else if (isUnready) {
      measured.delete(name);
      unready.push(name);
    } else if (!sample) missing.push(name);
    else ready += 1;
  }
  if (measured.size === 0) throw new MetricsError("did not receive metrics for targeted pods (pods might be unready)");
  return { ready, measured, unready, missing };
}

function isStarting(pod: Readonly<Pod>, { at, windowMs }: Sample, now: number): boolean {
  const condition = podCondition(pod, "Ready");
  const { startTime } = pod.status ?? {};
  if (!condition || !startTime) return true;
  const started = Date.parse(startTime);
  const changed = condition.lastTransitionTime ? Date.parse(condition.lastTransitionTime) : 0;
  const isUnready = condition.status === "False";
  if (started + CPU_INITIALIZATION_MS > now) return isUnready || at < changed + windowMs;
  return isUnready && started + INITIAL_READINESS_MS > changed;
}

/** How many run and are ready. */
export function readyPods(pods: readonly Readonly<Pod>[]): number {
  if (pods.length === 0)
    throw new MetricsError(
      "unable to calculate ready pods: no pods returned by selector while calculating replica count",
    );
  return pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
}

const POD_LEVEL = /^(cpu|memory|hugepages-.*)$/;

/** What each pod requests of a resource; of one container where it is named. Throws where one requests nothing. */
export function requestsOf(
  pods: readonly Readonly<Pod>[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, bigint> {
  return new Map(pods.map((pod) => [pod.metadata.name ?? "", requestOf(pod, resource, container)]));
}

function requestOf(pod: Readonly<Pod>, resource: string, container: string | undefined): bigint {
  const { name } = pod.metadata;
  const { containers, initContainers = [], resources } = pod.spec;
  if (container === undefined && Object.keys(resources?.requests ?? {}).some((known) => POD_LEVEL.test(known))) {
    const request = podRequests(pod)[resource];
    if (!request) throw new MetricsError(`missing pod-level request for ${resource} in Pod ${name}`);
    return BigInt(milliValue(request));
  }
  const lasting = [...containers, ...initContainers.filter(isSidecar)];
  const counted = container === undefined ? lasting : lasting.filter((one) => one.name === container).slice(0, 1);
  if (container !== undefined && counted.length === 0)
    throw new MetricsError(`container ${container} not found in Pod ${name}`);
  return counted.reduce((sum, one) => {
    const request = one.resources?.requests?.[resource];
    if (request === undefined)
      throw new MetricsError(`missing request for ${resource} in container ${one.name} of Pod ${name}`);
    return sum + milli(request);
  }, 0n);
}
