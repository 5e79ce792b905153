/** When everything has come to rest: workloads have what they want, and say so. */

import type {
  AppsV1DaemonSet,
  AppsV1Deployment,
  AppsV1ReplicaSet,
  AppsV1StatefulSet,
  BatchV1Job,
  CoreV1Node,
  CoreV1PodTemplateSpec,
} from "../../../../worker/kinds/generated/types.ts";
import { read, same } from "../../../../worker/kinds/paths.ts";
import type { KubeObject } from "../../../../worker/lib/object.ts";
import { untolerated } from "../../../../worker/lib/taints.ts";
import { describe, type Entry, type History } from "../history.ts";
import { HOPELESS } from "../marker.ts";
import { activePodsOf, isPodAvailable, isPodReady, type Pod } from "../pods.ts";
import type { Rule, Scene } from "../rule.ts";
import { isLeaving } from "./objects.ts";

type Fail = Scene["fail"];

/** A rule about each object of a resource that is not on its way out. */
function each<T extends KubeObject>(
  rule: string,
  resource: string,
  check: (entry: Entry<T>, scene: Scene) => void,
): Rule {
  return {
    rule,
    start: (scene) => ({
      rested() {
        for (const entry of scene.history.all<T>(resource)) if (!isLeaving(entry)) check(entry, scene);
      },
    }),
  };
}

function expectStatus(entry: Entry, wanted: Readonly<Record<string, number>>, fail: Fail): void {
  for (const [field, value] of Object.entries(wanted)) {
    const told = read(entry.object, `status.${field}`) ?? 0;
    if (told !== value) fail(`${describe(entry)} says ${field} ${told}, and there are ${value}`);
  }
}

export const isHopeless = (object: { metadata?: KubeObject["metadata"] } | undefined): boolean =>
  object?.metadata?.labels?.[HOPELESS] !== undefined;

const isStuck = (pod: Pod): boolean => !pod.spec.nodeName || isHopeless(pod);
/** Refuses pods of whatever workload. */
const hasQuota = (history: History, namespace: string): boolean => history.all("resourcequotas", namespace).length > 0;

function counts(pods: readonly Pod[], seconds: number, at: number) {
  return {
    replicas: pods.length,
    readyReplicas: pods.filter(isPodReady).length,
    availableReplicas: pods.filter((pod) => isPodAvailable(pod, seconds, at)).length,
  };
}

export const replicaSets = each<AppsV1ReplicaSet>(
  "rest-replicasets-are-full",
  "replicasets.apps",
  (entry, { history, fail }) => {
    const pods = activePodsOf(history, entry.uid).map(({ object }) => object);
    const size = entry.object.spec?.replicas ?? 1;
    if (pods.length !== size && !hasQuota(history, entry.namespace))
      fail(`${describe(entry)} has ${pods.length} of ${size} pods`);
    expectStatus(entry, counts(pods, entry.object.spec?.minReadySeconds ?? 0, history.at), fail);
  },
);

const sameTemplate = (d: CoreV1PodTemplateSpec | undefined, set: CoreV1PodTemplateSpec | undefined): boolean => {
  const { "pod-template-hash": _, ...labels } = set?.metadata?.labels ?? {};
  return same(d?.spec, set?.spec) && same(d?.metadata?.labels ?? {}, labels);
};

export const deployments = each<AppsV1Deployment>(
  "rest-deployments-are-rolled-out",
  "deployments.apps",
  (entry, { history, fail }) => {
    const { spec } = entry.object;
    const sets = history.controlled<AppsV1ReplicaSet>("replicasets.apps", entry.uid);
    const pods = sets.flatMap(({ uid }) => activePodsOf(history, uid)).map(({ object }) => object);
    expectStatus(entry, counts(pods, spec?.minReadySeconds ?? 0, history.at), fail);
    if (spec?.paused || hasQuota(history, entry.namespace) || isHopeless(spec?.template) || pods.some(isStuck)) return;
    const wanted = spec?.replicas ?? 1;
    for (const set of sets) {
      const size = set.object.spec?.replicas ?? 1;
      if (size > 0 && !sameTemplate(spec?.template, set.object.spec?.template))
        fail(`${describe(entry)} still has ${size} pods of ${describe(set)}`);
    }
    if (pods.length !== wanted) fail(`${describe(entry)} has ${pods.length} of ${wanted} pods`);
  },
);

