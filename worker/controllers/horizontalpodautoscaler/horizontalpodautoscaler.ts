/**
 * Scales workloads by what their pods use or by other metrics, every 15 s, as kube-controller-manager does.
 * https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
 */
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import type { Controller, Intent, View } from "../controller.ts";
import { splitKey } from "../keys.ts";
import { type Decision, decide, needsMetrics, untargeted } from "./decide.ts";
import { longestPeriod } from "./limits.ts";
import { changed, Memories, type MemoryStore } from "./memory.ts";
import { type Answers, identityOf, type Question, questionOf } from "./metrics.ts";
import { PERIOD_MS } from "./period.ts";
import { type Target, targetOf } from "./target.ts";
import { carriedOut, notCarriedOut, told } from "./telling.ts";
import { staysAwake, wakenedBy } from "./waking.ts";

export const AUTOSCALER = "horizontal-pod-autoscaler";

export type AutoscalerParts = {
  /**
   * Asks for metrics; undefined while they are on the way: the key runs again when they are there. `print` tells one
   * time of asking from another.
   */
  measure(key: string, print: string, questions: readonly Question[]): Answers | undefined;
  memories: MemoryStore;
};

type Autoscaler = Readonly<HorizontalPodAutoscaler>;

/** A new one waits so long before its first look: new pods have no metrics yet. */
const GRACE_MS = 5_000;
const NOTHING: Answers = new Map();

/** All look at the same moments: a cluster that sleeps between them wakes once for all. */
const beatOf = (time: number) => Math.floor(time / PERIOD_MS);

const firstBeat = ({ metadata }: Autoscaler) =>
  Math.ceil((Date.parse(metadata.creationTimestamp ?? "") + GRACE_MS) / PERIOD_MS);

export function horizontalPodAutoscaler({ measure, memories: store }: AutoscalerParts): Controller {
  const memories = new Memories(store, PERIOD_MS);
  /** By key, at which beat it looked last. */
  const looked = new Map<string, number>();
  return {
    name: AUTOSCALER,
    watches: "all",
    keysForAny: wakenedBy,
    reconcile(view, key, { now }) {
      const hpa = view.get(HorizontalPodAutoscaler, ...splitKey(key));
      if (!hpa) {
        memories.forget(key);
        looked.delete(key);
        return [];
      }
      const beat = beatOf(now);
      const isDone = looked.get(key) === beat;
      const next: Intent = { do: "again", afterMs: Math.max(beat + 1, firstBeat(hpa)) * PERIOD_MS - now };
      if (isDone || beat < firstBeat(hpa)) return [next];
      const target = targetOf(view, hpa);
      const questions = "failed" in target ? [] : questionsOf(view, hpa, target);
      const answers = questions.length > 0 ? measure(key, printOf(beat, questions), questions) : NOTHING;
      if (!answers) return [next];
      looked.set(key, beat);
      if ("failed" in target) return told(hpa, untargeted(hpa, target.failed, now), now);
      const memory = memories.of(key, hpa.metadata.uid ?? "", target.scale.replicas, now);
      const decision = decide({ view, hpa, target, answers, memory, now });
      memories.set(key, remembered(hpa, target, decision, now), decision.rescale?.replicas ?? target.scale.replicas);
      const intents = [...told(hpa, decision, now), ...carriedOut(hpa, target, decision)];
      return staysAwake(view, hpa, target, decision) ? [...intents, next] : intents;
    },
    refused(view, key, refusal, { now }) {
      const hpa = view.get(HorizontalPodAutoscaler, ...splitKey(key));
      if (!hpa) return [];
      const { intents, difference } = notCarriedOut(hpa, refusal, now);
      memories.undo(key, difference);
      return intents;
    },
  };
}

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
