import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import { type AdmittingNode, type Lack, type Rejection, rejection } from "./admission.ts";
import { allocate } from "./allocation.ts";
import { appArmorRejection } from "./app-armor.ts";
import type { NodeContext, PodState } from "./context.ts";
import type { Ended, PodMemory } from "./memory.ts";
import { isOver } from "./phase.ts";
import { podsToPreempt, preempted } from "./preemption.ts";
import { sysctlRejection } from "./sysctls.ts";

export type GateParts = Pick<NodeContext, "host" | "events" | "effects" | "log"> & {
  /** The node, as far as it matters to who asks to be taken. */
  node(): Pick<AdmittingNode, "object" | "pressures">;
  /** Why the node takes nothing now, whatever it is. */
  refuses?(): Rejection | undefined;
  /** The pods that are not over. What the same news says of them counts: who has just gone has made room. */
  active(): readonly PodState[];
  /** Ends a pod for a reason of the node's own. */
  end(uid: string, verdict: Ended): void;
};

/** What a node takes, and what it grants of its own to whom it took. */
export class Gate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Why this node does not take a pod that it sees for the first time. */
  rejection(pod: CoreV1Pod): Ended | undefined {
    const { host, log, events, refuses, active } = this.#parts;
    const others = active().map((state) => state.pod);
    const { settings, hasAppArmor } = host.security;
    const verdict =
      refuses?.() ??
      sysctlRejection(pod, settings.allowedUnsafeSysctls) ??
      rejection(pod, others, this.#node()) ??
      appArmorRejection(pod, hasAppArmor);
    if (!verdict || (verdict.lacks && this.#makeRoom(pod, others, verdict.lacks))) return undefined;
    log(`pod ${pod.metadata.namespace}/${pod.metadata.name}: ${verdict.message}`);
    events.record(pod, "Warning", verdict.reason, verdict.message);
    return { ...verdict, message: `Pod was rejected: ${verdict.message}`, rejected: true };
  }

  /** The pod as it is to be run: with what the node grants it of what it asks for. */
  allocate(pod: CoreV1Pod, memory: PodMemory): CoreV1Pod {
    if (pod.metadata.deletionTimestamp || isOver(pod.status?.phase ?? "Pending")) return pod;
    const { active, effects, events } = this.#parts;
    const others = () => active().flatMap((state) => (state.uid === memory.uid ? [] : state.pod));
    const granted = allocate(pod, memory, { others, node: () => this.#node(), now: effects.now() });
    const { event } = granted;
    if (event) events.record(pod, event.type, event.reason, event.message);
    return granted.pod;
  }

  #node(): AdmittingNode {
    const { host, node } = this.#parts;
    const { object, pressures } = node();
    return { allocatable: { ...object?.status?.allocatable, ...host.allocatable() }, pressures, object };
  }

  /** Ends others for a pod that the system needs; false when that would be in vain. */
  #makeRoom(pod: CoreV1Pod, others: readonly CoreV1Pod[], lacks: readonly Lack[]): boolean {
    const { events, end } = this.#parts;
    const victims = podsToPreempt(pod, others, lacks);
    for (const victim of victims ?? []) {
      events.record(victim, "Warning", preempted.reason, preempted.message);
      end(victim.metadata.uid ?? "", preempted);
    }
    return victims !== undefined;
  }
}

/** Those that wait for room for their resize come last, the most important first: the others may have made it. */
export function inTurn(
  pods: ReadonlyMap<string, CoreV1Pod>,
  memoryOf: (uid: string) => PodMemory | undefined,
): [string, CoreV1Pod][] {
  const waits = (uid: string) => memoryOf(uid)?.resize?.pending;
  const [waiting, others] = [[] as [string, CoreV1Pod][], [] as [string, CoreV1Pod][]];
  for (const entry of pods) (waits(entry[0]) ? waiting : others).push(entry);
  return [...others, ...waiting.toSorted(byUrgency)];

  function byUrgency([uidA, a]: [string, CoreV1Pod], [uidB, b]: [string, CoreV1Pod]): number {
    const priority = (b.spec.priority ?? 0) - (a.spec.priority ?? 0);
    const guaranteed = ({ status }: CoreV1Pod) => (status?.qosClass === "Guaranteed" ? 0 : 1);
    return priority || guaranteed(a) - guaranteed(b) || (waits(uidA)?.since ?? 0) - (waits(uidB)?.since ?? 0);
  }
}
