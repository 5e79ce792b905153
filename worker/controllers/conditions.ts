import { timestamp } from "../lib/effects.ts";

type Condition = { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string };

export function conditionOf<C extends { type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The list with this condition in it. `lastTransitionTime` moves only when the status does; the place in the list stays.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, next: C, now: number): C[] {
  const known = conditionOf(conditions, next.type);
  const lastTransitionTime =
    known?.status === next.status && known.lastTransitionTime ? known.lastTransitionTime : timestamp(now);
  const condition = { ...next, lastTransitionTime };
  if (!known) return [...(conditions ?? []), condition];
  return (conditions ?? []).map((c) => (c === known ? { ...known, ...condition } : c));
}

export function withoutCondition<C extends { type: string }>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
