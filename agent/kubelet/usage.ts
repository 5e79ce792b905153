/** What the cluster is told of the use of processors and memory, when somebody asks it. */
import type { NodeUsage, Usage } from "../../worker/protocol/link.ts";
import type { Figures, NodeFigures, PodFigures } from "./sampler.ts";

/** Undefined while there is no rate yet. */
function usageOf({ nanoCores, windowMs, memory }: Figures): Usage | undefined {
  if (nanoCores === undefined || windowMs === undefined) return undefined;
  return { cpu: nanoCores, memory: memory.workingSet, windowMs: Math.round(windowMs) };
}

/** A pod is told of when all its running containers can be. */
function podUsage({ on: { memory }, containers }: PodFigures): NonNullable<NodeUsage["pods"]> {
  const told = containers.flatMap((container) => {
    const usage = usageOf(container);
    return usage ? [{ name: container.name, ...usage }] : [];
  });
  return told.length === containers.length ? [{ uid: memory.uid, containers: told }] : [];
}

export function nodeUsage({ at, own, pods }: NodeFigures, withPods: boolean): NodeUsage {
  const node = usageOf(own);
  return { at, ...(node && { node }), ...(withPods && { pods: pods.flatMap(podUsage) }) };
}
