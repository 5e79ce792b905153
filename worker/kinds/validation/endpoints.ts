import {
  dnsLabelProblems,
  dnsSubdomainProblems,
  labelValueProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required, tooMany } from "../../lib/status.ts";
import type {
  CoreV1EndpointPort,
  CoreV1EndpointSubset,
  CoreV1Endpoints,
  DiscoveryV1Endpoint,
  DiscoveryV1EndpointSlice,
} from "../generated/types.ts";
import { entries, invalidFor, type Problems } from "./fields.ts";
import { ipFamily, ipWarnings, isIp, NOT_AN_IP, specialRange, strictIpProblems } from "./ip.ts";
import { PROTOCOLS, validateProtocol } from "./ports.ts";

const unusable: Readonly<Record<string, string>> = {
  unspecified: "may not be unspecified",
  loopback: "may not be in the loopback range",
  linkLocal: "may not be in the link-local range",
  multicast: "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
};

/** An address that other machines can reach. */
export function* validateEndpointIP(address: string, field: string): Problems {
  if (!isIp(address)) {
    yield invalidValue(field, address, NOT_AN_IP);
    return;
  }
  const range = specialRange(address);
  if (range === "unspecified") yield invalidValue(field, address, `may not be unspecified (${address})`);
  else if (range === "loopback")
    yield invalidValue(field, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
  else if (range === "linkLocal")
    yield invalidValue(field, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  else if (range) yield invalidValue(field, address, unusable[range] ?? "");
}

export function* validateEndpoints({ subsets }: CoreV1Endpoints): Problems {
  for (const [index, subset] of (subsets ?? []).entries()) yield* validateSubset(subset, `subsets[${index}]`);
}

function* validateSubset(subset: CoreV1EndpointSubset, field: string): Problems {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (!addresses.length && !notReadyAddresses.length)
    yield required(field, "must specify `addresses` or `notReadyAddresses`");
  for (const [name, list] of Object.entries({ addresses, notReadyAddresses }))
    for (const [index, { ip, hostname, nodeName }] of list.entries()) {
      const at = `${field}.${name}[${index}]`;
      if (!isIp(ip ?? "")) yield invalidValue(`${at}.ip`, ip ?? "", NOT_AN_IP);
      if (hostname) yield* invalidFor(`${at}.hostname`, hostname, dnsLabelProblems(hostname));
      if (nodeName !== undefined) yield* invalidFor(`${at}.nodeName`, nodeName, dnsSubdomainProblems(nodeName));
      if (isIp(ip ?? "")) yield* validateEndpointIP(ip ?? "", `${at}.ip`);
      else yield invalidValue(`${at}.ip`, ip ?? "", "must be a valid IP address");
    }
  for (const [index, port] of ports.entries()) yield* validatePort(port, ports.length > 1, `${field}.ports[${index}]`);
}

function* validatePort(
  { name, port, protocol, appProtocol }: CoreV1EndpointPort,
  named: boolean,
  field: string,
): Problems {
  if (named && !name) yield required(`${field}.name`);
  else if (name) yield* invalidFor(`${field}.name`, name, dnsLabelProblems(name));
  yield* invalidFor(`${field}.port`, port ?? 0, portNumberProblems(port ?? 0));
  yield* validateProtocol(protocol, `${field}.protocol`);
  if (appProtocol !== undefined)
    yield* invalidFor(`${field}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol));
}

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;

export function* validateEndpointSlice(slice: DiscoveryV1EndpointSlice): Problems {
  const { addressType = "" } = slice;
  const endpoints = slice.endpoints ?? [];
  if (!addressType) yield required("addressType");
  else if (!ADDRESS_TYPES.includes(addressType)) yield notSupported("addressType", addressType, ADDRESS_TYPES);
  yield* validateSlicePorts(slice.ports ?? []);
  if (endpoints.length > MAX_ENDPOINTS) yield tooMany("endpoints", endpoints.length, MAX_ENDPOINTS);
  else
    for (const [index, endpoint] of endpoints.entries())
      yield* validateSliceEndpoint(endpoint, addressType, `endpoints[${index}]`);
}

function* validateSliceEndpoint(endpoint: DiscoveryV1Endpoint, addressType: string, field: string): Problems {
  const { hostname, nodeName, deprecatedTopology } = endpoint;
  const addresses = endpoint.addresses ?? [];
  if (!addresses.length) yield required(`${field}.addresses`, "must contain at least 1 address");
  else if (addresses.length > MAX_ADDRESSES) yield tooMany(`${field}.addresses`, addresses.length, MAX_ADDRESSES);
  for (const [index, address] of addresses.entries()) {
    const at = `${field}.addresses[${index}]`;
    if (addressType === "FQDN") yield* invalidFor(at, address, fullNameProblems(address));
    if (addressType !== "IPv4" && addressType !== "IPv6") continue;
    // New for this version: an IPv6 address has one form.
    const wrong = addressType === "IPv6" ? strictIpProblems(address) : isIp(address) ? [] : [NOT_AN_IP];
    yield* invalidFor(at, address, wrong);
    if (wrong.length) continue;
    if (ipFamily(address) !== addressType)
      yield invalidValue(`${field}.addresses`, address, `must be an ${addressType} address`);
    yield* validateEndpointIP(address, at);
  }
  if (nodeName !== undefined) yield* invalidFor(`${field}.nodeName`, nodeName, dnsSubdomainProblems(nodeName));
  for (const [key, value] of entries(deprecatedTopology)) {
    yield* invalidFor(`${field}.deprecatedTopology`, key, qualifiedNameProblems(key));
    yield* invalidFor(`${field}.deprecatedTopology`, value, labelValueProblems(value));
  }
  if (hostname !== undefined) yield* invalidFor(`${field}.hostname`, hostname, dnsLabelProblems(hostname));
  yield* validateHints(endpoint.hints, `${field}.hints`);
  if (deprecatedTopology && Object.hasOwn(deprecatedTopology, "topology.kubernetes.io/zone"))
    yield forbiddenField(`${field}.deprecatedTopology[topology.kubernetes.io/zone]`, "cannot set zone");
}

function fullNameProblems(name: string): string[] {
  if (!name) return ["must be a valid fully qualified domain name"];
  const problems = dnsSubdomainProblems(name.replace(/\.$/, ""));
  if (problems.length) return [...problems];
  return name.replace(/\.$/, "").includes(".")
    ? []
    : ["should be a domain with at least two segments separated by dots"];
}

const MAX_HINTS = 8;

function* validateHints(hints: DiscoveryV1Endpoint["hints"], field: string): Problems {
  const rules = { forZones: labelValueProblems, forNodes: dnsSubdomainProblems };
  for (const list of ["forZones", "forNodes"] as const) {
    const all = hints?.[list] ?? [];
    if (all.length > MAX_HINTS) {
      yield tooMany(`${field}.${list}`, all.length, MAX_HINTS);
      return;
    }
    for (const [index, { name = "" }] of all.entries()) {
      const at = `${field}.${list}[${index}].name`;
      if (all.findIndex((other) => (other.name ?? "") === name) < index) yield duplicate(at, name);
      yield* invalidFor(at, name, rules[list](name));
    }
  }
}

function* validateSlicePorts(ports: NonNullable<DiscoveryV1EndpointSlice["ports"]>): Problems {
  if (ports.length > MAX_PORTS) {
    yield tooMany("ports", ports.length, MAX_PORTS);
    return;
  }
  const names = new Set<string>();
  for (const [index, { name = "", protocol, appProtocol }] of ports.entries()) {
    const at = `ports[${index}]`;
    if (name) yield* invalidFor(`${at}.name`, name, dnsLabelProblems(name));
    if (names.has(name)) yield duplicate(`${at}.name`, name);
    names.add(name);
    if (protocol === undefined) yield required(`${at}.protocol`);
    else if (!PROTOCOLS.includes(protocol)) yield notSupported(`${at}.protocol`, protocol, PROTOCOLS);
    if (appProtocol !== undefined)
      yield* invalidFor(`${at}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol));
  }
}

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";

export function* endpointsWarnings({ metadata, subsets }: CoreV1Endpoints): Iterable<string> {
  if (metadata?.labels?.[MANAGED_BY] === "endpoint-controller") return;
  for (const [index, subset] of (subsets ?? []).entries())
    for (const list of ["addresses", "notReadyAddresses"] as const)
      for (const [at, { ip = "" }] of (subset[list] ?? []).entries())
        yield* ipWarnings(ip, `subsets[${index}].${list}[${at}].ip`);
}

const CONTROLLERS = ["endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"];

export function* sliceWarnings(slice: DiscoveryV1EndpointSlice, isNew: boolean): Iterable<string> {
  if (isNew && slice.addressType === "FQDN") yield "spec.addressType: FQDN endpoints are deprecated";
  if (CONTROLLERS.includes(slice.metadata?.labels?.["endpointslice.kubernetes.io/managed-by"] ?? "")) return;
  for (const [index, { addresses }] of (slice.endpoints ?? []).entries())
    for (const [at, address] of (addresses ?? []).entries())
      yield* ipWarnings(address, `endpoints[${index}].addresses[${at}]`);
}
