import {
  dns1035LabelProblems,
  dnsSubdomainProblems,
  portNameProblems,
  portNumberProblems,
  wildcardSubdomainProblems,
} from "../../lib/names.ts";
import { invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  NetworkingV1HTTPIngressPath,
  NetworkingV1Ingress,
  NetworkingV1IngressBackend,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { isIp } from "./ip.ts";

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const BAD_PATH_PARTS = ["//", "/./", "/../", "%2f", "%2F"];
const BAD_PATH_ENDS = ["/..", "/."];

export function* validateIngress({ spec }: NetworkingV1Ingress): Problems {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec ?? {};
  if (!rules.length && !defaultBackend)
    yield invalidValue("spec", spec?.rules ?? null, "either `defaultBackend` or `rules` must be specified");
  if (defaultBackend) yield* validateBackend(defaultBackend, "spec.defaultBackend");
  for (const [index, { host, http }] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    if (host) yield* validateHost(host, `${at}.host`);
    if (http && !http.paths?.length) yield required(`${at}.http.paths`);
    for (const [pathIndex, path] of (http?.paths ?? []).entries())
      yield* validatePath(path, `${at}.http.paths[${pathIndex}]`);
  }
  for (const [index, { hosts }] of tls.entries())
    for (const [hostIndex, host] of (hosts ?? []).entries())
      yield* validateHost(host, `spec.tls[${index}].hosts[${hostIndex}]`);
  if (ingressClassName !== undefined)
    yield* invalidFor("spec.ingressClassName", ingressClassName, dnsSubdomainProblems(ingressClassName));
}

function* validateHost(host: string, field: string): Problems {
  if (isIp(host)) yield invalidValue(field, host, "must be a DNS name, not an IP address");
  yield* invalidFor(field, host, (host.includes("*") ? wildcardSubdomainProblems : dnsSubdomainProblems)(host));
}

function* validatePath({ path = "", pathType, backend }: NetworkingV1HTTPIngressPath, field: string): Problems {
  if (!pathType) return yield required(`${field}.pathType`, "pathType must be specified");
  if (!PATH_TYPES.includes(pathType)) yield notSupported(`${field}.pathType`, pathType, PATH_TYPES);
  else if (pathType !== "ImplementationSpecific") {
    if (!path.startsWith("/")) yield invalidValue(`${field}.path`, path, "must be an absolute path");
    for (const part of BAD_PATH_PARTS)
      if (path.includes(part)) yield invalidValue(`${field}.path`, path, `must not contain '${part}'`);
    for (const end of BAD_PATH_ENDS)
      if (path.endsWith(end)) yield invalidValue(`${field}.path`, path, `cannot end with '${end}'`);
  } else if (path && !path.startsWith("/")) yield invalidValue(`${field}.path`, path, "must be an absolute path");
  yield* validateBackend(backend ?? {}, `${field}.backend`);
}

function* validateBackend({ service, resource }: NetworkingV1IngressBackend, field: string): Problems {
  if (service && resource) {
    yield invalidValue(field, "", "cannot set both resource and service backends");
    return;
  }
  if (resource) {
    if (!resource.kind) yield required(`${field}.resource.kind`);
    if (!resource.name) yield required(`${field}.resource.name`);
    return;
  }
  if (!service) {
    yield invalidValue(field, "", "resource or service backend is required");
    return;
  }
  if (!service.name) yield required(`${field}.service.name`);
  else yield* invalidFor(`${field}.service.name`, service.name, dns1035LabelProblems(service.name));
  const { name, number } = service.port ?? {};
  if (name && number) yield invalidValue(field, "", "cannot set both port name & port number");
  else if (name) yield* invalidFor(`${field}.service.port.name`, name, portNameProblems(name));
  else if (number) yield* invalidFor(`${field}.service.port.number`, number, portNumberProblems(number));
  else yield required(field, "port name or number is required");
}
