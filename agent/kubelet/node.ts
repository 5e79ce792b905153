/** What the node's own API is told of the node, by those who run it. */
import type { CoreV1Pod } from "../../worker/kinds/generated/types.ts";
import type { Effects } from "../../worker/lib/effects.ts";
import type { Timers } from "../effects.ts";
import type { Attempt, ContainerMemory, PodMemory } from "../pods/memory.ts";
import { isRunning } from "../pods/memory.ts";

export type PodOnNode = {
  pod: CoreV1Pod;
  memory: PodMemory;
  deleted: boolean;
  /** Where a volume of it lies, by its name in the pod. */
  placeOf?(volume: string): string | undefined;
};

export type KubeletNode = {
  name: string;
  /** The folder that all state of the node lies in. */
  home: string;
  /** What the cluster wants to run here. */
  pods(): readonly CoreV1Pod[];
  /** What is here, wanted or not any more. */
  present(): readonly PodOnNode[];
  effects: Effects & Timers;
  log(message: string): void;
};

export type RunningContainer = { name: string; attempt: Attempt; pid: number };

/** The containers of a pod that run now. */
export const runningIn = ({ memory }: PodOnNode): RunningContainer[] =>
  Object.entries(memory.containers).flatMap(([name, known]: [string, ContainerMemory]) =>
    isRunning(known) && known.current.pid ? [{ name, attempt: known.current, pid: known.current.pid }] : [],
  );
