/** What an autoscaler scales: anything with a `/scale`, whatever its kind. */
import type { HorizontalPodAutoscaler } from "../../kinds/autoscaling/horizontal-pod-autoscaler.ts";
import type { Kind, ScalePaths } from "../../kinds/kind.ts";
import { type ScaleFigures, scaleFigures } from "../../kinds/scale.ts";
import type { KubeObject } from "../../lib/object.ts";
import type { View } from "../controller.ts";

export type Target = { kind: Kind; paths: ScalePaths; object: Readonly<KubeObject>; scale: ScaleFigures };

export const groupOf = (apiVersion = ""): string =>
  apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";

/** The kind of a group, in the version that is named or else the one that is preferred. */
export function kindNamed(view: View, apiVersion: string, kind: string): Kind | undefined {
  const group = groupOf(apiVersion);
  return view.kind(apiVersion, kind) ?? view.kinds().find((known) => known.group === group && known.kind === kind);
}

/** `failed` in the words of kube-controller-manager's client. */
export function targetOf(
  view: View,
  { metadata, spec }: Readonly<HorizontalPodAutoscaler>,
): Target | { failed: string } {
  const { apiVersion = "", kind: kindName, name } = spec.scaleTargetRef;
  const parts = apiVersion.split("/");
  if (parts.length > 2) return { failed: `unexpected GroupVersion string: ${apiVersion}` };
  const kind = kindNamed(view, apiVersion, kindName);
  if (!kind) {
    const group = JSON.stringify(groupOf(apiVersion));
    return { failed: `no matches for kind ${JSON.stringify(kindName)} in group ${group}` };
  }
  if (!kind.scale) return { failed: `the server could not find the requested resource (get ${kind.resource} ${name})` };
  const object = view.get(kind, metadata.namespace ?? "", name);
  if (!object) return { failed: `${kind.groupResource} ${JSON.stringify(name)} not found` };
  return { kind, paths: kind.scale, object, scale: scaleFigures(kind.scale, object) };
}
