import { ControllerRevision } from "../../kinds/apps/controller-revision.ts";
import { DaemonSet } from "../../kinds/apps/daemon-set.ts";
import { Node } from "../../kinds/core/node.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { isPodAvailable, isPodReady, isPodTerminal, podAvailableAt } from "../../kinds/core/pod-conditions.ts";
import { same } from "../../kinds/paths.ts";
import type { KubeObject } from "../../lib/object.ts";
import { matchesSelector } from "../../lib/selectors.ts";
import type { Context, Controller, Digest, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { keyOf, ownKey, splitKey, watch } from "../keys.ts";
import { generatedName } from "../names.ts";
import { claim, controllerRef, keysOfOwners } from "../owners.ts";
import { removal } from "../removal.ts";
import { currentRevision, forgetRevisions, REVISION_HASH, type Revision, revisionsOf } from "../revisions.ts";
import { placement, podFor, targetOf } from "./placement.ts";

type Set_ = Readonly<DaemonSet>;
type OnePod = Readonly<Pod>;

/** What one reconcile knows of one node. */
type Place = { node: Readonly<Node>; wanted: boolean; stays: boolean; pods: OnePod[] };
type Rollout = {
  set: Set_;
  pods: readonly OnePod[];
  revisions: ReturnType<typeof revisionsOf>;
  places: readonly Place[];
  strays: readonly OnePod[];
  hash: string;
  context: Context;
};

const selects = (set: Set_, object: Readonly<KubeObject>): boolean =>
  matchesSelector(set.spec.selector, object.metadata?.labels);

/** Pods made or removed by one reconcile; their own writes bring the key back for the rest. */
const BURST = 250;

/**
 * Keeps one pod on every node that the template fits.
 * https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
 */
export const daemonSetController: Controller = {
  name: "daemonset-controller",
  patient: true,
  watches: [
    watch(DaemonSet, ownKey),
    watch(Pod, (pod, old, view) => keysOfOwners(DaemonSet, pod, old, view, selects)),
    watch(ControllerRevision, (revision, old, view) => keysOfOwners(DaemonSet, revision, old, view, () => false)),
    watch(Node, function* (node, old, view, type) {
      if (type === "MODIFIED" && same(placing(node), placing(old ?? node))) return;
      for (const set of view.list(DaemonSet)) yield keyOf(set);
    }),
  ],
  reconcile(view, key, context) {
    const set = view.get(DaemonSet, ...splitKey(key));
    if (!set) return [];
    const rollout = observe(view, set, context);
    // Of one that is going, a revision that has gone is not made anew.
    if (Array.isArray(rollout)) return set.metadata.deletionTimestamp ? [] : rollout;
    const { pods, revisions, hash } = rollout;
    const steps = set.metadata.deletionTimestamp ? [] : stepsOf(rollout);
    if (steps.length > 0) return steps;
    const hashes = new Set([hash, ...pods.map((pod) => pod.metadata.labels?.[REVISION_HASH])]);
    const live = new Set(revisions.filter((r) => hashes.has(hashOf(r))).map((r) => r.metadata.name ?? ""));
    return [...report(rollout), ...forgetRevisions(set, revisions, live)];
  },
  refused(view, key, { intent, error }, context) {
    const set = view.get(DaemonSet, ...splitKey(key));
    if (!set || intent.do !== "create" || intent.kind.kind !== "Pod") return [];
    const rollout = observe(view, set, context);
    return [
      warning(set, "FailedCreate", `Error creating: ${error.message}`),
      ...(Array.isArray(rollout) ? [] : report(rollout)),
    ];
  },
};

/** Where a set stands, or what has to be put right before that can be told. */
function observe(view: View, set: Set_, context: Context): Rollout | Intent[] {
  const { claimed, intents } = claim(view, DaemonSet, set, Pod, (pod) => selects(set, pod));
  if (intents.length > 0) return intents;
  const revisions = revisionsOf(view, set);
  const collisions = set.status?.collisionCount ?? 0;
  const newest = currentRevision(view, DaemonSet, set, revisions, collisions);
  if (newest.collision) return writeStatus(set, { ...NO_STATUS, ...set.status, collisionCount: collisions + 1 });
  if (newest.intents.length > 0) return newest.intents;
  const hash = hashOf(newest.revision as Revision);
  return { set, pods: claimed, revisions, ...arrange(view, set, claimed), hash, context };
}

const NO_STATUS = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

const placing = ({ metadata, spec }: Readonly<Node>): unknown => [metadata.labels, spec?.taints];
const hashOf = (revision: Revision): string => revision.metadata.labels?.[REVISION_HASH] ?? "";
const isLeaving = (pod: OnePod): boolean => pod.metadata.deletionTimestamp !== undefined;
const created = (pod: OnePod): number => Date.parse(pod.metadata.creationTimestamp ?? "") || 0;

type Site = Pick<Node, "metadata" | "spec">;

/** What placing a daemon asks about a node. */
const SITES: Digest<Node, Site> = {
  kind: Node,
  of: ({ metadata: { name, labels }, spec }) => ({ metadata: { name, labels }, spec: { taints: spec?.taints } }),
};

function arrange(view: View, set: Set_, pods: readonly OnePod[]): { places: Place[]; strays: OnePod[] } {
  const byNode = Map.groupBy(pods, (pod) => targetOf(pod) ?? "");
  const places = [...view.digest(SITES).values()].map((node) => {
    const name = node.metadata.name ?? "";
    const own = byNode.get(name) ?? [];
    byNode.delete(name);
    return { node, ...placement(set, node), pods: own.toSorted((a, b) => created(a) - created(b)) };
  });
  return { places, strays: [...byNode.values()].flat() };
}

function stepsOf(rollout: Rollout): Intent[] {
  const { places, strays } = rollout;
  const steps = [
    // Pods for nodes that are gone and that were never bound: no one else will remove them.
    ...strays.filter((pod) => !pod.spec.nodeName && !isLeaving(pod)).map((pod) => dismissal(rollout.set, pod)),
    ...places.flatMap((place) => settle(rollout, place)),
  ].slice(0, BURST);
  return steps.length > 0 ? steps.flat() : roll(rollout);
}

/** Each item is one pod's making or going, with its event. */
function settle(rollout: Rollout, { node, wanted, stays, pods }: Place): Intent[][] {
  const { set } = rollout;
  if (!stays) return pods.filter((pod) => !isLeaving(pod)).map((pod) => dismissal(set, pod));
  const failed = pods.filter((pod) => isPodTerminal(pod) && !isLeaving(pod));
  if (failed.length > 0) return failed.flatMap((pod) => [[failedEvent(set, pod)], dismissal(set, pod)]);
  // One that is going must be gone first: two of a kind on one node may fight for its ports and files.
  if (pods.length === 0) return wanted ? [creation(rollout, node.metadata.name ?? "")] : [];
  const [, ...more] = pods.filter((pod) => !isLeaving(pod));
  return more.map((pod) => dismissal(set, pod));
}

function creation({ set, hash, context }: Rollout, node: string): Intent[] {
  const { metadata, spec } = podFor(set.spec.template, node);
  const base = `${set.metadata.name}-`;
  const name = generatedName(base, context.random);
  const object: Pod = {
    apiVersion: Pod.apiVersion,
    kind: Pod.kind,
    metadata: {
      ...metadata,
      name,
      generateName: base,
      namespace: set.metadata.namespace,
      labels: { ...metadata.labels, [REVISION_HASH]: hash, "pod-template-generation": templateGeneration(set) },
      ownerReferences: [controllerRef(DaemonSet, set)],
    },
    spec,
  };
  return [{ do: "create", kind: Pod, object }, normal(set, "SuccessfulCreate", `Created pod: ${name}`)];
}

const templateGeneration = ({ metadata }: Set_): string =>
  metadata.annotations?.["deprecated.daemonset.template.generation"] ?? "1";

function dismissal(set: Set_, pod: OnePod): Intent[] {
  return [removal(Pod, pod), normal(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`)];
}

function failedEvent(set: Set_, { metadata, spec }: OnePod): Intent {
  const text = `Found failed daemon pod ${metadata.namespace}/${metadata.name} on node ${spec.nodeName}, will try to kill it`;
  return warning(set, "FailedDaemonPod", text);
}

/** Replaces pods of old templates, unavailable ones first, so that no more than maxUnavailable nodes go without. */
function roll({ set, places, hash, context: { now } }: Rollout): Intent[] {
  if (set.spec.updateStrategy?.type === "OnDelete") return [];
  const wanted = places.filter(({ wanted: is }) => is);
  const value = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  const share = typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * wanted.length) / 100);
  const isWell = ({ pods }: Place) => pods.some((pod) => !isLeaving(pod) && isAvailable(set, pod, now));
  const old = wanted.flatMap((place) =>
    place.pods
      .filter((pod) => !isLeaving(pod) && pod.metadata.labels?.[REVISION_HASH] !== hash)
      .map((pod) => ({ pod, well: isWell(place) })),
  );
  const ill = old.filter(({ well }) => !well);
  const spare = Math.max(0, Math.max(1, share) - wanted.filter((place) => !isWell(place)).length);
  const well = old.filter((candidate) => candidate.well).slice(0, spare);
  return [...ill, ...well].flatMap(({ pod }) => dismissal(set, pod));
}

const isAvailable = (set: Set_, pod: OnePod, now: number): boolean =>
  isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now);

function report({ set, places, hash, context: { now } }: Rollout): Intent[] {
  const wanted = places.filter((place) => place.wanted);
  const first = wanted.flatMap(({ pods }) => pods.filter((pod) => !isLeaving(pod)).slice(0, 1));
  const available = first.filter((pod) => isAvailable(set, pod, now)).length;
  const updated = first.filter((pod) => pod.metadata.labels?.[REVISION_HASH] === hash).length;
  const status = {
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter((place) => !place.wanted && place.pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isPodReady).length,
    observedGeneration: set.metadata.generation,
    ...(updated > 0 && { updatedNumberScheduled: updated }),
    ...(available > 0 && { numberAvailable: available }),
    ...(wanted.length > available && { numberUnavailable: wanted.length - available }),
    ...(set.status?.collisionCount && { collisionCount: set.status.collisionCount }),
  };
  const intents = writeStatus(set, status);
  const times = first
    .map((pod) => podAvailableAt(pod, set.spec.minReadySeconds ?? 0) ?? 0)
    .filter((time) => time > now);
  if (times.length > 0) intents.push({ do: "again", afterMs: Math.min(...times) - now });
  return intents;
}

function writeStatus(set: Set_, status: NonNullable<DaemonSet["status"]>): Intent[] {
  if (same(status, set.status)) return [];
  return [{ do: "updateStatus", kind: DaemonSet, object: { ...set, status } as DaemonSet }];
}
