import type { Kind } from "../kinds/kind.ts";
import type { KubeObject } from "../lib/object.ts";
import type { Intent } from "./controller.ts";

type How = Pick<Extract<Intent, { do: "delete" }>, "gracePeriodSeconds" | "propagationPolicy">;

/** Deletes this very object: another of its name that has come since stays. */
export function removal(
  kind: Kind,
  { metadata: { namespace = "", name = "", uid = "" } = {} }: Readonly<KubeObject>,
  how: How = {},
): Intent {
  return { do: "delete", kind, namespace, name, uid, ...how };
}
