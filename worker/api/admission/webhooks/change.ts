import type { FieldValidation } from "../../../kinds/decode.ts";
import type { Kind } from "../../../kinds/kind.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { internalError } from "../../../lib/status.ts";
import { normalize } from "../../engine/body.ts";
import type { Loose } from "../../engine/core.ts";
import type { Operation } from "../../engine/operation.ts";
import { seenAs } from "./review.ts";

/** Makes what was seen in `kind`'s version, and changed, the object that is written, in place. */
export function replaceObject(
  { object, kind: target, namespace, core }: Operation,
  kind: Kind,
  changed: KubeObject,
  validation: FieldValidation = "Ignore",
): void {
  if (changed === object) return;
  const back = (kind === target ? changed : seenAs(target, changed)) as Loose;
  const settled = normalize(core.kinds, target, back, validation, [], { refuse: internalError });
  for (const field of Object.keys(object)) delete (object as Loose)[field];
  Object.assign(object, settled);
  if (target.namespaced && namespace && object.metadata) object.metadata.namespace ||= namespace;
}
