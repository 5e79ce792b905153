import type {
  AdmissionregistrationV1ParamKind as ParamKind,
  AdmissionregistrationV1ParamRef as ParamRef,
} from "../../../kinds/generated/types.ts";
import type { Kind } from "../../../kinds/kind.ts";
import type { KubeObject } from "../../../lib/object.ts";
import { matchesSelector } from "../../../lib/selectors.ts";
import type { Operation } from "../../engine/operation.ts";

/** A policy or a binding that cannot be used as it is. */
export class ConfigurationError extends Error {}

/** The kind of a policy's parameters. Throws ConfigurationError where there is none. */
export function paramKindOf(kind: ParamKind | undefined, { core }: Operation): Kind | undefined {
  if (!kind) return undefined;
  const found = core.view.kind(kind.apiVersion ?? "", kind.kind ?? "");
  if (!found)
    throw new ConfigurationError(
      `failed to find resource referenced by paramKind: '${kind.apiVersion}, Kind=${kind.kind}'`,
    );
  return found;
}

/**
 * The parameters that a binding names, each to be judged with; one without any where the policy or the binding has
 * none. Throws ConfigurationError.
 */
export function paramsOf(
  kind: Kind | undefined,
  ref: ParamRef | undefined,
  { core, namespace }: Operation,
): (KubeObject | undefined)[] {
  if (!kind || !ref) return [undefined];
  if (!kind.namespaced && ref.namespace)
    throw new ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  const within = kind.namespaced ? ref.namespace || namespace : "";
  if (kind.namespaced && !within)
    throw new ConfigurationError(
      "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
    );
  const found = ref.name
    ? [core.view.get(kind, within, ref.name)].filter((object) => object !== undefined)
    : core.view
        .list(kind, kind.namespaced ? within : undefined)
        .filter(({ metadata }) => matchesSelector(ref.selector, metadata?.labels));
  if (found.length === 0 && ref.parameterNotFoundAction === "Deny")
    throw new ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction");
  return [...found];
}
