import type { Operation } from "../engine/operation.ts";

/**
 * One rule about who may write what, or what is filled in on the way. `admits` returns when the write may go on and
 * throws an ApiError when not; mutating ones change `operation.object` in place.
 * https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
export type Admission = { readonly name: string; admits(operation: Operation): void };

export const mutating: readonly Admission[] = [];
export const validating: readonly Admission[] = [];
