/**
 * Scales workloads by what their pods use or by other metrics, every 15 s, as kube-controller-manager does.
 * https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
 */
import { CustomResourceDefinition } from "../../kinds/apiextensions/custom-resource-definition.ts";
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { Node } from "../../kinds/core/node.ts";
import type { ScalePaths } from "../../kinds/kind.ts";
import { copy, same } from "../../kinds/paths.ts";
import { scaleFigures, setReplicas } from "../../kinds/scale.ts";
import type { KubeObject } from "../../lib/object.ts";
import { conditionOf } from "../conditions.ts";
import type { Controller, Digest, Intent, View } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { keyOf, splitKey } from "../keys.ts";
import { READINESS, readyStatus } from "../nodes/readiness.ts";
import { type Decision, decide, needsMetrics, untargeted, withVerdict } from "./decide.ts";
import { longestPeriod } from "./limits.ts";
import { changed, Memories, type MemoryStore } from "./memory.ts";
import { type Answers, identityOf, type Question, questionOf } from "./metrics.ts";
import { type Target, targetOf } from "./target.ts";

export const AUTOSCALER = "horizontal-pod-autoscaler";

export type AutoscalerParts = {
  /** Asks for metrics; undefined while they are on the way: the key runs again when they are there. `print` tells one time of asking from another. */
  measure(key: string, print: string, questions: readonly Question[]): Answers | undefined;
  memories: MemoryStore;
};

type Autoscaler = Readonly<HorizontalPodAutoscaler>;
/** An intent that may be one of several that go together. */
type Single = Exclude<Intent, { do: "again" | "together" }>;

/** All autoscalers look at the same moments: a cluster that sleeps between them wakes once for all. */
const PERIOD_MS = 15_000;
/** A new one waits so long before its first look: new pods have no metrics yet. */
const GRACE_MS = 5_000;

const beatOf = (time: number) => Math.floor(time / PERIOD_MS);
const NOTHING: Answers = new Map();

export function horizontalPodAutoscaler({ measure, memories: store }: AutoscalerParts): Controller {
  const memories = new Memories(store, PERIOD_MS);
  /** By key, when it last looked: in which period. */
  const looked = new Map<string, number>();
  return {
    name: AUTOSCALER,
    watches: "all",
    *keysForAny(kind, object, old, type, view) {
      if (kind.groupResource === HorizontalPodAutoscaler.groupResource) {
        const isMeant = !old || type === "DELETED" || !same((object as Autoscaler).spec, (old as Autoscaler).spec);
        if (isMeant) yield keyOf(object);
      } else if (kind.groupResource === Node.groupResource) {
        const wasReady = old && readyStatus(old as Node) === "True";
        if (!wasReady && readyStatus(object as Node) === "True") yield* view.digest(TARGETS).keys();
      } else if (kind.groupResource === CustomResourceDefinition.groupResource) {
        const { group } = (object as CustomResourceDefinition).spec;
        for (const [key, target] of view.digest(TARGETS)) if (target.startsWith(`${group}/`)) yield key;
      } else if (kind.scale && (!old || type === "DELETED" || beginsToRun(kind.scale, object, old))) {
        const { name = "", namespace = "" } = object.metadata ?? {};
        for (const [key, target] of view.digest(TARGETS))
          if (target === targetText(kind.group, kind.kind, name) && splitKey(key)[0] === namespace) yield key;
      }
    },
    reconcile(view, key, { now }) {
      const hpa = view.get(HorizontalPodAutoscaler, ...splitKey(key));
      if (!hpa) {
        memories.forget(key);
        looked.delete(key);
        return [];
      }
      const first = Math.ceil((Date.parse(hpa.metadata.creationTimestamp ?? "") + GRACE_MS) / PERIOD_MS);
      const beat = beatOf(now);
      if (beat < first) return [{ do: "again", afterMs: first * PERIOD_MS - now }];
      const next: Intent = { do: "again", afterMs: (beat + 1) * PERIOD_MS - now };
      if (looked.get(key) === beat) return [next];
      const target = targetOf(view, hpa);
      if ("failed" in target) {
        looked.set(key, beat);
        return told(hpa, untargeted(hpa, target.failed, now), now);
      }
      const questions = questionsOf(view, hpa, target);
      const answers = questions.length > 0 ? measure(key, printOf(beat, questions), questions) : NOTHING;
      if (!answers) return [next];
      looked.set(key, beat);
      const { uid = "" } = hpa.metadata;
      const memory = memories.of(key, uid, target.scale.replicas, now);
      const decision = decide({ view, hpa, target, answers, memory, now });
      memories.set(key, remembered(hpa, target, decision, now), decision.rescale?.replicas ?? target.scale.replicas);
      const intents = [...told(hpa, decision, now), ...carriedOut(hpa, target, decision)];
      return hasMore(view, hpa, target, decision) ? [...intents, next] : intents;
    },
    /** The target was not changed, so nothing of it is remembered. */
    refused(view, key, { intent, error }, { now }) {
      const hpa = view.get(HorizontalPodAutoscaler, ...splitKey(key));
      if (intent.do !== "together" || !hpa) return [];
      const [, update, event] = intent.intents;
      if (update?.do !== "updateStatus" || event?.do !== "event") return [];
      const { status } = update.object as HorizontalPodAutoscaler;
      const { currentReplicas = 0, desiredReplicas = 0 } = status ?? {};
      memories.undo(key, desiredReplicas - currentReplicas);
      const message = `the HPA controller was unable to update the target scale: ${error.message}`;
      const verdict = { reason: "FailedUpdateScale", message };
      const was = withVerdict(hpa.status?.conditions, "AbleToScale", "False", verdict, now);
      const conditions = status?.conditions?.map((condition) =>
        condition.type === "AbleToScale" ? (conditionOf(was, "AbleToScale") ?? condition) : condition,
      );
      const { lastScaleTime: _, ...rest } = status ?? { desiredReplicas: 0 };
      const { lastScaleTime, desiredReplicas: before = 0 } = hpa.status ?? {};
      const kept = { ...rest, ...(lastScaleTime && { lastScaleTime }), desiredReplicas: before, conditions };
      return [warning(hpa, "FailedRescale", `${event.message}; error: ${error.message}`), reported(hpa, kept)];
    },
  };
}

