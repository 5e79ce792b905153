/** What a route's references to Services come to. */
import type { CoreV1Service } from "../generated/types.ts";
import { isProblem, portOf } from "../ingress/backends.ts";
import type { Target } from "../ingress/routes.ts";
import type { Problem } from "./listeners.ts";
import type { Sources } from "./sources.ts";
import { type AnyRoute, type BackendReference, GROUP } from "./types.ts";

/** Where a reference leads to, if it may; whether the Service is there shows when it is asked for. */
export function targetOf(route: AnyRoute, reference: BackendReference, sources: Sources): Target | undefined {
  const at = placeOf(route, reference);
  if (referenceProblem(route, reference, sources) || reference.port === undefined) return undefined;
  const target = { ...at, port: reference.port };
  return route.kind === "GRPCRoute" ? { ...target, speaks: "h2c" } : target;
}

const placeOf = ({ metadata }: AnyRoute, { namespace, name }: BackendReference) => ({
  namespace: namespace ?? metadata?.namespace ?? "",
  service: name,
});

function referenceProblem(route: AnyRoute, reference: BackendReference, sources: Sources): Problem | undefined {
  const { group = "", kind = "Service" } = reference;
  const { namespace, service: name } = placeOf(route, reference);
  if (group !== "" || kind !== "Service")
    return { reason: "InvalidKind", message: `${kind} "${name}": only Services can be backends` };
  const from = { group: GROUP, kind: route.kind ?? "", namespace: route.metadata?.namespace ?? "" };
  return sources.permits(from, { group, kind, namespace, name })
    ? undefined
    : { reason: "RefNotPermitted", message: `no ReferenceGrant permits service "${namespace}/${name}"` };
}

export function backendProblem(
  route: AnyRoute,
  reference: BackendReference,
  sources: Sources,
  service: (namespace: string, name: string) => Readonly<CoreV1Service> | undefined,
): Problem | undefined {
  const problem = referenceProblem(route, reference, sources);
  if (problem) return problem;
  const at = placeOf(route, reference);
  const found = portOf({ ...at, port: reference.port ?? 0 }, service(at.namespace, at.service));
  return isProblem(found) ? { reason: "BackendNotFound", message: found.message } : undefined;
}
