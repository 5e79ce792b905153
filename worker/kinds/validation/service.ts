import { dnsLabelProblems, dnsSubdomainProblems, portNumberProblems, qualifiedNameProblems } from "../../lib/names.ts";
import { duplicate, forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type { CoreV1Service, CoreV1ServicePort, CoreV1ServiceSpec } from "../generated/types.ts";
import { validateEndpointIP } from "./endpoints.ts";
import { invalidFor, type Problems, validateLabels } from "./fields.ts";
import { goServicePort } from "./go-values.ts";
import { validateBalancer } from "./ingress.ts";
import { cidrWarnings, ipFamily, ipWarnings, isCidr, isIp, NOT_A_CIDR, NOT_AN_IP } from "./ip.ts";
import { validatePortNumberOrName, validateProtocol } from "./ports.ts";

/** https://kubernetes.io/docs/concepts/services-networking/service/ */
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const AFFINITIES = ["ClientIP", "None"];
const FAMILIES = ["IPv4", "IPv6"];
const FAMILY_POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const TRAFFIC_POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
const MAX_AFFINITY_SECONDS = 86_400;
const NOT_FOR_NAMES = "may not be set for ExternalName services";
const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";

const headless = (spec: CoreV1ServiceSpec) => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === "None";

export function* validateService(service: CoreV1Service): Problems {
  const spec: CoreV1ServiceSpec = service.spec ?? {};
  const ports = spec.ports ?? [];
  if (!ports.length && !headless(spec) && spec.type !== "ExternalName") yield required("spec.ports");
  yield* validateForType(spec);
  const names = new Set<string>();
  for (const [index, port] of ports.entries())
    yield* validatePort(port, ports.length > 1, names, `spec.ports[${index}]`);
  yield* validateLabels(spec.selector, "spec.selector");
  yield* validateAffinity(spec);
  yield* validateClusterIPs(spec);
  for (const [index, ip] of (spec.externalIPs ?? []).entries())
    yield* validateEndpointIP(ip, `spec.externalIPs[${index}]`);
  if (!spec.type) yield required("spec.type");
  else if (!TYPES.includes(spec.type)) yield notSupported("spec.type", spec.type, TYPES);
  yield* validatePortsTogether(spec, ports);
  yield* validateTraffic(spec);
}

function* validateForType(spec: CoreV1ServiceSpec): Problems {
  if ((spec.type === "LoadBalancer" || spec.type === "NodePort") && headless(spec))
    yield invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`);
  if (spec.type !== "ExternalName") return;
  if (spec.clusterIPs?.length) yield forbiddenField("spec.clusterIPs", NOT_FOR_NAMES);
  if (spec.ipFamilies?.length) yield forbiddenField("spec.ipFamilies", NOT_FOR_NAMES);
  if (spec.ipFamilyPolicy !== undefined) yield forbiddenField("spec.ipFamilyPolicy", NOT_FOR_NAMES);
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  if (name) yield* invalidFor("spec.externalName", name, dnsSubdomainProblems(name));
  else yield required("spec.externalName");
}

function* validatePort(port: CoreV1ServicePort, named: boolean, names: Set<string>, field: string): Problems {
  const { name, appProtocol } = port;
  if (named && !name) yield required(`${field}.name`);
  else if (name) {
    yield* invalidFor(`${field}.name`, name, dnsLabelProblems(name));
    if (names.has(name)) yield duplicate(`${field}.name`, name);
    names.add(name);
  }
  yield* invalidFor(`${field}.port`, port.port ?? 0, portNumberProblems(port.port ?? 0));
  yield* validateProtocol(port.protocol, `${field}.protocol`);
  yield* validatePortNumberOrName(port.targetPort, `${field}.targetPort`);
  if (appProtocol !== undefined)
    yield* invalidFor(`${field}.appProtocol`, appProtocol, qualifiedNameProblems(appProtocol));
}

function* validateAffinity({ sessionAffinity, sessionAffinityConfig }: CoreV1ServiceSpec): Problems {
  const field = "spec.sessionAffinityConfig";
  if (!sessionAffinity) yield required("spec.sessionAffinity");
  else if (!AFFINITIES.includes(sessionAffinity))
    yield notSupported("spec.sessionAffinity", sessionAffinity, AFFINITIES);
  else if (sessionAffinity === "None") {
    if (sessionAffinityConfig) yield forbiddenField(field, "must not be set when session affinity is None");
  } else {
    const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds === undefined)
      yield required(`${field}.clientIP.timeoutSeconds`, "must be specified when session affinity is ClientIP");
    else if (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS)
      yield invalidValue(
        `${field}.clientIP.timeoutSeconds`,
        seconds,
        `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`,
      );
  }
}

/** Addresses and families, which must agree before anything is allocated. */
function* validateClusterIPs(spec: CoreV1ServiceSpec): Problems {
  if (spec.type === "ExternalName") return;
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  if (clusterIP) {
    if (!clusterIPs.length) yield required("spec.clusterIPs");
    else if (clusterIPs[0] !== clusterIP)
      yield invalidValue("spec.clusterIPs", clusterIPs, "first value must match `clusterIP`");
  } else if (clusterIPs.length)
    yield invalidValue("spec.clusterIPs", clusterIPs, "must be empty when `clusterIP` is not specified");
  for (const [index, family] of ipFamilies.entries()) {
    if (!FAMILIES.includes(family)) yield notSupported(`spec.ipFamilies[${index}]`, family, FAMILIES);
    if (ipFamilies.indexOf(family) < index) yield duplicate(`spec.ipFamilies[${index}]`, family);
  }
  if (ipFamilyPolicy !== undefined && !FAMILY_POLICIES.includes(ipFamilyPolicy))
    yield notSupported("spec.ipFamilyPolicy", ipFamilyPolicy, FAMILY_POLICIES);
  for (const [index, ip] of clusterIPs.entries()) {
    if (index === 0 && ip === "None") {
      if (clusterIPs.length > 1)
        yield invalidValue("spec.clusterIPs", clusterIPs, "'None' must be the first and only value");
      continue;
    }
    if (!isIp(ip)) yield invalidValue(`spec.clusterIPs[${index}]`, ip, NOT_AN_IP);
  }
  if (clusterIPs.length > 2) yield invalidValue("spec.clusterIPs", clusterIPs, "may only hold up to 2 values");
  if (clusterIPs.every(isIp)) yield* validateFamilies(clusterIPs, ipFamilies);
}

function* validateFamilies(clusterIPs: readonly string[], ipFamilies: readonly string[]): Problems {
  const families = clusterIPs.map(ipFamily);
  if (new Set(families).size < Math.min(families.length, 2))
    yield invalidValue("spec.clusterIPs", clusterIPs, "may specify no more than one IP for each IP family");
  for (const [index, family] of ipFamilies.entries())
    if (FAMILIES.includes(family) && families[index] && families[index] !== family)
      yield invalidValue(
        `spec.clusterIPs[${index}]`,
        clusterIPs[index],
        `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
      );
}

