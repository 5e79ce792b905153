import type { CoreV1Container, CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { parseQuantity, wholeValue } from "../../worker/lib/quantity.ts";
import { resizeMessage, toResize } from "./allocation.ts";
import type { NodeContext, PodState } from "./context.ts";
import { containerNamed } from "./fields.ts";
import { limitFlags, podCgroupLimits } from "./resources.ts";

/** What could not be done is tried again after so long, if nothing changes before. */
const RETRY_MS = 10_000;

/** Gives running containers of a pod what they were granted; false when that is not possible now. */
export async function resizePod(node: NodeContext, state: PodState, names: readonly string[]): Promise<boolean> {
  const { memory, pod, uid } = state;
  const containers = names.flatMap((name) => containerNamed(pod, name) ?? []);
  const before = withActual(state);
  try {
    refuseBelowUsage(node, state, before, containers);
    // The pod as a whole never has less than its containers, neither before nor after.
    node.host.cgroups.make(uid, larger(before, pod));
    for (const container of containers.toSorted((a, b) => growth(state, a) - growth(state, b) || 0)) {
      const attempt = memory.containers[container.name]?.current;
      if (!attempt) continue;
      await node.runtime.update(attempt.id, limitFlags(pod, container));
      attempt.resources = container.resources ?? {};
    }
    node.host.cgroups.make(uid, pod);
    return true;
  } catch (error) {
    fail(node, state, (error as Error).message);
    return false;
  }
}

function fail({ effects, events }: NodeContext, { pod, memory }: PodState, message: string): void {
  const now = effects.now();
  const progress = memory.resize?.progress ?? { generation: pod.metadata.generation ?? 0, since: now };
  const { generation } = progress;
  if (progress.message !== message)
    events.record(pod, "Warning", "ResizeError", resizeMessage(pod, "Pod resize error", generation, message));
  const since = progress.reason === "Error" ? progress.since : now;
  memory.resize = {
    ...memory.resize,
    progress: { generation, since, reason: "Error", message },
    retryAt: now + RETRY_MS,
  };
}

/** Notices that all containers have what they were granted. */
export function settleResize({ events }: NodeContext, { pod, memory }: PodState): void {
  const { progress, pending } = memory.resize ?? {};
  if (!progress || toResize(pod, memory).length) return;
  memory.resize = pending && { pending };
  const message = resizeMessage(pod, "Pod resize completed", progress.generation);
  events.record(pod, "Normal", "ResizeCompleted", message);
}

/** The pod with what its containers have. */
function withActual({ pod, memory }: PodState): CoreV1Pod {
  const actual = (container: CoreV1Container) => {
    const current = memory.containers[container.name]?.current;
    return current?.resources && !current.exit ? { ...container, resources: current.resources } : container;
  };
  const { initContainers, containers } = pod.spec;
  return {
    ...pod,
    spec: { ...pod.spec, initContainers: initContainers?.map(actual), containers: containers.map(actual) },
  };
}

type Amounts = Record<string, string>;

/** The pod with the more of what each of its containers has and is to have. */
function larger(before: CoreV1Pod, after: CoreV1Pod): CoreV1Pod {
  const of = (had: readonly CoreV1Container[] = [], wanted: readonly CoreV1Container[] = []) =>
    wanted.map((container, at): CoreV1Container => {
      const [a, b] = [had[at]?.resources, container.resources];
      const resources = { requests: more(a?.requests, b?.requests), limits: more(a?.limits, b?.limits) };
      return { ...container, resources: { ...b, ...resources } };
    });
  const { initContainers, containers } = after.spec;
  const init = initContainers && { initContainers: of(before.spec.initContainers, initContainers) };
  return { ...after, spec: { ...after.spec, ...init, containers: of(before.spec.containers, containers) } };
}

/** What is said on one side only is no bound, or no request, on the other. */
function more(a: Amounts = {}, b: Amounts = {}): Amounts {
  const nano = (text: string) => parseQuantity(text).nano;
  const both = Object.entries(b).filter(([name]) => a[name] !== undefined);
  return Object.fromEntries(
    both.map(([name, amount]) => [name, nano(a[name] ?? "0") > nano(amount) ? (a[name] ?? "0") : amount]),
  );
}

const memoryLimit = (pod: CoreV1Pod): number => podCgroupLimits(pod).memoryBytes ?? Infinity;

const limitOf = (resources: CoreV1Container["resources"]): number =>
  resources?.limits?.memory === undefined ? Infinity : wholeValue(parseQuantity(resources.limits.memory));

/** By how much a container's memory grows: those that give some back come first. */
function growth({ memory }: PodState, { name, resources }: CoreV1Container): number {
  const [wanted, had] = [limitOf(resources), limitOf(memory.containers[name]?.current?.resources)];
  return wanted === had ? 0 : wanted - had;
}

/** The kernel would end programs to get back what they use. */
function refuseBelowUsage(
  { host: { cgroups } }: NodeContext,
  state: PodState,
  before: CoreV1Pod,
  containers: readonly CoreV1Container[],
): void {
  const { uid, pod, memory } = state;
  const attempting = (what: string, limit: number, used: number | undefined) =>
    used !== undefined && used >= limit
      ? [`attempting to set ${what} memory limit (${limit}) below current usage (${used})`]
      : [];
  const errors = [
    ...(memoryLimit(pod) < memoryLimit(before)
      ? attempting("pod", memoryLimit(pod), cgroups.usage(uid)?.memoryBytes)
      : []),
    ...containers.flatMap((container) => {
      if (growth(state, container) >= 0) return [];
      const used = cgroups.usage(uid, memory.containers[container.name]?.current?.id)?.memoryBytes;
      return attempting(`container "${container.name}"`, limitOf(container.resources), used);
    }),
  ];
  if (!errors.length) return;
  throw new Error(`cannot decrease memory limits: ${errors.length > 1 ? `[${errors.join(", ")}]` : errors[0]}`);
}
