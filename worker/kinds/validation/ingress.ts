import {
  dns1035LabelProblems,
  dnsSubdomainProblems,
  pathSegmentProblems,
  portNameProblems,
  portNumberProblems,
  wildcardSubdomainProblems,
} from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  NetworkingV1HTTPIngressPath,
  NetworkingV1Ingress,
  NetworkingV1IngressBackend,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { ipWarnings, isIp, NOT_AN_IP } from "./ip.ts";

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
  for (const [index, { hosts, secretName }] of tls.entries()) {
    for (const [hostIndex, host] of (hosts ?? []).entries())
      yield* validateName(host, `spec.tls[${index}].hosts[${hostIndex}]`);
    if (secretName) yield* invalidFor(`spec.tls[${index}].secretName`, secretName, dnsSubdomainProblems(secretName));
  }
  if (ingressClassName !== undefined)
    yield* invalidFor("spec.ingressClassName", ingressClassName, dnsSubdomainProblems(ingressClassName));
}

function* validateHost(host: string, field: string): Problems {
  if (isIp(host)) yield invalidValue(field, host, "must be a DNS name, not an IP address");
  yield* validateName(host, field);
}

function* validateName(host: string, field: string): Problems {
  yield* invalidFor(field, host, (host.includes("*") ? wildcardSubdomainProblems : dnsSubdomainProblems)(host));
}

function* validatePath({ path = "", pathType, backend }: NetworkingV1HTTPIngressPath, field: string): Problems {
  if (pathType === undefined || pathType === null)
    return yield required(`${field}.pathType`, "pathType must be specified");
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

export function* validateReference(
  { apiGroup, kind, name }: { apiGroup?: string | null; kind?: string; name?: string },
  field: string,
): Problems {
  if (apiGroup !== undefined && apiGroup !== null)
    yield* invalidFor(`${field}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup));
  for (const [part, value] of Object.entries({ kind, name }))
    if (!value) yield required(`${field}.${part}`);
    else yield* invalidFor(`${field}.${part}`, value, pathSegmentProblems(value));
}

function* validateBackend({ service, resource }: NetworkingV1IngressBackend, field: string): Problems {
  if (service && resource) {
    yield invalidValue(field, "", "cannot set both resource and service backends");
    return;
  }
  if (resource) {
    yield* validateReference(resource, `${field}.resource`);
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

const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

/** The older way to name a class says the same, or nothing. */
export function* validateNewIngress({ metadata, spec }: NetworkingV1Ingress): Problems {
  const annotated = metadata?.annotations?.[CLASS_ANNOTATION];
  const name = spec?.ingressClassName;
  if (annotated !== undefined && name !== undefined && annotated !== name)
    yield invalidValue(
      `annotations.${CLASS_ANNOTATION}`,
      annotated,
      "must match `ingressClassName` when both are specified",
    );
}

export function* ingressWarnings({ metadata, spec, status }: NetworkingV1Ingress, isNew: boolean): Iterable<string> {
  if (isNew && metadata?.annotations?.[CLASS_ANNOTATION] !== undefined && spec?.ingressClassName === undefined)
    yield `annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`;
  if (isNew) return;
  for (const [index, { ip }] of (status?.loadBalancer?.ingress ?? []).entries())
    if (ip) yield* ipWarnings(ip, `status.loadBalancer.ingress[${index}]`);
}

type Balanced = { ip?: string; hostname?: string; ipMode?: string };
const IP_MODES = ["Proxy", "VIP"];

/** Addresses at which a load balancer can be reached; those of Services (`withMode`) say how they arrive. */
export function* validateBalancer(
  ingress: readonly Balanced[] | undefined,
  field: string,
  withMode: boolean,
): Problems {
  for (const [index, { ip, hostname, ipMode }] of (ingress ?? []).entries()) {
    const at = `${field}[${index}]`;
    if (ip && !isIp(ip)) yield invalidValue(`${at}.ip`, ip, NOT_AN_IP);
    if (withMode) {
      if (ipMode === undefined) {
        if (ip) yield required(`${at}.ipMode`, "must be specified when `ip` is set");
      } else if (!ip) yield forbiddenField(`${at}.ipMode`, "may not be specified when `ip` is not set");
      else if (!IP_MODES.includes(ipMode)) yield notSupported(`${at}.ipMode`, ipMode, IP_MODES);
    }
    if (!hostname) continue;
    yield* invalidFor(`${at}.hostname`, hostname, dnsSubdomainProblems(hostname));
    if (isIp(hostname)) yield invalidValue(`${at}.hostname`, hostname, "must be a DNS name, not an IP address");
  }
}
