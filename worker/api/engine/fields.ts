import { ownable } from "../../kinds/patch/ownable.ts";
import type { Tracking } from "../../kinds/patch/track-update.ts";
import { trackUpdate } from "../../kinds/patch/track-update.ts";
import { metaOf } from "./metadata.ts";
import type { Operation } from "./operation.ts";

/** Notes in managedFields what this write sets. Runs before admission, whose additions no client owns. */
export type Track = (operation: Operation, manager: string) => void;

export const trackFields: Track = (operation, manager) => {
  const { object, old } = operation;
  metaOf(object).managedFields = trackUpdate({ ...trackingOf(operation, manager), old, object });
};

/** Of an apply, whose object comes with its managedFields. */
export const alreadyTracked: Track = () => undefined;

export const trackingOf = (
  { core, kind, subresource }: Pick<Operation, "core" | "kind" | "subresource">,
  manager: string,
): Tracking => ({
  schema: kind.schema,
  apiVersion: kind.apiVersion,
  manager,
  subresource,
  ownable: ownable(kind, subresource),
  now: core.effects.now(),
});
