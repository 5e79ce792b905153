import { Deployment } from "../../kinds/apps/deployment.ts";
import { ReplicaSet } from "../../kinds/apps/replica-set.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodActive, isPodAvailable, isPodReady } from "../../kinds/core/pod-conditions.ts";
import { same } from "../../kinds/paths.ts";
import type { Intent, View } from "../controller.ts";
import { normal } from "../events.ts";
import { controllerRef } from "../owners.ts";
import { removal } from "../removal.ts";
import { newestAnnotations, revisionOf, sizeAnnotations } from "./annotations.ts";
import { historyLimit } from "./bounds.ts";
import { type Counted, createdAt, type Resize } from "./rolling.ts";
import { sizeOf } from "./scaling.ts";
import { HASH_LABEL, sameTemplate, templateHash } from "./template-hash.ts";

type Sets = readonly Readonly<ReplicaSet>[];

/** The set of the current template; of several the oldest, so that all runs pick the same. */
export function findNewest(d: Readonly<Deployment>, sets: Sets): Readonly<ReplicaSet> | undefined {
  return sets
    .filter((set) => sameTemplate(set.spec.template, d.spec.template))
    .toSorted((a, b) => createdAt(a) - createdAt(b) || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))[0];
}

export function countPods(view: View, set: Readonly<ReplicaSet>, now: number): Counted {
  const alive = view.owned(Pod, set.metadata.uid ?? "").filter(isPodActive);
  return {
    set,
    size: sizeOf(set),
    alive: alive.length,
    ready: alive.filter(isPodReady).length,
    available: alive.filter((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length,
  };
}

/** A ReplicaSet of the current template, of no size yet. */
export function newSet(d: Readonly<Deployment>, revision: bigint): ReplicaSet {
  const { template, selector, minReadySeconds } = d.spec;
  const hash = templateHash(template, d.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  return {
    apiVersion: ReplicaSet.apiVersion,
    kind: ReplicaSet.kind,
    metadata: {
      name: `${d.metadata.name}-${hash}`,
      namespace: d.metadata.namespace,
      labels,
      annotations: { ...newestAnnotations(d, {}, revision), ...sizeAnnotations(d) },
      ownerReferences: [controllerRef(Deployment, d)],
    },
    spec: {
      replicas: 0,
      ...(minReadySeconds && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels: { ...labels } } },
    },
  };
}

/** Brings the sets to their sizes and the newest one's annotations up to date: one update a set, an event a resize. */
export function updateSets(
  d: Readonly<Deployment>,
  newest: Readonly<ReplicaSet> | undefined,
  revision: bigint,
  resizes: readonly Resize[],
): Intent[] {
  const sizes = new Map(resizes.map(({ set, to }) => [set, to]));
  if (newest && !sizes.has(newest)) sizes.set(newest, sizeOf(newest));
  const resized = new Set(resizes.map(({ set }) => set));
  return [...sizes].flatMap(([set, size]) => {
    let annotations = set.metadata.annotations ?? {};
    if (set === newest) annotations = newestAnnotations(d, annotations, revision);
    if (resized.has(set)) annotations = { ...annotations, ...sizeAnnotations(d) };
    const minReadySeconds = set === newest ? d.spec.minReadySeconds : set.spec.minReadySeconds;
    const spec = { ...set.spec, replicas: size, ...(minReadySeconds !== undefined && { minReadySeconds }) };
    if (same(annotations, set.metadata.annotations ?? {}) && same(spec, set.spec)) return [];
    const object: ReplicaSet = { ...set, metadata: { ...set.metadata, annotations }, spec };
    const update: Intent = { do: "update", kind: ReplicaSet, object };
    return size === sizeOf(set) ? [update] : [update, scaledEvent(d, set, sizeOf(set), size)];
  });
}

export function scaledEvent(d: Readonly<Deployment>, set: Readonly<ReplicaSet>, from: number, to: number): Intent {
  const way = to > from ? "up" : "down";
  return normal(d, "ScalingReplicaSet", `Scaled ${way} replica set ${set.metadata.name} from ${from} to ${to}`);
}

/** Removes old, empty, settled sets beyond `revisionHistoryLimit`, the oldest revisions first. */
export function cleanUp(d: Readonly<Deployment>, old: Sets): Intent[] {
  const alive = old.filter((set) => !set.metadata.deletionTimestamp);
  const excess = alive.length - historyLimit(d);
  if (excess <= 0) return [];
  return alive
    .toSorted((a, b) => Number(revisionOf(a) - revisionOf(b)) || createdAt(a) - createdAt(b))
    .slice(0, excess)
    .filter(
      (set) =>
        sizeOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    )
    .map((set) => removal(ReplicaSet, set));
}