const beginsToRun = (paths: ScalePaths, object: Readonly<KubeObject>, old: Readonly<KubeObject>): boolean =>
  scaleFigures(paths, old).replicas === 0 && scaleFigures(paths, object).replicas > 0;

const reported = (hpa: Autoscaler, status: Decision["status"]): Single => ({
  do: "updateStatus",
  kind: HorizontalPodAutoscaler,
  object: { ...hpa, status } as HorizontalPodAutoscaler,
});

const targetText = (group: string, kind: string, name: string) => `${group}/${kind}/${name}`;

/** What each scales, of which kind and version of it whatever. */
const TARGETS: Digest<HorizontalPodAutoscaler, string> = {
  kind: HorizontalPodAutoscaler,
  of: ({ spec }) => {
    const { apiVersion = "", kind, name } = spec.scaleTargetRef;
    return targetText(apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "", kind, name);
  },
};

/** Each once, though several metrics may be about it. */
function questionsOf(view: View, hpa: Autoscaler, target: Target): Question[] {
  const { selector } = target.scale;
  if (selector === "" || !needsMetrics(hpa, target)) return [];
  const asked = new Map<string, Question>();
  for (const metric of hpa.spec.metrics ?? []) {
    const question = questionOf(view, metric, hpa.metadata.namespace ?? "", selector);
    if (!("failed" in question)) asked.set(identityOf(question), question);
  }
  return [...asked.values()];
}

const printOf = (beat: number, questions: readonly Question[]) => [beat, ...questions.map(identityOf)].join("\n");

function remembered({ spec }: Autoscaler, { scale }: Target, { memory, rescale }: Decision, now: number) {
  if (!rescale || !spec.behavior) return memory;
  const difference = rescale.replicas - scale.replicas;
  const rules = difference > 0 ? spec.behavior.scaleUp : spec.behavior.scaleDown;
  return changed(memory, difference, now, longestPeriod(rules));
}

/**
 * While there is nothing to measure or nobody to ask, it sleeps until there is: a target of no replicas, or no node. A
 * decision that has just been taken is looked at again in any case.
 */
function hasMore(view: View, { spec }: Autoscaler, { scale }: Target, { rescale }: Decision): boolean {
  if (rescale) return true;
  if (scale.replicas === 0 && spec.minReplicas !== 0) return false;
  for (const status of view.digest(READINESS).values()) if (status === "True") return true;
  return false;
}

/** A failure that lasts is told often at first and then every 5 minutes, as client-go's recorder lets it be. */
const TOLD_AT_FIRST_MS = 3 * 60_000;
const TOLD_EVERY_MS = 5 * 60_000;

function told(hpa: Autoscaler, decision: Pick<Decision, "status" | "warnings" | "rescale">, now: number): Intent[] {
  const { status, warnings, rescale } = decision;
  const events = isNews(hpa, status, now) ? warnings.map(({ reason, message }) => warning(hpa, reason, message)) : [];
  if (rescale || same(status, hpa.status ?? {})) return events;
  return [...events, reported(hpa, status)];
}

function isNews({ status: before }: Autoscaler, status: Decision["status"], now: number): boolean {
  return ["AbleToScale", "ScalingActive"].every((type) => {
    const condition = conditionOf(status.conditions, type);
    if (condition?.status !== "False") return true;
    const known = conditionOf(before?.conditions, type);
    if (known?.reason !== condition.reason || known?.message !== condition.message) return true;
    const ageMs = now - Date.parse(condition.lastTransitionTime ?? "");
    return ageMs < TOLD_AT_FIRST_MS || ageMs % TOLD_EVERY_MS < PERIOD_MS;
  });
}

/** All of it or nothing: a status that tells of a change of the target tells the truth. */
function carriedOut(hpa: Autoscaler, { kind, paths, object }: Target, { status, rescale }: Decision): Intent[] {
  if (!rescale) return [];
  const scaled = copy(object);
  setReplicas(paths, scaled, rescale.replicas);
  return [
    {
      do: "together",
      intents: [
        { do: "update", kind, object: scaled, subresource: "scale" },
        reported(hpa, status),
        normal(hpa, "SuccessfulRescale", `New size: ${rescale.replicas}; reason: ${rescale.reason}`) as Single,
      ],
    },
  ];
}
