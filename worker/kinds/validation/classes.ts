import { dnsLabelProblems, dnsSubdomainProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooLong } from "../../lib/status.ts";
import type {
  NetworkingV1IngressClass,
  NodeV1RuntimeClass,
  StorageV1VolumeAttributesClass,
} from "../generated/types.ts";
import { same } from "../paths.ts";
import { invalidFor, type Problems, validateLabels } from "./fields.ts";
import { validateReference } from "./ingress.ts";
import { validateRequirements } from "./resources.ts";
import { validateTolerations } from "./scheduling.ts";

/** Classes: what clusters offer, and Ingresses, pods and claims name. */
const MAX_CONTROLLER_BYTES = 250;
const SCOPES = ["Cluster", "Namespace"];

export function* validateIngressClass({ spec }: NetworkingV1IngressClass): Problems {
  const { controller = "", parameters } = spec ?? {};
  if (controller.length > MAX_CONTROLLER_BYTES) yield tooLong("spec.controller", MAX_CONTROLLER_BYTES);
  if (controller === "") yield required("spec.controller");
  else yield* domainPath(controller, "spec.controller");
  if (!parameters) return;
  const { scope, namespace } = parameters;
  const at = (field: string) => `spec.parameters.${field}`;
  yield* validateReference(parameters, "spec.parameters");
  if (scope === undefined) yield required(at("scope"));
  else if (!SCOPES.includes(scope)) yield notSupported(at("scope"), scope, SCOPES);
  else if (scope === "Namespace" && namespace === undefined)
    yield required(at("namespace"), "`parameters.scope` is set to 'Namespace'");
  else if (scope === "Namespace") yield* invalidFor(at("namespace"), namespace, dnsLabelProblems(namespace ?? ""));
  else if (scope === "Cluster" && namespace !== undefined)
    yield forbiddenField(at("namespace"), "`parameters.scope` is set to 'Cluster'");
}

const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

function* domainPath(value: string, field: string): Problems {
  const [domain = "", ...rest] = value.split("/");
  const path = rest.join("/");
  if (domain === "" || path === "")
    return yield invalidValue(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")');
  yield* invalidFor(field, domain, dnsSubdomainProblems(domain));
  if (!PATH.test(path)) yield invalidValue(field, path, `Invalid path (regex used for validation is '${PATH.source}')`);
}

export function* validateRuntimeClass({ handler, overhead, scheduling }: NodeV1RuntimeClass): Problems {
  yield* invalidFor("handler", handler ?? "", dnsLabelProblems(handler ?? ""));
  if (overhead) yield* validateRequirements({ limits: overhead.podFixed }, new Set(), "overhead");
  yield* validateLabels(scheduling?.nodeSelector, "scheduling.nodeSelector");
  const tolerations = scheduling?.tolerations ?? [];
  yield* validateTolerations(tolerations, "scheduling.tolerations");
  for (const [index, toleration] of tolerations.entries())
    if (tolerations.slice(0, index).some((other) => same(other, toleration))) {
      const { key = "", operator = "", value = "", effect = "", tolerationSeconds = null } = toleration;
      const shown = {
        Key: key,
        Operator: operator,
        Value: value,
        Effect: effect,
        TolerationSeconds: tolerationSeconds,
      };
      yield duplicate(`scheduling.tolerations[${index}]`, shown);
    }
}

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;

export function* validateAttributesClass({ driverName, parameters }: StorageV1VolumeAttributesClass): Problems {
  if (!driverName) yield required("driverName");
  else yield* invalidFor("driverName", driverName.toLowerCase(), qualifiedNameProblems(driverName.toLowerCase()));
  const given = Object.entries(parameters ?? {});
  if (given.length === 0) return yield required("parameters", "must contain at least one key/value pair");
  if (given.length > MAX_PARAMETERS)
    yield {
      field: "parameters",
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MAX_PARAMETERS} bytes`,
    };
  if (given.some(([key]) => key === "")) yield invalidValue("parameters", "", "field can not be empty.");
  if (given.reduce((sum, [key, value]) => sum + key.length + value.length, 0) > MAX_PARAMETERS_BYTES)
    yield tooLong("parameters", MAX_PARAMETERS_BYTES);
}

export function* validateAttributesClassUpdate(
  now: StorageV1VolumeAttributesClass,
  old: StorageV1VolumeAttributesClass,
): Problems {
  for (const field of ["driverName", "parameters"] as const)
    if (!same(now[field], old[field])) yield forbiddenField(field, `updates to ${field} are forbidden.`);
}
