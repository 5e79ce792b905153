/** What is written of a look: the status, what users are told, and the target's new size. */
import { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import { copy, same } from "../../kinds/paths.ts";
import { setReplicas } from "../../kinds/scale.ts";
import { conditionOf } from "../conditions.ts";
import type { Intent, Refusal } from "../controller.ts";
import { normal, warning } from "../events.ts";
import { type Decision, withVerdict } from "./decide.ts";
import { PERIOD_MS } from "./period.ts";
import type { Target } from "./target.ts";

type Autoscaler = Readonly<HorizontalPodAutoscaler>;
/** An intent that may be one of several that go together. */
type Single = Exclude<Intent, { do: "again" | "together" }>;

const reported = (hpa: Autoscaler, status: Decision["status"]): Single => ({
  do: "updateStatus",
  kind: HorizontalPodAutoscaler,
  object: { ...hpa, status } as HorizontalPodAutoscaler,
});

/** A failure that lasts is told often at first and then every 5 minutes, as client-go's recorder lets it be. */
const TOLD_AT_FIRST_MS = 3 * 60_000;
const TOLD_EVERY_MS = 5 * 60_000;

/** Where the target stays as it is: what has changed of the status. In any case what went wrong. */
export function told(
  hpa: Autoscaler,
  { status, warnings, rescale }: Pick<Decision, "status" | "warnings" | "rescale">,
  now: number,
): Intent[] {
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
export function carriedOut(hpa: Autoscaler, { kind, paths, object }: Target, { status, rescale }: Decision): Intent[] {
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

/** What is told instead when that was refused, and by how much the target was to change. */
export function notCarriedOut(
  hpa: Autoscaler,
  { intent, error }: Refusal,
  now: number,
): { intents: Intent[]; difference: number } {
  const [, update, event] = intent.do === "together" ? intent.intents : [];
  if (update?.do !== "updateStatus" || event?.do !== "event") return { intents: [], difference: 0 };
  const { status = { desiredReplicas: 0 } } = update.object as HorizontalPodAutoscaler;
  const { lastScaleTime: _, ...rest } = status;
  const { lastScaleTime, desiredReplicas = 0, conditions: known } = hpa.status ?? {};
  const message = `the HPA controller was unable to update the target scale: ${error.message}`;
  const verdict = { reason: "FailedUpdateScale", message };
  const failed = conditionOf(withVerdict(known, "AbleToScale", "False", verdict, now), "AbleToScale");
  const conditions = status.conditions?.map((condition) => (condition.type === failed?.type ? failed : condition));
  const kept = { ...rest, ...(lastScaleTime && { lastScaleTime }), desiredReplicas, conditions };
  return {
    intents: [warning(hpa, "FailedRescale", `${event.message}; error: ${error.message}`), reported(hpa, kept)],
    difference: status.desiredReplicas - (status.currentReplicas ?? 0),
  };
}
