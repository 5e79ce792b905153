/** When an autoscaler is to look that sleeps: something that it scales, or somebody to ask, has come. */
import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { Node } from "../../kinds/core/node.ts";
import type { ScalePaths } from "../../kinds/kind.ts";
import { same } from "../../kinds/paths.ts";
import { scaleFigures } from "../../kinds/scale.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { Controller, Digest, View } from "../controller.ts";
import { keyOf, splitKey } from "../keys.ts";
import { becameReady, isAnyReady } from "../nodes/readiness.ts";
import type { Decision } from "./decide.ts";
import { groupOf, type Target } from "./target.ts";

type Autoscaler = Readonly<HorizontalPodAutoscaler>;

const targetText = (group: string, kind: string, name: string) => `${group}/${kind}/${name}`;

/** What each scales, in whatever version of its kind. */
const TARGETS: Digest<HorizontalPodAutoscaler, string> = {
  kind: HorizontalPodAutoscaler,
  of: ({ spec: { scaleTargetRef: target } }) => targetText(groupOf(target.apiVersion), target.kind, target.name),
};

/** The keys of those that a write may wake. */
export const wakenedBy: NonNullable<Controller["keysForAny"]> = function* (kind, object, old, type, view) {
  if (kind.groupResource === HorizontalPodAutoscaler.groupResource) {
    const isMeant = !old || type === "DELETED" || !same((object as Autoscaler).spec, (old as Autoscaler).spec);
    if (isMeant) yield keyOf(object);
  } else if (kind.groupResource === Node.groupResource) {
    if (becameReady(object as Node, old as Node | undefined)) yield* view.digest(TARGETS).keys();
  } else if (kind.groupResource === CustomResourceDefinition.groupResource) {
    const { group } = (object as CustomResourceDefinition).spec;
    for (const [key, target] of view.digest(TARGETS)) if (target.startsWith(`${group}/`)) yield key;
  } else if (kind.scale && (!old || type === "DELETED" || beginsToRun(kind.scale, object, old))) {
    const { name = "", namespace = "" } = object.metadata ?? {};
    for (const [key, target] of view.digest(TARGETS))
      if (target === targetText(kind.group, kind.kind, name) && splitKey(key)[0] === namespace) yield key;
  }
};

const beginsToRun = (paths: ScalePaths, object: Readonly<KubeObject>, old: Readonly<KubeObject>): boolean =>
  scaleFigures(paths, old).replicas === 0 && scaleFigures(paths, object).replicas > 0;

/**
 * While there is nothing to measure or nobody to ask, it sleeps until there is: a target of no replicas, or no node. A
 * decision that has just been taken is looked at again in any case.
 */
export function staysAwake(view: View, { spec }: Autoscaler, { scale }: Target, { rescale }: Decision): boolean {
  if (rescale) return true;
  if (scale.replicas === 0 && spec.minReplicas !== 0) return false;
  return isAnyReady(view);
}
