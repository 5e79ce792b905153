/** What `/scale` shows of a workload of any kind. */
import type { KubeObject } from "../lib/object.ts";
import { formatLabels, formatSelector, type LabelSelector, type Labels } from "../lib/selectors.ts";
import type { ScalePaths } from "./kind.ts";
import { read } from "./paths.ts";

/** `replicas` are those that are wanted, `statusReplicas` those that there are; `selector` is text, "" where there is none. */
export type ScaleFigures = { replicas: number; statusReplicas: number; selector: string };

/** `.spec.replicas` as `read` wants it. */
export const plainPath = (path: string): string => path.replace(/^\./, "");

export function scaleFigures({ specReplicas, statusReplicas, selector }: ScalePaths, object: KubeObject): ScaleFigures {
  const number = (path: string) => Number(read(object, plainPath(path)) ?? 0);
  return {
    replicas: number(specReplicas),
    statusReplicas: number(statusReplicas),
    selector: selector ? selectorText(read(object, plainPath(selector))) : "",
  };
}

/** Selectors come as text, as plain labels or as a LabelSelector. */
function selectorText(selector: unknown): string {
  if (typeof selector === "string") return selector;
  if (typeof selector !== "object" || selector === null) return "";
  const { matchLabels, matchExpressions } = selector as LabelSelector;
  const isSelector = typeof matchLabels === "object" || Array.isArray(matchExpressions);
  return isSelector ? formatSelector(selector as LabelSelector) : formatLabels(selector as Labels);
}

/** Sets the wanted number, in place. */
export function setReplicas({ specReplicas }: ScalePaths, object: KubeObject, replicas: number): void {
  const steps = plainPath(specReplicas).split(".");
  const last = steps.pop() ?? "";
  let owner = object as Record<string, unknown>;
  for (const step of steps) {
    owner[step] ??= {};
    owner = owner[step] as Record<string, unknown>;
  }
  owner[last] = replicas;
}
