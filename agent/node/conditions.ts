/** https://kubernetes.io/docs/reference/node/node-status/#condition */
import type { CoreV1NodeCondition } from "../../worker/kinds/generated/types.ts";
import { timestamp } from "../../worker/lib/effects.ts";
import type { Pressure } from "./thresholds.ts";

type Words = { reason: string; message: string };

/** In the kubelet's words: without pressure, and under it. An event is named as the reason, of the node. */
const WORDS: Readonly<Record<Pressure, readonly [free: Words, pressed: Words]>> = {
  MemoryPressure: [
    { reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available" },
    { reason: "KubeletHasInsufficientMemory", message: "kubelet has insufficient memory available" },
  ],
  DiskPressure: [
    { reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure" },
    { reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" },
  ],
  PIDPressure: [
    { reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" },
    { reason: "KubeletHasInsufficientPID", message: "kubelet has insufficient PID available" },
  ],
};

/** `before` are as last told, for times of transition. */
export function pressureConditions(
  pressures: readonly Pressure[],
  before: readonly CoreV1NodeCondition[],
  now: number,
): CoreV1NodeCondition[] {
  return (Object.keys(WORDS) as Pressure[]).map((type) => {
    const pressed = pressures.includes(type);
    const status = pressed ? "True" : "False";
    const old = before.find((condition) => condition.type === type);
    return {
      type,
      status,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: (old?.status === status && old.lastTransitionTime) || timestamp(now),
      ...WORDS[type][pressed ? 1 : 0],
    };
  });
}

/** What changed, as the events that tell of it are named: `NodeHasDiskPressure`. */
export const pressureChanges = (
  conditions: readonly CoreV1NodeCondition[],
  before: readonly CoreV1NodeCondition[],
): string[] =>
  conditions.flatMap(({ type, status, reason }) => {
    const old = before.find((condition) => condition.type === type);
    return type in WORDS && old?.status !== status ? [(reason ?? "").replace(/^Kubelet/, "Node")] : [];
  });
