import { portNumberProblems } from "../../lib/names.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../../lib/status.ts";
import type {
  NetworkingV1NetworkPolicy,
  NetworkingV1NetworkPolicyPeer,
  NetworkingV1NetworkPolicyPort,
} from "../generated/types.ts";
import { invalidFor, type Problems } from "./fields.ts";
import { cidrWarnings, isCidr, isStrictSubnet, NOT_A_CIDR } from "./ip.ts";
import { validateLabelSelector } from "./label-selector.ts";
import { validatePortNumberOrName } from "./ports.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const TYPES = ["Ingress", "Egress"];

export function* validateNetworkPolicy({ spec }: NetworkingV1NetworkPolicy): Problems {
  yield* validateLabelSelector(spec?.podSelector, "spec.podSelector");
  for (const [index, { ports, from }] of (spec?.ingress ?? []).entries())
    yield* validateRule(ports, from, "from", `spec.ingress[${index}]`);
  for (const [index, { ports, to }] of (spec?.egress ?? []).entries())
    yield* validateRule(ports, to, "to", `spec.egress[${index}]`);
  const types = spec?.policyTypes ?? [];
  if (types.length > TYPES.length)
    yield invalidValue("spec.policyTypes", types, "may not specify more than two policyTypes");
  else
    for (const [index, type] of types.entries())
      if (!TYPES.includes(type)) yield notSupported(`spec.policyTypes[${index}]`, type, TYPES);
}

function* validateRule(
  ports: readonly NetworkingV1NetworkPolicyPort[] | undefined,
  peers: readonly NetworkingV1NetworkPolicyPeer[] | undefined,
  side: string,
  field: string,
): Problems {
  for (const [index, port] of (ports ?? []).entries()) yield* validatePort(port, `${field}.ports[${index}]`);
  for (const [index, peer] of (peers ?? []).entries()) yield* validatePeer(peer, `${field}.${side}[${index}]`);
}

function* validatePort({ protocol, port, endPort }: NetworkingV1NetworkPolicyPort, field: string): Problems {
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    yield notSupported(`${field}.protocol`, protocol, PROTOCOLS);
  if (port === undefined) {
    if (endPort !== undefined)
      yield invalidValue(`${field}.endPort`, endPort, "may not be specified when `port` is not specified");
    return;
  }
  if (endPort !== undefined && typeof port === "string")
    yield invalidValue(`${field}.endPort`, endPort, "may not be specified when `port` is non-numeric");
  yield* validatePortNumberOrName(port, `${field}.port`);
  if (endPort === undefined || typeof port === "string") return;
  if (endPort < port) yield invalidValue(`${field}.endPort`, port, "must be greater than or equal to `port`");
  yield* invalidFor(`${field}.endPort`, endPort, portNumberProblems(endPort));
}

function* validatePeer(peer: NetworkingV1NetworkPolicyPeer, field: string): Problems {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  yield* validateLabelSelector(podSelector, `${field}.podSelector`);
  yield* validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`);
  if (ipBlock) {
    const { cidr, except } = ipBlock;
    if (!cidr) yield required(`${field}.ipBlock.cidr`);
    else if (!isCidr(cidr)) yield invalidValue(`${field}.ipBlock.cidr`, cidr, NOT_A_CIDR);
    else
      for (const [index, part] of (except ?? []).entries()) {
        const at = `${field}.ipBlock.except[${index}]`;
        if (!isCidr(part)) yield invalidValue(at, part, NOT_A_CIDR);
        else if (!isStrictSubnet(part, cidr)) yield invalidValue(at, part, "must be a strict subset of `cidr`");
      }
  }
  if (!podSelector && !namespaceSelector && !ipBlock) yield required(field, "must specify a peer");
  else if (ipBlock && (podSelector || namespaceSelector))
    yield forbiddenField(field, "may not specify both ipBlock and another peer");
}

export function* networkPolicyWarnings({ spec }: NetworkingV1NetworkPolicy): Iterable<string> {
  for (const [rule, { from }] of (spec?.ingress ?? []).entries())
    for (const [peer, { ipBlock }] of (from ?? []).entries())
      yield* blockWarnings(ipBlock, `spec.ingress[${rule}].from[${peer}].ipBlock`);
  for (const [rule, { to }] of (spec?.egress ?? []).entries())
    for (const [peer, { ipBlock }] of (to ?? []).entries())
      yield* blockWarnings(ipBlock, `spec.egress[${rule}].to[${peer}].ipBlock`);
}

function* blockWarnings(block: NetworkingV1NetworkPolicyPeer["ipBlock"], field: string): Iterable<string> {
  if (!block) return;
  yield* cidrWarnings(block.cidr, `${field}.cidr`);
  for (const [index, part] of (block.except ?? []).entries()) yield* cidrWarnings(part, `${field}.except[${index}]`);
}
