/** What is told of routes: https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus */
import type { Parent } from "../../kinds/gateway/attachments.ts";
import type { Problem } from "../../kinds/gateway/listeners.ts";
import { unsupported } from "../../kinds/gateway/rules.ts";
import { type AnyRoute, CONTROLLER, type ParentStatus } from "../../kinds/gateway/types.ts";
import { same } from "../../kinds/paths.ts";
import { withoutCondition } from "../conditions.ts";
import { no, told, yes } from "./gateway-status.ts";

/** Undefined where there is none, and never was. What other controllers have said stays. */
export function routeStatus(
  route: AnyRoute,
  parents: readonly Parent[],
  unresolved: Problem | undefined,
  now: number,
): AnyRoute["status"] {
  const before = route.status?.parents ?? [];
  const others = before.filter(({ controllerName }) => controllerName !== CONTROLLER);
  const own = parents.map((parent) => parentStatus(route, parent, unresolved, now));
  if (before.length === 0 && own.length === 0) return route.status;
  return { ...route.status, parents: [...others, ...own] };
}

function parentStatus(
  route: AnyRoute,
  { parentRef, refused }: Parent,
  unresolved: Problem | undefined,
  now: number,
): ParentStatus {
  const before = route.status?.parents?.find(
    (known) => known.controllerName === CONTROLLER && same(known.parentRef, parentRef),
  );
  const strange = (route.spec?.rules ?? []).map(unsupported).find((problem) => problem !== undefined);
  const isPartial = strange !== undefined && !refused;
  const words = {
    Accepted: refused ? no(refused.reason, refused.message) : yes("Accepted"),
    ResolvedRefs: unresolved ? no(unresolved.reason, unresolved.message) : yes("ResolvedRefs"),
    ...(isPartial && { PartiallyInvalid: yes("UnsupportedValue", strange) }),
  };
  const kept = isPartial ? before?.conditions : withoutCondition(before?.conditions, "PartiallyInvalid");
  return { parentRef, controllerName: CONTROLLER, conditions: told(kept, words, route.metadata?.generation, now) };
}