export const statefulSets = each<AppsV1StatefulSet>(
  "rest-statefulsets-are-full",
  "statefulsets.apps",
  (entry, { history, fail }) => {
    const pods = activePodsOf(history, entry.uid).map(({ object }) => object);
    const { spec, status } = entry.object;
    const { replicas, ...others } = counts(pods, spec?.minReadySeconds ?? 0, history.at);
    expectStatus(entry, { replicas, ...others }, fail);
    if (hasQuota(history, entry.namespace) || isHopeless(spec?.template) || pods.some(isStuck)) return;
    const wanted = spec?.replicas ?? 1;
    if (pods.length !== wanted) fail(`${describe(entry)} has ${pods.length} of ${wanted} pods`);
    const isRolling = spec?.updateStrategy?.type !== "OnDelete" && !spec?.updateStrategy?.rollingUpdate?.partition;
    if (isRolling && wanted > 0 && status?.currentRevision !== status?.updateRevision)
      fail(`${describe(entry)} is still at ${status?.currentRevision} on the way to ${status?.updateRevision}`);
  },
);

/** Daemons live through what a node tells of itself. */
const OWN_TAINTS = "node.kubernetes.io/";

export const daemonSets = each<AppsV1DaemonSet>(
  "rest-daemons-are-everywhere",
  "daemonsets.apps",
  (entry, { history, fail }) => {
    const { spec } = entry.object;
    const template = spec?.template?.spec;
    const places = history.objects<CoreV1Node>("nodes").filter(({ metadata, spec: node }) => {
      const isSelected = Object.entries(template?.nodeSelector ?? {}).every(
        ([key, value]) => metadata?.labels?.[key] === value,
      );
      const taints = node?.taints?.filter(({ key }) => !key.startsWith(OWN_TAINTS));
      return isSelected && !untolerated(taints, template?.tolerations, ["NoSchedule", "NoExecute"]);
    });
    const pods = activePodsOf(history, entry.uid).map(({ object }) => object);
    if (hasQuota(history, entry.namespace) || isHopeless(spec?.template)) return;
    expectStatus(entry, { desiredNumberScheduled: places.length, numberReady: pods.filter(isPodReady).length }, fail);
    if (pods.some(isStuck)) return;
    for (const { metadata } of places) {
      const count = pods.filter(({ spec: { nodeName } }) => nodeName === metadata?.name).length;
      if (count !== 1) fail(`${describe(entry)} has ${count} pods on ${metadata?.name}`);
    }
    if (pods.length !== places.length) fail(`${describe(entry)} has ${pods.length} pods for ${places.length} nodes`);
  },
);

export const jobs = each<BatchV1Job>("rest-jobs-are-at-work", "jobs.batch", (entry, { history, fail }) => {
  const { spec, status } = entry.object;
  const active = activePodsOf(history, entry.uid).length;
  expectStatus(entry, { active }, fail);
  const isOver = status?.conditions?.some(
    ({ type, status: state }) => (type === "Complete" || type === "Failed") && state === "True",
  );
  if (isOver && active > 0) fail(`${describe(entry)} is over and has ${active} pods`);
  if (isOver || spec?.suspend || active > 0 || (spec?.parallelism ?? 1) === 0 || hasQuota(history, entry.namespace))
    return;
  // After a failure it waits before it tries again.
  if (!status?.failed) fail(`${describe(entry)} is neither over nor at work`);
});