function* validatePortsTogether(spec: CoreV1ServiceSpec, ports: readonly CoreV1ServicePort[]): Problems {
  if (spec.type === "ClusterIP")
    for (const [index, { nodePort }] of ports.entries())
      if (nodePort) yield forbiddenField(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'");
  const nodePorts = new Set<string>();
  for (const [index, { protocol, nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    if (nodePorts.has(`${protocol} ${nodePort}`)) yield duplicate(`spec.ports[${index}].nodePort`, nodePort);
    nodePorts.add(`${protocol} ${nodePort}`);
  }
  const seen = new Set<string>();
  for (const [index, { protocol, port }] of ports.entries()) {
    if (seen.has(`${protocol} ${port}`)) yield duplicate(`spec.ports[${index}]`, goServicePort(protocol, port ?? 0));
    seen.add(`${protocol} ${port}`);
  }
}

function* validateTraffic(spec: CoreV1ServiceSpec): Problems {
  const { externalTrafficPolicy: external, internalTrafficPolicy: internal, healthCheckNodePort } = spec;
  const balanced = spec.type === "LoadBalancer";
  if (spec.loadBalancerSourceRanges?.length && !balanced)
    yield forbiddenField("spec.LoadBalancerSourceRanges", ONLY_BALANCED);
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    if (!isCidr(range.trim())) yield invalidValue(`spec.LoadBalancerSourceRanges[${index}]`, range, NOT_A_CIDR);
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced)
    yield forbiddenField("spec.allocateLoadBalancerNodePorts", ONLY_BALANCED);
  yield* validateBalancerClass(spec);
  const outside = spec.type === "NodePort" || balanced || (spec.type === "ClusterIP" && !!spec.externalIPs?.length);
  if (outside && !external) yield required("spec.externalTrafficPolicy");
  else if (external && !outside)
    yield invalidValue("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
  else if (external && !TRAFFIC_POLICIES.includes(external))
    yield notSupported("spec.externalTrafficPolicy", external, TRAFFIC_POLICIES);
  if (healthCheckNodePort && !(balanced && external === "Local"))
    yield invalidValue(
      "spec.healthCheckNodePort",
      healthCheckNodePort,
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    );
  if (internal === undefined) {
    if (spec.type !== "ExternalName") yield required("spec.internalTrafficPolicy");
  } else if (!TRAFFIC_POLICIES.includes(internal))
    yield notSupported("spec.internalTrafficPolicy", internal, TRAFFIC_POLICIES);
  if (spec.trafficDistribution !== undefined && !DISTRIBUTIONS.includes(spec.trafficDistribution))
    yield notSupported("spec.trafficDistribution", spec.trafficDistribution, DISTRIBUTIONS);
}

function* validateBalancerClass({ type, loadBalancerClass: name }: CoreV1ServiceSpec): Problems {
  if (name === undefined) return;
  if (type === "LoadBalancer") yield* invalidFor("spec.loadBalancerClass", name, qualifiedNameProblems(name));
  else yield forbiddenField("spec.loadBalancerClass", ONLY_BALANCED);
}

/** Addresses stay, unless the type moves to or from one without any. */
export function* validateServiceUpdate(service: CoreV1Service, old: CoreV1Service): Problems {
  const spec = service.spec ?? {};
  const before = old.spec ?? {};
  const stays = spec.type === "LoadBalancer" && before.type === "LoadBalancer";
  if (stays && spec.loadBalancerClass !== before.loadBalancerClass)
    yield invalidValue("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set");
  yield* validateBalancerClass(spec);
  if (spec.type === "ExternalName" || before.type === "ExternalName") return;
  const now = spec.clusterIPs ?? [];
  const then = before.clusterIPs ?? [];
  if (then.length && !now.length) yield invalidValue("spec.clusterIPs[0]", now, "primary clusterIP can not be unset");
  for (const [index, ip] of then.entries())
    if (now[index] !== undefined && now[index] !== ip)
      yield invalidValue(`spec.clusterIPs[${index}]`, now, "may not change once set");
  if (headless(spec) || headless(before)) return;
  for (const [index, family] of (before.ipFamilies ?? []).entries()) {
    const [first, chosen = family] = [spec.ipFamilies?.[0], spec.ipFamilies?.[index]];
    if (first && chosen !== family)
      yield invalidValue("spec.ipFamilies[0]", spec.ipFamilies, "may not change once set");
  }
}

export function* serviceWarnings({ metadata, spec = {} }: CoreV1Service): Iterable<string> {
  if (metadata?.annotations?.["service.kubernetes.io/topology-aware-hints"] !== undefined)
    yield "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead";
  const { type, loadBalancerIP, externalIPs = [], trafficDistribution } = spec;
  for (const [index, ip] of (spec.clusterIPs ?? []).entries())
    if (ip !== "None") yield* ipWarnings(ip, `spec.clusterIPs[${index}]`);
  if (type === "ClusterIP" && spec.clusterIP === "None") {
    if (loadBalancerIP) yield "spec.loadBalancerIP is ignored for headless services";
    if (externalIPs.length) yield "spec.externalIPs is ignored for headless services";
    if (spec.sessionAffinity !== "None") yield "spec.SessionAffinity is ignored for headless services";
  }
  for (const [index, ip] of externalIPs.entries()) yield* ipWarnings(ip, `spec.externalIPs[${index}]`);
  if (loadBalancerIP) yield* ipWarnings(loadBalancerIP, "spec.loadBalancerIP");
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    yield* cidrWarnings(range, `spec.loadBalancerSourceRanges[${index}]`);
  if (type === "ExternalName" && externalIPs.length)
    yield 'spec.externalIPs is ignored when spec.type is "ExternalName"';
  if (type !== "ExternalName" && spec.externalName)
    yield 'spec.externalName is ignored when spec.type is not "ExternalName"';
  if (trafficDistribution === "PreferClose")
    yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"';
}

export function* validateServiceStatus({ spec, status }: CoreV1Service): Problems {
  const ingress = status?.loadBalancer?.ingress;
  const field = "status.loadBalancer.ingress";
  if (ingress?.length && spec?.type !== "LoadBalancer")
    yield forbiddenField(field, "may only be used when `spec.type` is 'LoadBalancer'");
  else yield* validateBalancer(ingress, field, true);
}
