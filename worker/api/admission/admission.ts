import type { Kind } from "../../kinds/kind.ts";
import type { KubeObject } from "../../lib/object.ts";
import { type ApiError, forbidden } from "../../lib/status.ts";
import type { Operation } from "../engine/operation.ts";
import { subjectOf } from "../engine/stored.ts";

/**
 * One rule about who may write what, or what is filled in on the way. `admits` returns when the write may go on and
 * throws an ApiError when not; mutating ones change `operation.object` in place.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
export type Admission = { readonly name: string; admits(operation: Operation): void };

/** The 403 of a rule that says no. */
export const refusal = ({ kind, name, object }: Operation, why: string): ApiError =>
  forbidden(subjectOf(kind, name || object.metadata?.generateName || ""), why);

/** Notes something for the audit log, where the request is recorded. What is noted under a key stays. */
export function annotate({ request: { audit } }: Operation, key: string, value: string): void {
  if (audit && !(key in audit.annotations)) audit.annotations[key] = value;
}

/** A new object of this resource itself, not of a subresource. */
export const creates = ({ action, kind, subresource }: Operation, groupResource: string): boolean =>
  action === "CREATE" && subresource === "" && kind.groupResource === groupResource;

/** The first version of a kind, by its plural; all that admission asks for are built in. */
export function kindNamed<T extends KubeObject>({ core }: Operation, group: string, resource: string) {
  const kind = core.kinds.find(group, "v1", resource);
  if (!kind) throw new Error(`${resource} are not served`);
  return kind as unknown as Kind<T>;
}
